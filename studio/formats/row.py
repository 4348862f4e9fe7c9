"""What one row of a data set means, whatever its format calls the columns."""

from typing import Any, NamedTuple

from store.examples import Message
from store.pairs import Verdict
from store.responses import ResponseOrigin


class RowError(ValueError):
    """A row that does not say what its format promises; the message is the reason, for the user."""


# What is read are named tuples: a million-row import makes three of them a row, and frozen dataclasses cost thrice.


class Candidate(NamedTuple):
    """One completion that a row offers for its prompt."""

    messages: list[Message]
    origin: ResponseOrigin = "file"
    author: str = ""
    label: bool | None = None
    """Good or bad by itself, where the row says so."""
    parameters: dict[str, Any] | None = None
    """What else the row says of it: ratings, the prompt that it was made with."""


class Judgement(NamedTuple):
    """What one person or program said of a row's first two candidates; left is the first."""

    rater: str
    """Who; empty where the file names nobody."""
    code: str = ""
    """The verdict in the file's own numbers, where other files mean something else by them."""
    verdict: Verdict | None = None
    """The verdict, where the file's own word for it can mean nothing else."""
    comment: str = ""


class Row(NamedTuple):
    """A record as an example, its responses and the verdicts on them."""

    messages: list[Message]
    """A prompt, or a conversation that ends with the answer. A message of weight 0 is not to be learnt."""
    tools: list[dict[str, Any]] | None = None
    candidates: tuple[Candidate, ...] = ()
    verdict: Verdict | None = None
    """Between the first two candidates; left is the first."""
    comment: str = ""
    rater: str = ""
    problem: str | None = None
    """Why the row means less than it seems to say."""
    judgements: tuple[Judgement, ...] = ()
    """Several people's verdicts, where the row holds more than one or says whose it is."""
    asked: list[Message] | None = None
    """The messages without what was looked up or shown before the question, where something was: these decide the
    split, since what is found changes from one day to the next."""


class SftRow(NamedTuple):
    """A conversation to learn from, ready to be written."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None


class PreferenceRow(NamedTuple):
    """A prompt with a better and a worse completion, ready to be written."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    tools: list[dict[str, Any]] | None = None


class PromptRow(NamedTuple):
    """A prompt to be answered, with what the answer can be checked against."""

    prompt: list[Message]
    fields: dict[str, Any]
    """Those of its record; `answer` is the example's own where the record has none of that name."""
    tools: list[dict[str, Any]] | None = None


class LabelledRow(NamedTuple):
    """A prompt with one completion that was called good or bad by itself, ready to be written."""

    prompt: list[Message]
    completion: list[Message]
    label: bool
    tools: list[dict[str, Any]] | None = None
