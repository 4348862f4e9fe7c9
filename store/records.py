"""Sources and their records: every row exactly as it was read, bad ones with the reason."""

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from store.database import Store, now
from store.errors import MissingRowError


@dataclass(frozen=True)
class Source:
    """One file that was imported."""

    id: int
    name: str
    path: str
    container: str
    """How rows lie in the file: jsonl, json, csv or parquet."""
    format: str
    """The data set shape that was recognised, or `plain`."""
    sha256: str
    size: int
    """Bytes."""
    mapping: str | None
    imported_at: str


@dataclass(frozen=True)
class NewRecord:
    """A row that was just read, before it has an id."""

    line: int
    """Line in the file, from 1; the row's number where the file has no lines."""
    raw: str | bytes
    """The row's own text; bytes where it is no valid text."""
    fields: dict[str, Any] | None
    """The row's fields, None where it can't be parsed."""
    hash: bytes
    search_text: str
    error: str | None = None
    """Why the row can't be parsed."""
    problem: str | None = None
    """Why a row that was parsed made no example, or less than it seems to hold."""


@dataclass(frozen=True)
class Record:
    """A stored row."""

    id: int
    source_id: int
    source: str
    line: int
    raw: str | bytes
    fields: dict[str, Any] | None
    error: str | None
    flagged: bool
    excluded: bool
    problem: str | None = None


@dataclass(frozen=True)
class RecordQuery:
    """Which records; the default is all of them, in the order they were read."""

    text: str = ""
    """Words that must all occur; quoted phrases stay together."""
    source_id: int | None = None
    errors_only: bool = False
    """Only rows that can't be parsed, or that made no example for a reason worth a look."""
    flagged_only: bool = False


def add_source(
    store: Store,
    *,
    name: str,
    path: str,
    container: str,
    format: str,
    sha256: str,
    size: int,
    mapping: str | None = None,
) -> int:
    """Note a file whose records are about to be added; return its id."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO source (name, path, container, format, sha256, size, mapping, imported_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (name, path, container, format, sha256, size, mapping, now()),
        )
    return _new_id(cursor)


def source_with_hash(store: Store, sha256: str) -> Source | None:
    """Return the source that held exactly these bytes, if one was imported already."""
    row = store.connection.execute(
        f"SELECT {_SOURCE_COLUMNS} FROM source WHERE sha256 = ? ORDER BY id LIMIT 1", (sha256,)
    ).fetchone()
    return Source(*row) if row else None


def sources(store: Store) -> list[Source]:
    """Return all sources, oldest first."""
    rows = store.connection.execute(f"SELECT {_SOURCE_COLUMNS} FROM source ORDER BY id")
    return [Source(*row) for row in rows]


def add(store: Store, source_id: int, rows: Iterable[NewRecord]) -> list[int]:
    """Add records with their search text; return their ids in the same order."""
    ids: list[int] = []
    with store.transaction() as connection:
        fields_in_raw = _source_is_json(connection, source_id)
        next_id = connection.execute("SELECT COALESCE(MAX(id), 0) FROM record").fetchone()[0] + 1
        records, texts = [], []
        for row in rows:
            # A JSON row's text already says its fields; storing them again would double the file.
            fields = None if row.fields is None or fields_in_raw else json.dumps(row.fields)
            records.append((next_id, source_id, row.line, row.raw, fields, row.hash, row.error, row.problem))
            texts.append((next_id, row.search_text))
            ids.append(next_id)
            next_id += 1
        connection.executemany(
            "INSERT INTO record (id, source_id, line, raw, fields, hash, error, problem)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            records,
        )
        connection.executemany("INSERT INTO record_fts (rowid, text) VALUES (?, ?)", texts)
    return ids


def _source_is_json(connection: sqlite3.Connection, source_id: int) -> bool:
    row = connection.execute("SELECT container FROM source WHERE id = ?", (source_id,)).fetchone()
    return row is not None and row[0] != "csv"


def duplicates(store: Store, source_id: int) -> int:
    """Return how many of a source's rows repeat an earlier row of the project, byte for byte."""
    row = store.connection.execute(
        "SELECT COUNT(*) FROM record r WHERE r.source_id = ?"
        " AND EXISTS (SELECT 1 FROM record o WHERE o.hash = r.hash AND o.id < r.id)",
        (source_id,),
    ).fetchone()
    return int(row[0])


