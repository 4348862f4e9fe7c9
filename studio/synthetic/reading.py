"""What a model wrote, read strictly: one prompt that differs from the one it was made from, or the reason why not."""

import re
from typing import Literal

from studio.lint.rows.phrases import phrase_in
from studio.shingles import fold, likeness, shingles
from studio.synthetic.methods import Method

Reason = Literal[
    "empty",
    "cut off",
    "a refusal",
    "an answer",
    "not one prompt alone",
    "a copy",
    "a near copy",
    "not shorter",
    "nothing to mistype",
    "too long for the model",
    "refused by the model",
    "no question of a user",
    "not in use any more",
]
"""Why something is no variation."""

NEAR = 92.0
"""Likeness, up to 100, from which on two prompts are nearly the same: as `like_inputs` of the checks has it."""

NEAR_RUNS = 0.8
"""Share of common runs of five words from which on two long ones are."""

LONGEST_COMPARED = 20_000
"""Characters of a prompt that are compared."""

MOST_TIMES_LONGER = 4
LONG = 400
"""A text of more characters, and so many times as long as the prompt, is an answer or a story."""

_TAGS = re.compile(r"\A<message>(.*)</message>\Z", re.DOTALL | re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "«": "»", "„": "“"}
_INTRODUCES = re.compile(
    r"\A(?:here(?:'s| is| are)\b"
    r"|(?:the |a )?(?:rewritten|rephrased|paraphrased|new|revised|shorter|harder)\b[^\n]{0,40}:"
    r"|rewrite\b[^\n]{0,20}:|message:|paraphrase:|output:)",
    re.IGNORECASE,
)
_TOLD = ("<message", "</message", "rewritten message", "rewrite the message", "condition or complication")
_LISTED = re.compile(r"^\s*(?:\d+[.)]|[-*•]|option \d+\b)", re.MULTILINE | re.IGNORECASE)
_ANSWERS = re.compile(
    r"\A(?:sure|certainly|of course|absolutely|great question|yes|no|thank you for|thanks for|i'd be happy|i would be"
    r" happy|i can help|you can|the answer|dear (?:customer|user)|let me|as an ai)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\A(?:please|tell|explain|give|list|show|help|describe|write|name|find|say|let me know|can|could|would|will|i need"
    r"|i want|i'd like|i would like|need|want|looking for|asking|wondering|how|what|when|where|which|who|why)\b",
    re.IGNORECASE,
)


class Dropped(Exception):
    """What came back is no variation."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def read(reply: str, prompt: str, method: Method, phrases: tuple[str, ...] = (), answer: str = "") -> str:
    """Return the variation that a model's reply is.

    Args:
        reply: what the model wrote.
        prompt: what it was to rewrite.
        method: the way in which.
        phrases: what refusals and a model's manners sound like, in lower case.
        answer: the known answer to the prompt, if there is one.

    Raises:
        Dropped: the reply is anything else than one new prompt.
    """
    text = _unwrapped(reply)
    if not fold(text):
        raise Dropped("empty")
    if (phrase := phrase_in(text, phrases)) and phrase not in prompt.lower():
        raise Dropped("a refusal")
    if not _is_alone(text, prompt):
        raise Dropped("not one prompt alone")
    if _is_answer(text, prompt, answer):
        raise Dropped("an answer")
    check_new(text, [prompt])
    if method == "shorter" and len(text) >= len(prompt):
        raise Dropped("not shorter")
    return text


def check_new(text: str, others: list[str]) -> None:
    """Raise Dropped where a prompt says the same as one of others, or nearly so."""
    for other in others:
        if fold(text) == fold(other):
            raise Dropped("a copy")
        if is_near(text, other):
            raise Dropped("a near copy")


def is_near(one: str, other: str) -> bool:
    """Tell whether two prompts are nearly the same, letter by letter or by their runs of words."""
    from rapidfuzz import fuzz

    first, second = (fold(text[:LONGEST_COMPARED]) for text in (one, other))
    if fuzz.ratio(first, second, score_cutoff=NEAR):
        return True
    return likeness(shingles(first), shingles(second)) >= NEAR_RUNS


def _unwrapped(reply: str) -> str:
    """Return a reply without tags or quotation marks that are all around it."""
    text = reply.strip()
    if tagged := _TAGS.match(text):
        text = tagged[1].strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[1:-1].count(text[0]) == 0:
        text = text[1:-1].strip()
    return text


def _is_alone(text: str, prompt: str) -> bool:
    folded = text.lower()
    if _INTRODUCES.match(text) and not _INTRODUCES.match(prompt):
        return False
    if any(told in folded and told not in prompt.lower() for told in _TOLD):
        return False
    return len(_LISTED.findall(text)) < 2 or len(_LISTED.findall(prompt)) >= 2


def _is_answer(text: str, prompt: str, answer: str) -> bool:
    if len(text) > max(LONG, MOST_TIMES_LONGER * len(prompt)):
        return True
    if answer and (fold(text) == fold(answer) or is_near(text, answer)):
        return True
    if _ANSWERS.match(text) and not _ANSWERS.match(prompt):
        return True
    # A question that comes back without one is a statement: in most cases what the model thinks is the answer.
    return "?" in prompt and not any(mark in text for mark in "?？؟") and not _ASKS.match(text)
