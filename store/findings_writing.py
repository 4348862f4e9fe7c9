"""Keeping what checks found: by a connection of its own, so that no verdict ever waits for it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from store import noted_blocks
from store.database import Store, now
from store.derived_file import transaction
from store.facts import Kind
from store.findings_file import FINDINGS

WAIT_SECONDS = 60
MOST_DETAILS = 10
"""Things that one check may find in one row; what comes after says nothing new."""
LONGEST_DETAIL = 300
LONGEST_NOTE = 4000


class Looked(NamedTuple):
    """An example that was looked at."""

    example_id: int
    state: str
    features: list[Any] | None
    """What was noted of it, its id first, as JSON can hold it; None where nothing could be."""
    found: list[tuple[str, str]]
    """Names of checks, with what they found."""


@contextmanager
def writing(store: Store) -> Iterator[sqlite3.Connection]:
    """Open the file of findings for writing."""
    uri = FINDINGS.for_writing(store.path)
    connection = sqlite3.connect(uri, isolation_level=None, timeout=WAIT_SECONDS, uri=True)
    try:
        # What a power cut takes away is looked at again.
        connection.execute("PRAGMA synchronous=NORMAL")
        yield connection
    finally:
        connection.close()


def begin(file: sqlite3.Connection, basis: str, last_example: int) -> None:
    """Forget what was found on another basis, and about examples that are there no more."""
    with transaction(file):
        if file.execute("SELECT basis FROM run").fetchone() != (basis,):
            for table in ("looked", "noted", "finding", "checked"):
                file.execute(f"DELETE FROM {table}")
            file.execute("UPDATE run SET basis = ?, mark = '', sum = '', ended_at = NULL", (basis,))
        file.execute("DELETE FROM looked WHERE example_id > ?", (last_example,))
        if noted_blocks.forget_after(file, last_example):
            set_sum_of_noted(file, "")
        file.execute("DELETE FROM finding WHERE kind = 'example' AND row_id > ?", (last_example,))


def declare(file: sqlite3.Connection, checks: Iterable[tuple[str, Kind]]) -> None:
    """Say which checks are run; what others found is forgotten."""
    with transaction(file):
        known: dict[str, str] = dict(file.execute("SELECT name, note FROM checked"))
        file.execute("DELETE FROM checked")
        file.executemany(
            "INSERT INTO checked VALUES (?, ?, ?)", ((name, kind, known.get(name, "")) for name, kind in checks)
        )
        file.execute("DELETE FROM finding WHERE name NOT IN (SELECT name FROM checked)")


def keep(file: sqlite3.Connection, looked: list[Looked], checks: Iterable[str]) -> None:
    """Keep what these checks of single examples found, in the place of what they found there before."""
    marks = ",".join("?" * len(names := list(checks)))
    with transaction(file):
        states = ((each.example_id, each.state) for each in looked)
        file.executemany("INSERT OR REPLACE INTO looked VALUES (?, ?)", states)
        noted_blocks.keep(file, {each.example_id: each.features for each in looked})
        set_sum_of_noted(file, "")
        file.executemany(
            f"DELETE FROM finding WHERE kind = 'example' AND row_id = ? AND name IN ({marks})",
            ((each.example_id, *names) for each in looked),
        )
        rows = ((name, each.example_id, detail) for each in looked for name, detail in each.found)
        file.executemany(_INSERT, _numbered("example", rows))


def replace(file: sqlite3.Connection, kind: Kind, name: str, found: Iterable[tuple[int, str]], note: str) -> None:
    """Keep what a check of all rows found, in the place of what it found before."""
    with transaction(file):
        file.execute("DELETE FROM finding WHERE kind = ? AND name = ?", (kind, name))
        file.executemany(_INSERT, _numbered(kind, ((name, row_id, detail) for row_id, detail in found)))
        file.execute("UPDATE checked SET note = ? WHERE name = ?", (_text(note, LONGEST_NOTE), name))


def sum_of_noted(file: sqlite3.Connection) -> str:
    """Return by what sum the checks of all examples together were last run on what is noted; empty where not yet."""
    return str(file.execute("SELECT sum FROM run").fetchone()[0])


def set_sum_of_noted(file: sqlite3.Connection, noted: str) -> None:
    """Note the sum of all that the checks of all examples together looked at besides; empty where they must again."""
    file.execute("UPDATE run SET sum = ?", (noted,))


def finish(file: sqlite3.Connection, mark: str, examples: int, records: int) -> None:
    """Note that all checks were run to their end, on the data of this mark."""
    with transaction(file):
        file.execute(
            "UPDATE run SET mark = ?, ended_at = ?, examples = ?, records = ?", (mark, now(), examples, records)
        )
    # Nobody else's close would take the log away.
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


_INSERT = "INSERT INTO finding (kind, name, row_id, number, detail) VALUES (?, ?, ?, ?, ?)"


def _numbered(kind: Kind, found: Iterable[tuple[str, int, str]]) -> Iterator[tuple[Kind, str, int, int, str]]:
    counts: dict[tuple[str, int], int] = {}
    for name, row_id, detail in found:
        number = counts.get((name, row_id), 0)
        if number < MOST_DETAILS:
            yield kind, name, row_id, number, _text(detail)
        counts[name, row_id] = number + 1


def _text(detail: str, longest: int = LONGEST_DETAIL) -> str:
    """Return a text that SQLite can hold, cut where it is too long: halves of characters are none."""
    text = detail if len(detail) <= longest else f"{detail[: longest - 4]} ..."
    return text.encode(errors="replace").decode()
