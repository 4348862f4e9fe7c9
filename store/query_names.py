"""The names of the query language: what each may be, and how it is explained in a line."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """A name that has one meaning in every project."""

    example: str
    meaning: str
    values: tuple[str, ...] = ()
    """All that it can be; empty where any text will do."""
    is_number: bool = False

    def read(self, text: str) -> str | None:
        """Return a value as it is written in the store; None where there is no such value."""
        if not self.values:
            return text.strip() or None
        value = text.strip().casefold().replace("-", "_")
        # has:responses is as good as has:response.
        return next((known for known in (value, value.removesuffix("s")) if known in self.values), None)


HAS = {
    "flag": "it is flagged",
    "tag": "it has any tag",
    "error": "the row can't be parsed",
    "problem": "the row can't be parsed, or made less than it seems to hold",
    "duplicate": "an earlier row has the same bytes",
    "near": "it is in a group of near duplicates",
    "leak": "it is in a group of leaks between splits",
    "example": "an example was made of the row",
    "edit": "the example was edited",
    "synthetic": "the example's prompt was made from another one's, by a model or a rule",
    "note": "it has a note",
    "tools": "the example has tools",
    "finding": "a check found something in it; studio lint runs them",
    "response": "the example has a response",
    "pair": "the example has a pair to compare",
    "verdict": "a pair of the example has a verdict",
    "comment": "somebody remarked on a pair of the example",
}
"""What `has:` asks, by its value."""

IS = {"flagged": "flag", "edited": "edit", "synthetic": "synthetic", "duplicate": "duplicate", "judged": "verdict"}
"""The values of `is:` that say the same as one of `has:`."""

NAMES = {
    "split": Name("split:train", "which part of the data", ("train", "validation", "test")),
    "status": Name("status:approved", "what was decided", ("draft", "approved", "rejected")),
    "source": Name("source:emails.jsonl", "the file; part of its name will do"),
    "tag": Name("tag:polite", "a tag, all of it"),
    "verdict": Name(
        "verdict:left",
        "of a pair; judged is any, none is a pair that waits for one",
        ("left", "right", "tie", "both_bad", "skip", "none", "judged"),
    ),
    "has": Name("has:flag", "what it has", tuple(HAS)),
    "is": Name("is:excluded", "what it is", ("excluded", *IS)),
    "finding": Name("finding:empty-answer", "what a check found; studio lint --list names them all"),
    "origin": Name("origin:human", "where a response came from", ("human", "run", "model", "file")),
    "author": Name("author:gpt-4", "who wrote a response; part of the name will do"),
    "len": Name("len>1000", "characters of the row", is_number=True),
    "line": Name("line:17", "the line in the file", is_number=True),
    "id": Name("id:42", "the row's own number", is_number=True),
}
"""All names, each with an example; any other name is a field of the record."""


def nearest(text: str, values: Iterable[str]) -> str:
    """Return what to write instead of a wrong value."""
    from difflib import get_close_matches

    known = list(values)
    close = get_close_matches(text.casefold(), known, 1, 0.5)
    listed = f"it is one of {', '.join(known[:-1])} and {known[-1]}" if len(known) > 1 else "give it a value"
    return f"did you mean {close[0]}" if close else listed
