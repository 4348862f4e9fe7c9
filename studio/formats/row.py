"""What one row of a data set means, whatever its format calls the columns."""

from dataclasses import dataclass
from typing import Any

from store.examples import Message, ResponseOrigin
from store.pairs import Verdict


class RowError(ValueError):
    """A row that does not say what its format promises; the message is the reason, for the user."""


@dataclass(frozen=True)
class Candidate:
    """One completion that a row offers for its prompt."""

    messages: list[Message]
    origin: ResponseOrigin = "file"
    author: str = ""
    label: bool | None = None
    """Good or bad by itself, where the row says so."""


@dataclass(frozen=True)
class Row:
    """A record as an example, its responses and its verdict."""

    messages: list[Message]
    """A prompt, or a conversation that ends with the answer."""
    tools: list[dict[str, Any]] | None = None
    candidates: tuple[Candidate, ...] = ()
    verdict: Verdict | None = None
    """Between the first two candidates; left is the first."""
    comment: str = ""
    rater: str = ""
    problem: str | None = None
    """Why the row means less than it seems to say."""


@dataclass(frozen=True)
class SftRow:
    """A conversation to learn from, ready to be written."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class PreferenceRow:
    """A prompt with a better and a worse completion, ready to be written."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    tools: list[dict[str, Any]] | None = None
