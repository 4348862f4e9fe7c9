"""Sources and their records: every row exactly as it was read, bad ones with the reason."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from store.database import Store, now
from store.errors import MissingRowError
from store.inserting import insert_many
from store.quoting import loads_texts

SourceState = Literal["importing", "complete"]


@dataclass(frozen=True)
class Source:
    """One file that was imported."""

    id: int
    name: str
    path: str
    container: str
    """How rows lie in the file: jsonl, json, csv, parquet, arrow or text."""
    format: str
    """The data set shape that was recognised, or `plain`."""
    sha256: str
    """Of the file's bytes; empty until all of it was read."""
    size: int
    """Bytes."""
    mapping: str | None
    imported_at: str
    encoding: str = "utf-8"
    compression: str = ""
    """`gzip`, `zstd` or empty."""
    rows: int = 0
    """How many records it has so far."""
    state: SourceState = "complete"
    """`importing` while rows come in, and after that when the import was stopped."""
    split: str | None = None
    """Where its new prompts were to go; None where the project's rules decided."""


class NewRecord(NamedTuple):
    """A row that was just read, before it has an id."""

    line: int
    """Line in the file, from 1; the row's number where the file has no lines."""
    raw: str | bytes
    """The row's own text; bytes where it is no valid text."""
    fields: dict[str, Any] | None
    """The row's fields, None where it can't be parsed."""
    hash: bytes
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
    length: int = 0
    """Characters of `raw`; bytes where it is no valid text."""
    duplicate_of: int | None = None
    """The first record with the same bytes, where this one is not the first."""
    note: str = ""


def add_source(
    store: Store,
    *,
    name: str,
    path: str,
    container: str,
    format: str,
    size: int,
    sha256: str = "",
    mapping: str | None = None,
    encoding: str = "utf-8",
    compression: str = "",
    split: str | None = None,
) -> int:
    """Note a file whose records are about to be added; return its id. `finish_source` says when all are in."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO source (name, path, container, format, sha256, size, mapping, imported_at, encoding,"
            " compression, split, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'importing')",
            (name, path, container, format, sha256, size, mapping, now(), encoding, compression, split),
        )
    return _new_id(cursor)


def finish_source(store: Store, source_id: int, sha256: str) -> None:
    """Note that all rows of a file are in, and what its bytes were."""
    with store.transaction() as connection:
        connection.execute("UPDATE source SET state = 'complete', sha256 = ? WHERE id = ?", (sha256, source_id))


def source(store: Store, source_id: int) -> Source:
    """Return one source.

    Raises:
        MissingRowError: there is no source of that id.
    """
    row = store.connection.execute(f"SELECT {_SOURCE_COLUMNS} FROM source WHERE id = ?", (source_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no source {source_id} in this project.")
    return Source(*row)


def sources_of_size(store: Store, size: int) -> list[Source]:
    """Return the sources of files with as many bytes, oldest first: only these can be the same file."""
    rows = store.connection.execute(f"SELECT {_SOURCE_COLUMNS} FROM source WHERE size = ? ORDER BY id", (size,))
    return [Source(*row) for row in rows]


def sources(store: Store) -> list[Source]:
    """Return all sources, oldest first."""
    rows = store.connection.execute(f"SELECT {_SOURCE_COLUMNS} FROM source ORDER BY id")
    return [Source(*row) for row in rows]


def add(store: Store, source_id: int, rows: Iterable[NewRecord]) -> range:
    """Add records; return their ids, which follow each other."""
    with store.transaction() as connection:
        fields_in_raw = _source_is_json(connection, source_id)
        first = connection.execute("SELECT COALESCE(MAX(id), 0) FROM record").fetchone()[0] + 1
        records, texts = [], []
        for number, (line, raw, fields, digest, error, problem) in enumerate(rows, first):
            # A JSON row's text already says its fields; storing them again would double the file.
            kept = None if fields is None or fields_in_raw else json.dumps(fields)
            records.append((number, line, len(raw), digest, error, problem))
            texts.append((number, raw, kept))
        columns = "id, line, length, hash, error, problem"
        insert_many(connection, "record", columns, records, source_id=source_id)
        insert_many(connection, "record_text", "record_id, raw, fields", texts)
        connection.execute("UPDATE source SET rows = rows + ? WHERE id = ?", (len(records), source_id))
    return range(first, first + len(records))


def _source_is_json(connection: sqlite3.Connection, source_id: int) -> bool:
    row = connection.execute("SELECT container FROM source WHERE id = ?", (source_id,)).fetchone()
    return row is not None and row[0] not in ("csv", "text")


def hashes_of_source(store: Store, source_id: int) -> Iterator[bytes]:
    """Yield the hashes of a source's records in order, read in pages."""
    last = 0
    while True:
        rows = store.connection.execute(
            "SELECT id, hash FROM record WHERE source_id = ? AND id > ? ORDER BY id LIMIT 10000", (source_id, last)
        ).fetchall()
        if not rows:
            return
        yield from (row[1] for row in rows)
        last = rows[-1][0]


def first_of_source(store: Store, source_id: int, number: int) -> list[Record]:
    """Return so many of a source's records, in order."""
    rows = store.connection.execute(
        f"{_SELECT_RECORD} WHERE r.source_id = ? ORDER BY r.id LIMIT ?", (source_id, number)
    )
    return [_record(row) for row in rows]


