"""Passages of documents that were put into examples: as they were then, whatever became of the documents since."""

from collections.abc import Iterable
from typing import NamedTuple

from store.database import Store, now


class InsertedPassage(NamedTuple):
    """Some lines of a document."""

    name: str
    first: int
    last: int
    heading: str
    text: str


def note(store: Store, found: Iterable[InsertedPassage]) -> None:
    """Write down passages that go into an example."""
    with store.transaction() as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO inserted_passage (name, first, last, heading, text, at) VALUES (?, ?, ?, ?, ?, ?)",
            ((*each, now()) for each in found),
        )


def standing_in(store: Store, text: str) -> list[InsertedPassage]:
    """Return those that stand in a text, as they follow each other there."""
    rows = store.connection.execute(
        "SELECT name, first, last, heading, text FROM inserted_passage WHERE instr(?, text) ORDER BY instr(?, text)",
        (text, text),
    )
    return [InsertedPassage(*row) for row in rows]
