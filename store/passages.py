"""Passages of a project's documents in a file of their own, which can be made anew from the documents."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from store.database import BUSY_TIMEOUT_MS, explain
from store.derived_file import is_damaged, transaction
from store.errors import StoreError
from store.passages_file import PASSAGES
from store.unspaced import apart


class Document(NamedTuple):
    """A file as it was when it was last read."""

    id: int
    name: str
    size: int
    changed_ns: int
    hash: bytes
    cut: str
    """How it was cut into passages: another size asks for another cut."""
    problem: str
    """Why nothing of it could be read; empty where it could."""


class StoredPassage(NamedTuple):
    """Some lines of a document."""

    id: int
    name: str
    first: int
    last: int
    heading: str
    text: str


class Cut(NamedTuple):
    """A passage that was just cut out of a document."""

    first: int
    last: int
    heading: str
    text: str


_DOCUMENTS = "SELECT id, name, size, changed_ns, hash, cut, problem FROM document"


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the index beside a project's database; one that is absent, damaged or of another version is made anew.

    Raises:
        StoreError: the file can't be used.
    """
    beside = PASSAGES.beside(database)
    try:
        uri = PASSAGES.made(database)
        connection = sqlite3.connect(uri, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000, uri=True)
        try:
            connection.execute("PRAGMA synchronous=NORMAL")
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        if not is_damaged(error):
            raise explain(beside, error) from error
        aside = beside.with_name(f"{beside.name}.damaged")
        beside.replace(aside)
        raise StoreError(f"{beside} was damaged; it lies in {aside.name} now, and is made anew next time.") from error


def documents(index: sqlite3.Connection) -> dict[str, Document]:
    """Return what is indexed, by name."""
    return {row[1]: Document(*row) for row in index.execute(f"{_DOCUMENTS} ORDER BY name")}


def document(index: sqlite3.Connection, name: str) -> Document | None:
    """Return the document of a name; None where it is not indexed."""
    row = index.execute(f"{_DOCUMENTS} WHERE name = ?", (name,)).fetchone()
    return None if row is None else Document(*row)


def counts(index: sqlite3.Connection) -> dict[str, int]:
    """Return how many passages each document has."""
    return dict(
        index.execute("SELECT d.name, COUNT(*) FROM document d JOIN passage p ON p.document_id = d.id GROUP BY d.id")
    )


def put(index: sqlite3.Connection, document: Document, cuts: Iterable[Cut]) -> None:
    """Keep a document with its passages, in the place of what it was before."""
    with transaction(index):
        _take_away(index, document.name)
        added = index.execute(
            "INSERT INTO document (name, size, changed_ns, hash, cut, problem) VALUES (?, ?, ?, ?, ?, ?)", document[1:]
        ).lastrowid
        for cut in cuts:
            passage = index.execute(
                "INSERT INTO passage (document_id, first, last, heading, text) VALUES (?, ?, ?, ?, ?)", (added, *cut)
            ).lastrowid
            words = apart(f"{cut.heading}\n{cut.text}")
            index.execute("INSERT INTO passage_fts (rowid, text) VALUES (?, ?)", (passage, words))


def touch(index: sqlite3.Connection, name: str, size: int, changed_ns: int) -> None:
    """Note that a document was written anew, with the bytes that it had."""
    index.execute("UPDATE document SET size = ?, changed_ns = ? WHERE name = ?", (size, changed_ns, name))


def remove(index: sqlite3.Connection, name: str) -> None:
    """Forget a document that is gone."""
    with transaction(index):
        _take_away(index, name)


def by_words(index: sqlite3.Connection, expression: str, most: int) -> list[tuple[int, float]]:
    """Return the passages that fit an expression of the full-text index best, with how well; more is better."""
    rows = index.execute(
        "SELECT rowid, -rank FROM passage_fts WHERE passage_fts MATCH ? ORDER BY rank, rowid LIMIT ?",
        (expression, most),
    )
    return [(int(number), float(score)) for number, score in rows]


def get_many(index: sqlite3.Connection, ids: list[int]) -> dict[int, StoredPassage]:
    """Return the passages of these ids, by id."""
    marks = ",".join("?" * len(ids))
    rows = index.execute(
        "SELECT p.id, d.name, p.first, p.last, p.heading, p.text FROM passage p JOIN document d ON d.id = p.document_id"
        f" WHERE p.id IN ({marks})",
        ids,
    )
    return {row[0]: StoredPassage(*row) for row in rows}


def without_embedding(index: sqlite3.Connection, model: str, most: int) -> list[tuple[int, str]]:
    """Return the next passages that a model has not embedded, with what it is to read."""
    rows = index.execute(
        "SELECT p.id, trim(p.heading || char(10) || p.text, char(10)) FROM passage p"
        " LEFT JOIN embedding e ON e.passage_id = p.id AND e.model = ? WHERE e.passage_id IS NULL LIMIT ?",
        (model, most),
    )
    return rows.fetchall()


def put_embeddings(index: sqlite3.Connection, model: str, vectors: Iterable[tuple[int, bytes]]) -> None:
    """Keep the vectors of passages, as 32-bit numbers."""
    with transaction(index):
        index.executemany(
            "INSERT OR REPLACE INTO embedding (passage_id, model, vector) VALUES (?, ?, ?)",
            ((number, model, vector) for number, vector in vectors),
        )


def embeddings(index: sqlite3.Connection, model: str) -> tuple[list[int], bytes]:
    """Return the passages that a model has embedded, and all their vectors one after the other."""
    rows = index.execute("SELECT passage_id, vector FROM embedding WHERE model = ? ORDER BY 1", (model,)).fetchall()
    return [row[0] for row in rows], b"".join(row[1] for row in rows)


def _take_away(index: sqlite3.Connection, name: str) -> None:
    old = "SELECT p.id FROM passage p JOIN document d ON d.id = p.document_id WHERE d.name = ?"
    for table, column in (("passage_fts", "rowid"), ("embedding", "passage_id"), ("passage", "id")):
        index.execute(f"DELETE FROM {table} WHERE {column} IN ({old})", (name,))
    index.execute("DELETE FROM document WHERE name = ?", (name,))
