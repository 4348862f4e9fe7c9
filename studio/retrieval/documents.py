"""Passages of the project's documents that are nearest to a question."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from store import inserted_passages, passages
from store.database import Store
from store.inserted_passages import InsertedPassage
from store.passages import StoredPassage
from studio.errors import StudioError
from studio.project import Project
from studio.retrieval import embedding
from studio.retrieval.fusion import fused
from studio.retrieval.indexing import catch_up, changed
from studio.retrieval.terms import expression_of

AT_ONCE = 2_000_000
"""Bytes of changed documents that are read before a question is answered; more are to be asked for by a command."""

LOOKED_AT = 50
"""Passages of each way of searching that are weighed against each other."""


@dataclass(frozen=True)
class Passage:
    """Some lines of a document, and how well they fit."""

    file: str
    first: int
    last: int
    heading: str
    """The headings that it stands under, from the outermost."""
    text: str
    score: float
    id: int = 0
    """Its number in the index, until its document changes."""

    @property
    def lines(self) -> str:
        """The lines in words, such as 12-18."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def as_inserted(self) -> InsertedPassage:
        """Return what is kept of it where it goes into an example."""
        return InsertedPassage(self.file, self.first, self.last, self.heading, self.text)

    def as_fields(self) -> dict[str, Any]:
        """Return what templates see of it."""
        return {"file": self.file, "lines": self.lines, "heading": self.heading, "text": self.text}


def passages_for(project: Project, question: str, k: int | None = None) -> list[Passage]:
    """Return the passages nearest to a question, the nearest first: `k`, or as many as the settings say.

    Documents that changed are read again before that.

    Raises:
        StudioError: no documents are named, or too many are not indexed yet.
        StoreError: the index can't be used.
    """
    with passages.opened(project.database) as index:
        keep_up(project, index)
        return search(project, index, question, k)


def keep_up(project: Project, index: sqlite3.Connection) -> None:
    """Read what changed, where that takes a moment.

    Raises:
        StudioError: it would take longer.
    """
    again, gone = changed(project, index)
    if sum(file.size for file in again) > AT_ONCE:
        raise StudioError(
            f"{len(again):,} documents were not read since they were written.", "Run studio documents index."
        )
    if again or gone:
        catch_up(project, index)
    embedding.catch_up(project, index, most=embedding.AT_ONCE)


def search(project: Project, index: sqlite3.Connection, question: str, k: int | None = None) -> list[Passage]:
    """Return the passages of the index as it is; without an embedding model they are ranked by words (bm25) alone."""
    expression = expression_of(question)
    by_words = passages.by_words(index, expression, LOOKED_AT) if expression else []
    ranked = by_words
    if project.settings.documents.embedding:
        ranked = fused([by_words, embedding.nearest(project, index, question, LOOKED_AT)])
    best = ranked[: k or project.settings.documents.passages]
    found = passages.get_many(index, [number for number, _ in best])
    return [_passage(found[number], score) for number, score in best]


def passages_in(store: Store, text: str) -> list[Passage]:
    """Return which passages were put into a text of an example, as they were then."""
    return [Passage(*each, 0.0) for each in inserted_passages.standing_in(store, text)]


def _passage(stored: StoredPassage, score: float) -> Passage:
    return Passage(stored.name, stored.first, stored.last, stored.heading, stored.text, score, stored.id)
