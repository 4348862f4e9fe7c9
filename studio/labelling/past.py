"""A verdict that was given, as a person reads it again: the pair as it was shown, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from store import examples, journal, pairs, responses
from store.database import Store
from store.examples import Message, prompt_of
from store.journal import Entry, Past, Purpose
from store.responses import Response

PURPOSE_WORDS: dict[Purpose, str] = {
    "first": "",
    "repeat": "asked again",
    "anchor": "asked again later",
    "second": "second opinion",
    "review": "settles a disagreement",
    "change": "changed",
    "edited": "with a better one written",
    "implied": "follows from others",
}


@dataclass(frozen=True)
class Side:
    """One of the two responses, on the side where it was shown."""

    name: str
    said: str
    """What the verdict makes of it: better, worse, or nothing."""
    author: str
    messages: list[Message]


@dataclass(frozen=True)
class PastPair:
    """The pair of a verdict."""

    prompt: list[Message]
    sides: tuple[Side, Side]
    remarks: list[str]


def past_pair(store: Store, entry: Entry) -> PastPair:
    """Return what a verdict was given on, with the remarks that people made."""
    assert entry.left_id is not None
    assert entry.right_id is not None
    example = examples.get(store, pairs.get(store, entry.pair_id).example_id)
    left, right = responses.get(store, entry.left_id), responses.get(store, entry.right_id)
    said = {"left": ("better", "worse"), "right": ("worse", "better")}.get(entry.verdict or "", ("", ""))
    comments = [f"{e.rater}: {e.note}" for e in journal.entries(store, pair_id=entry.pair_id) if e.kind == "comment"]
    return PastPair(
        prompt_of(example.messages) or example.messages,
        (_side("Left", said[0], left), _side("Right", said[1], right)),
        comments,
    )


def state_words(past: Past) -> str:
    """Return what became of a verdict, and why it was given where it was not the first."""
    why = PURPOSE_WORDS[past.entry.purpose]
    if not past.stands:
        now = "taken back"
    elif past.counts:
        now = "counts"
    elif past.entry.purpose in journal.NOT_COUNTED:
        now = ""
    else:
        now = "replaced" if past.entry.purpose != "second" else "another's counts"
    return ", ".join(word for word in (now, why) if word)


def when_words(entry: Entry) -> str:
    """Return the minute in which a verdict was given, in the time of this place."""
    return datetime.fromisoformat(entry.answered_at).astimezone().strftime("%Y-%m-%d %H:%M")


def author_words(response: Response) -> str:
    """Return whose a response is: its author, and the temperature where it was sampled at one."""
    temperature = response.parameters.get("temperature")
    known = response.author or {"file": "of the file", "human": "a person"}.get(response.origin, response.origin)
    return known if temperature is None else f"{known} at temperature {temperature:g}"


def _side(name: str, said: str, response: Response) -> Side:
    return Side(name, said, author_words(response), response.messages)