def without_example(store: Store, source_id: int, *, page: int = 500) -> Iterator[Record]:
    """Yield those of a source's records that made no example, read in pages so that the caller may write in between."""
    no_example = "NOT EXISTS (SELECT 1 FROM example e WHERE e.record_id = r.id)"
    return _pages(store, f"r.source_id = :source AND {no_example}", page, {"source": source_id})


def with_problems(store: Store, *, page: int = 500) -> Iterator[Record]:
    """Yield the records that can't be parsed or mean less than they seem to, in order, read in pages."""
    return _pages(store, "(r.error IS NOT NULL OR r.problem IS NOT NULL)", page, {})


def _pages(store: Store, condition: str, page: int, values: dict[str, int]) -> Iterator[Record]:
    last = 0
    while True:
        rows = store.connection.execute(
            f"{_SELECT_RECORD} WHERE {condition} AND r.id > :last ORDER BY r.id LIMIT :page",
            {**values, "last": last, "page": page},
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


def glimpse_many(store: Store, record_ids: list[int], most: int) -> dict[int, Record]:
    """Return the records of these ids (a screenful) for a look at them, however long they are.

    Of a record longer than `most` only the beginning of its text comes, and no fields.
    """
    marks = ",".join("?" * len(record_ids))
    rows = store.connection.execute(
        f"SELECT r.id, r.source_id, s.name, r.line, {_SHORT_RAW}, {_SHORT_FIELDS}, r.error, r.flagged, r.excluded,"
        " r.problem, r.length, r.duplicate_of, r.note, typeof(t.raw) FROM record r"
        " JOIN record_text t ON t.record_id = r.id JOIN source s ON s.id = r.source_id"
        f" WHERE r.id IN ({marks})",
        (most, most, *record_ids),
    ).fetchall()
    found = {}
    for *row, kind in rows:
        if row[4] is None:
            beginning = _beginning(store, row[0], most)
            row[4] = beginning if kind == "blob" else beginning.decode(errors="ignore")
            found[row[0]] = _record(row, parse=False)
        else:
            found[row[0]] = _record(row)
    return found


def fields_of(store: Store, record_ids: Sequence[int]) -> Iterator[dict[str, Any] | None]:
    """Yield the fields of some hundreds of records, one after another; None for a row that can't be parsed."""
    marks = ",".join("?" * len(record_ids))
    rows = store.connection.execute(
        "SELECT r.error, COALESCE(t.fields, t.raw), t.fields IS NULL FROM record r"
        f" JOIN record_text t ON t.record_id = r.id WHERE r.id IN ({marks})",
        tuple(record_ids),
    )
    for error, text, is_raw in rows:
        yield None if error and is_raw else loads_texts(text)


def _beginning(store: Store, record_id: int, size: int) -> bytes:
    """Return the first bytes of a record's text; the rest of it, perhaps 100 MB, is not read."""
    with store.connection.blobopen("record_text", "raw", record_id, readonly=True) as raw:
        return raw.read(size)


def span(store: Store) -> range:
    """Return the ids of all records in order: they follow each other, since no record is ever taken away."""
    return range(1, store.connection.execute("SELECT COALESCE(MAX(id), 0) FROM record").fetchone()[0] + 1)


def count(store: Store) -> int:
    """Return how many records the project has."""
    return int(store.connection.execute("SELECT COALESCE(SUM(rows), 0) FROM source").fetchone()[0])


def set_flagged(store: Store, record_id: int, flagged: bool) -> None:
    """Mark a record for a second look, or take the mark off."""
    with store.transaction() as connection:
        connection.execute("UPDATE record SET flagged = ? WHERE id = ?", (flagged, record_id))


def set_excluded(store: Store, record_id: int, excluded: bool) -> None:
    """Keep a record and what came of it out of snapshots, or let it in again."""
    with store.transaction() as connection:
        connection.execute("UPDATE record SET excluded = ? WHERE id = ?", (excluded, record_id))


def set_note(store: Store, record_id: int, note: str) -> None:
    """Keep what somebody wrote about a record; an empty note takes it off."""
    with store.transaction() as connection:
        connection.execute("UPDATE record SET note = ? WHERE id = ?", (note, record_id))


_SOURCE_COLUMNS = (
    "id, name, path, container, format, sha256, size, mapping, imported_at, encoding, compression, rows, state, split"
)

_SHORT_RAW, _SHORT_FIELDS = (f"CASE WHEN r.length <= ? THEN t.{name} END" for name in ("raw", "fields"))

_SELECT_RECORD = (
    "SELECT r.id, r.source_id, s.name, r.line, t.raw, t.fields, r.error, r.flagged, r.excluded, r.problem, r.length,"
    " r.duplicate_of, r.note FROM record r JOIN record_text t ON t.record_id = r.id JOIN source s ON s.id = r.source_id"
)


def _record(row: Sequence[Any], *, parse: bool = True) -> Record:
    record_id, source_id, name, line, raw, fields, error, flagged, excluded, problem, length, duplicate_of, note = row
    parsed = None
    if parse and (fields is not None or not error):
        parsed = json.loads(raw if fields is None else fields)
    return Record(
        record_id,
        source_id,
        name,
        line,
        raw,
        parsed,
        error,
        bool(flagged),
        bool(excluded),
        problem,
        length,
        duplicate_of,
        note,
    )


def _new_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
