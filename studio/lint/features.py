"""What is noted of each example for the checks of all of them together: small, and storable as JSON."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from store.examples import Message
from studio.lint.check import Context, Subject
from studio.shingles import fold

SHORT = 80
"""Characters of an answer that is kept as it stands: a class, a number, a few words."""
SHORT_PROMPT = 500
"""Characters of a prompt that is kept beside a short answer, to find those which nearly say the same."""
MOST_NUMBERS = 20
"""Number fields of a JSON answer that are noted."""
LARGEST_JSON = 20_000
"""Characters of a JSON answer that is looked into."""
WORDS = 3
"""Words that make an opening or a closing."""
ENDS = 400
"""Characters at each end of an answer in which its first and last words are looked for."""

_FIGURE = r"[-+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?"
_NUMBER = re.compile(rf"[$\u20ac\u00a3\u00a5]?\s?({_FIGURE})\s?(?:[$\u20ac\u00a3\u00a5%]|[^\W\d_]{{1,7}})?\.?")
_LAST_NUMBER = re.compile(
    rf"(?:####|A:|(?:the )?(?:final )?answer(?: is|:))\s*[$\u20ac\u00a3\u00a5]?({_FIGURE})\.?", re.IGNORECASE
)
_NO_NUMBER = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_BEFORE_FIGURES = re.compile(r"[-\u2212/*.,:](?=\s?[-\u2212\d])")
_KEPT_IN_FIGURES = dict(zip("-\u2212/*.,:", "\u00ac\u00ac\u00f7\u00d7\u02d9\u02cf\u223c", strict=True))
"""Signs that folding leaves alone, for those that mean something between digits: 6-2 is not 6/2."""

_AROUND = ".,;:!?\"'()[]{}<>*_#`~-\u2013\u2014\u2026\u2018\u2019\u201c\u201d/\\|=+$%&^@"


class Candidate(NamedTuple):
    """A response to an example's prompt."""

    id: int
    author: str
    text: str
    """The hash of its normal form."""
    length: int
    label: bool | None


class Decision(NamedTuple):
    """The verdict that counts for a pair."""

    left_id: int
    right_id: int
    verdict: str
    rater: str
    seconds: float | None
    """None where it was not given here."""

    @property
    def chosen_and_rejected(self) -> tuple[int, int] | None:
        """The ids of the better and the worse response, where one is better."""
        if self.verdict == "left":
            return self.left_id, self.right_id
        return (self.right_id, self.left_id) if self.verdict == "right" else None


class Features(NamedTuple):
    """What is noted of one example."""

    id: int
    split: str
    source: str
    prompt: str
    """The hash of the prompt's normal form, system turns left out; empty where there is no prompt."""
    system: str
    """The hash of what the model is told besides, system turns and tools; empty without any."""
    prompt_length: int
    short_prompt: str
    """The normal form of a prompt of one short turn, where the answer is short, too; otherwise empty."""
    answer: str
    """The example's own answer where it is short."""
    answer_text: str
    """The hash of its normal form; empty where there is no answer, or nothing in it."""
    answer_length: int
    opening: str
    """Its first three words; empty where it has too few to tell them from the last."""
    closing: str
    numbers: list[tuple[str, float]]
    """The answer where it is a number (its name is empty), or the number fields of a JSON answer."""
    candidates: list[Candidate]
    decisions: list[Decision]
    problems: int = 0
    """How many findings of single examples it has; filled in by whoever runs those checks."""

    @property
    def pairs(self) -> Iterator[tuple[Candidate, Candidate]]:
        """The better and the worse response of each decided pair."""
        if not self.decisions:
            return
        by_id = {candidate.id: candidate for candidate in self.candidates}
        for decision in self.decisions:
            if (ids := decision.chosen_and_rejected) and ids[0] in by_id and ids[1] in by_id:
                yield by_id[ids[0]], by_id[ids[1]]


def features(subject: Subject, context: Context) -> list[Any]:  # noqa: ARG001 (all checks are called alike)
    """Note what the checks of all examples need of one; `read` makes `Features` of it again."""
    asked = [message for message in subject.prompt if message["role"] != "system"]
    told = [message for message in subject.prompt if message["role"] == "system"]
    answer = _text(subject.answer)
    short = answer.strip() if len(answer) <= SHORT else ""
    opening, closing = _ends(answer)
    only = _content(asked[0]) if len(asked) == 1 else ""
    noted = Features(
        id=subject.id,
        split=subject.split,
        source=subject.source,
        prompt=_key(asked),
        system=_digest(_key(told) + (json.dumps(subject.tools, sort_keys=True) if subject.tools else "")),
        prompt_length=sum(len(_content(message)) for message in asked),
        short_prompt=normal_form(only) if short and 0 < len(only) <= SHORT_PROMPT else "",
        answer=_encodable(short),
        answer_text=_digest(_normal(subject.answer)),
        answer_length=len(answer),
        opening=_encodable(opening),
        closing=_encodable(closing),
        numbers=list(_numbers(answer)),
        candidates=[
            Candidate(a.id, a.author, _digest(_normal(a.messages)), len(_text(a.messages)), a.label)
            for a in subject.answers
            if a.id is not None
        ],
        decisions=[Decision(p.left_id, p.right_id, p.verdict, p.rater, p.seconds) for p in subject.pairs if p.verdict],
    )
    return stored(noted)


