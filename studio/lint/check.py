"""What a check is: its name and meaning, and what it is given to look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from store.examples import Message, Split
from store.pairs import Verdict

if TYPE_CHECKING:
    from store.database import Store
    from studio.lint.noted import Noted
    from studio.rendering import ChatTokenizer

Level = Literal["error", "warning", "info"]
"""An error spoils training or its measurement; a warning usually does; an info is worth knowing."""

Kind = Literal["record", "example"]


@dataclass(frozen=True)
class Check:
    """Something that can be wrong with data."""

    name: str
    """What settings, queries (`finding:NAME`) and the command line call it: lower case, words joined by hyphens."""
    title: str
    """What was found, in a few words: "answers that are empty"."""
    why: str
    """What it means and why it matters, in one or two sentences."""
    level: Level
    kind: Kind = "example"
    """Which rows it finds; of pairs and answers, the examples that they belong to."""
    fix: str = ""
    """What its fix does, in a few words; empty where there is none."""


class Answer(NamedTuple):
    """One way in which an example's prompt is answered: its own (id None), or a response."""

    id: int | None
    messages: list[Message]
    author: str = ""
    label: bool | None = None


class Judged(NamedTuple):
    """A pair and its current verdict."""

    left_id: int
    right_id: int
    verdict: Verdict | None
    rater: str
    seconds: float | None
    """From its being shown to the verdict; None for imported ones."""

    @property
    def chosen_and_rejected(self) -> tuple[int, int] | None:
        """The ids of the better and the worse response, where one is better."""
        match self.verdict:
            case "left":
                return self.left_id, self.right_id
            case "right":
                return self.right_id, self.left_id
        return None


@dataclass(frozen=True)
class Subject:
    """An example with all that belongs to it."""

    id: int
    revision: int
    record_id: int | None
    source: str
    split: Split
    prompt: list[Message]
    """The conversation up to its answer."""
    answers: list[Answer]
    pairs: list[Judged]
    tools: list[dict[str, Any]] | None = None
    group: bytes = b""
    """The key of its prompt."""

    @property
    def answer(self) -> list[Message]:
        """The example's own answer; empty where it has none."""
        return next((answer.messages for answer in self.answers if answer.id is None), [])


@dataclass(frozen=True)
class Context:
    """What checks are told besides the data."""

    tokenizer: "ChatTokenizer | None"
    """Of the project's model; None where it is not prepared."""
    max_length: int
    """Tokens of a training row."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Thresholds and lists of `[lint]` in studio.toml, complete: their defaults are in `studio.lint.options`."""


RowCheck = Callable[[Subject, Context], Iterator[str]]
"""Yields a line for each thing found in one example: what, and where ("answer: '[Your Name]'")."""


@dataclass(frozen=True)
class OfRow:
    """A check of single examples, with its code."""

    check: Check
    look: RowCheck
    mend: Callable[[Message], Message] | None = None
    """Returns a message as it should be (itself where nothing is wrong); where the check has a fix."""


class Found(NamedTuple):
    """Something that a check of all examples found; without a row it is about the whole."""

    row_id: int | None
    detail: str


@dataclass(frozen=True)
class OfSet:
    """A check of all examples together, with its code."""

    check: Check
    look: "Callable[[Noted, Context], Iterator[Found]]"
    """Is given what `studio.lint.features.features` noted of each example, in the order of their ids."""
    told_by: str = ""
    """The check that says the same of some examples already, unless it is off: it is said once."""
    told_of: "Callable[[Store], frozenset[int]] | None" = None
    """Gives these examples."""