def of_source(store: Store, source_id: int, *, page: int = 500) -> Iterator[Record]:
    """Yield a source's records in order, read in pages so that the caller may write in between."""
    last = 0
    while True:
        rows = store.connection.execute(
            f"{_SELECT_RECORD} WHERE r.source_id = ? AND r.id > ? ORDER BY r.id LIMIT ?", (source_id, last, page)
        ).fetchall()
        if not rows:
            return
        yield from (_record(row) for row in rows)
        last = rows[-1][0]


def set_problem(store: Store, record_id: int, problem: str | None) -> None:
    """Note why a record made no example, or that it made one now."""
    with store.transaction() as connection:
        connection.execute("UPDATE record SET problem = ? WHERE id = ?", (problem, record_id))


def set_format(store: Store, source_id: int, format: str, mapping: str | None) -> None:
    """Note how a source's records were read when that was decided after the import."""
    with store.transaction() as connection:
        connection.execute("UPDATE source SET format = ?, mapping = ? WHERE id = ?", (format, mapping, source_id))


def get(store: Store, record_id: int) -> Record:
    """Return one record.

    Raises:
        MissingRowError: there is no record of that id.
    """
    row = store.connection.execute(f"{_SELECT_RECORD} WHERE r.id = ?", (record_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no record {record_id} in this project.")
    return _record(row)


def get_many(store: Store, record_ids: list[int]) -> dict[int, Record]:
    """Return the records of these ids (a screenful), by id."""
    marks = ",".join("?" * len(record_ids))
    rows = store.connection.execute(f"{_SELECT_RECORD} WHERE r.id IN ({marks})", record_ids)
    return {row[0]: _record(row) for row in rows}


def ids(store: Store, query: RecordQuery = RecordQuery()) -> "array[int]":
    """Return the ids of the records that match, in order; eight bytes each."""
    where, values = _where(query)
    rows = store.connection.execute(f"SELECT id FROM record WHERE {where} ORDER BY id", values)
    return array("q", (row[0] for row in rows))


def count(store: Store, query: RecordQuery = RecordQuery()) -> int:
    """Return how many records match."""
    where, values = _where(query)
    return int(store.connection.execute(f"SELECT COUNT(*) FROM record WHERE {where}", values).fetchone()[0])


def set_flagged(store: Store, record_id: int, flagged: bool) -> None:
    """Mark a record for a second look, or take the mark off."""
    with store.transaction() as connection:
        connection.execute("UPDATE record SET flagged = ? WHERE id = ?", (flagged, record_id))


def set_excluded(store: Store, record_id: int, excluded: bool) -> None:
    """Keep a record and what came of it out of snapshots, or let it in again."""
    with store.transaction() as connection:
        connection.execute("UPDATE record SET excluded = ? WHERE id = ?", (excluded, record_id))


def search_expression(text: str) -> str:
    """Turn what a person typed into an FTS5 query: all words, phrases in quotes, the last word open."""
    # A NUL would end the expression early, and half a surrogate pair can't be sent to SQLite at all.
    pieces = text.replace("\0", " ").encode(errors="replace").decode().split('"')
    terms: list[str] = []
    for index, piece in enumerate(pieces):
        is_phrase = index % 2 == 1
        words = [piece] if is_phrase else piece.split()
        terms.extend(f'"{word}"' for word in words if any(c.isalnum() for c in word))
    if terms and not text.rstrip().endswith('"'):
        terms[-1] += "*"
    return " ".join(terms)


_SOURCE_COLUMNS = "id, name, path, container, format, sha256, size, mapping, imported_at"

_SELECT_RECORD = (
    "SELECT r.id, r.source_id, s.name, r.line, r.raw, r.fields, r.error, r.flagged, r.excluded, r.problem"
    " FROM record r JOIN source s ON s.id = r.source_id"
)


def _where(query: RecordQuery) -> tuple[str, list[Any]]:
    clauses: list[str] = ["1"]
    values: list[Any] = []
    expression = search_expression(query.text)
    if expression:
        clauses.append("id IN (SELECT rowid FROM record_fts WHERE record_fts MATCH ?)")
        values.append(expression)
    if query.source_id is not None:
        clauses.append("source_id = ?")
        values.append(query.source_id)
    if query.errors_only:
        clauses.append("(error IS NOT NULL OR problem IS NOT NULL)")
    if query.flagged_only:
        clauses.append("flagged")
    return " AND ".join(clauses), values


def _record(row: tuple[Any, ...]) -> Record:
    record_id, source_id, source, line, raw, fields, error, flagged, excluded, problem = row
    parsed = json.loads(fields) if fields is not None else None if error else json.loads(raw)
    return Record(record_id, source_id, source, line, raw, parsed, error, bool(flagged), bool(excluded), problem)


def _new_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