def stored(noted: Features) -> list[Any]:
    """Return what is kept of what was noted: its parts are called `STORED`, the last one is `problems`."""
    numbers = [[_encodable(name), value if math.isfinite(value) else str(value)] for name, value in noted.numbers]
    sides = [[better.author, better.length, worse.author, worse.length] for better, worse in noted.pairs]
    timed = sum(decision.seconds is not None for decision in noted.decisions)
    judged = [noted.candidates, noted.decisions]
    # Most checks can do without, and one text is read sooner than many small parts.
    text = json.dumps(judged, separators=(",", ":")) if any(judged) else ""
    return [*noted[:_PLAIN], numbers, sides, len(noted.decisions), timed, text, noted.problems]


def read(stored: Sequence[Any]) -> Features:
    """Return what was noted, from what is kept of it."""
    numbers, _, _, _, judged, problems = stored[_PLAIN:]
    candidates, decisions = json.loads(judged) if judged else ((), ())
    nested = (
        [(name, float(value)) for name, value in numbers],
        [Candidate._make(parts) for parts in candidates],
        [Decision._make(parts) for parts in decisions],
    )
    return Features._make((*stored[:_PLAIN], *nested, problems))


_PLAIN = Features._fields.index("numbers")
STORED = (*Features._fields[:_PLAIN], "numbers", "sides", "verdicts", "timed_verdicts", "judged", "problems")
"""What `stored` gives: `sides` are the authors and lengths of decided pairs, the better answer's first."""


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()


def normal_form(text: str) -> str:
    """Return a text without what makes no difference: case, forms of letters, spaces, punctuation but in numbers."""
    return fold(_BEFORE_FIGURES.sub(_keep, text))


def _keep(match: re.Match[str]) -> str:
    """Return the sign for one that comes before a number, where it belongs to it: after another one, or as a minus."""
    sign, before = match[0], match.string[max(0, match.start() - 2) : match.start()]
    follows_figure = before.rstrip()[-1:].isdecimal()
    is_minus = sign in "-\u2212" and not before[-1:].isalnum()
    return _KEPT_IN_FIGURES[sign] if follows_figure or is_minus else sign


def _content(message: Message) -> str:
    return message.get("content") or ""


def _text(messages: Iterable[Message]) -> str:
    return "\n".join(_content(message) for message in messages)


def _normal(messages: Iterable[Message]) -> str:
    """Return what an answer says: the normal form of its turns, and its tool calls as they are."""
    said = [normal_form(_content(m)) + _calls(m) for m in messages]
    return "\n".join(said) if any(said) else ""


def _calls(message: Message) -> str:
    return json.dumps(message["tool_calls"], sort_keys=True) if message.get("tool_calls") else ""


def _key(messages: list[Message]) -> str:
    """Return the hash of a conversation's normal form; empty where nothing is said in it."""
    if not any(_content(message).strip() for message in messages):
        return ""
    # What consists of punctuation alone is told apart by it.
    return _digest("\n".join(f"{m['role']}: {normal_form(_content(m)) or _content(m)}{_calls(m)}" for m in messages))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest() if text else ""


def _ends(answer: str) -> tuple[str, str]:
    """Return the first and the last words of an answer that is long enough to have both."""
    head, tail = (answer, answer) if len(answer) <= ENDS else (answer[:ENDS], answer[-ENDS:])
    first, last = head.casefold().split(), tail.casefold().split()
    if len(first) < 4 * WORDS:
        return "", ""
    return _plain(first[:WORDS]), _plain(last[-WORDS:])


def _plain(words: list[str]) -> str:
    """Return words without the punctuation around them; empty where that was all, as in code."""
    bare = [word.strip(_AROUND) for word in words]
    return " ".join(bare) if all(bare) else ""


def _numbers(answer: str) -> Iterator[tuple[str, float]]:
    text = answer.strip()
    if text[:1] in ("{", "[") and len(text) <= LARGEST_JSON:
        yield from _numbers_of_json(text)
    elif len(text) <= SHORT and ((match := _NUMBER.fullmatch(text)) or _NO_NUMBER.fullmatch(text)):
        yield "", _value(match[1] if match else text)
    elif match := _LAST_NUMBER.fullmatch(text[text.rfind("\n") + 1 :].strip()):
        yield "", _value(match[1])


def _numbers_of_json(text: str) -> Iterator[tuple[str, float]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    fields = list(_number_fields(value, "", 3)) if isinstance(value, dict) else []
    yield from fields[:MOST_NUMBERS]


def _number_fields(value: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, float]]:
    for name, part in value.items():
        if isinstance(part, dict) and depth > 1:
            yield from _number_fields(part, f"{path}{name}.", depth - 1)
        elif isinstance(part, int | float) and not isinstance(part, bool) and abs(part) < 1e300:
            yield f"{path}{name}", float(part)
        elif isinstance(part, float):
            yield f"{path}{name}", part


def _value(figure: str) -> float:
    return float(figure.replace(",", "").replace("\u2212", "-"))
