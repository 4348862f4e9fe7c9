"""Bringing a file up to date: the numbered steps of `store.schema`, run once and in order, after a copy is made."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlite_utils

from store.folder_lock import alone_in
from store.schema.step_1 import first_schema
from store.schema.step_2 import a_million_rows
from store.schema.step_3 import notes_on_records
from store.schema.step_4 import labelling_for_an_hour
from store.schema.step_5 import runs_to_compare
from store.schema.step_6 import chats_and_passages
from store.upgrade import OnUpgrade, Upgrade

Migration = Callable[[sqlite_utils.Database], None]

STEPS_BETWEEN_LOOKS = 1_000_000
"""Steps of SQLite's machine after which it is looked how far a copy is."""

SECONDS_BETWEEN_WORDS = 0.5


def migrate(path: Path, connection: sqlite3.Connection, say: OnUpgrade) -> None:
    """Bring the file up to date; a copy is left beside a file that held anything.

    Two processes may open an old file at once: the version is read again under the write lock.
    """
    if (version := _version(connection)) > 0:
        # Before the wait for another process that does the same.
        say(Upgrade(_backup(path, version), path.stat().st_size))
    with alone_in(path.parent):
        if 0 < (version := _version(connection)) < len(MIGRATIONS):  # else another process was faster
            _back_up(path, connection, version, say)
        # What a statement that changes every row could undo is as large as the file: too much for memory.
        connection.execute("PRAGMA temp_store=FILE")
        try:
            _run_missing(connection)
        finally:
            connection.execute("PRAGMA temp_store=MEMORY")


def _run_missing(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        db = sqlite_utils.Database(connection)
        for number in range(_version(connection) + 1, len(MIGRATIONS) + 1):
            MIGRATIONS[number - 1](db)
            connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
    except BaseException:
        # A full disk ends the transaction by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _backup(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.backup-{version}")


def _back_up(path: Path, connection: sqlite3.Connection, version: int, say: OnUpgrade) -> None:
    backup = _backup(path, version)
    part = backup.with_name(f"{backup.name}.part")
    _remove(part)  # of a process that was ended in the middle
    try:
        # SQLite fills an empty file that is there, so that the copy is private from its first byte.
        part.touch(mode=0o600)
        with _telling(connection, part, Upgrade(backup, path.stat().st_size), say):
            connection.execute("VACUUM INTO ?", (str(part),))
        part.replace(backup)
    finally:
        _remove(part)


@contextmanager
def _telling(connection: sqlite3.Connection, part: Path, begun: Upgrade, say: OnUpgrade) -> Iterator[None]:
    """Say from time to time how far a copy is; an interruption by the user ends it."""
    interrupted: list[BaseException] = []
    told = time.monotonic()

    def look() -> bool:
        nonlocal told
        try:
            if time.monotonic() - told >= SECONDS_BETWEEN_WORDS:
                told = time.monotonic()
                say(begun._replace(copied=min(part.stat().st_size / max(begun.size, 1), 1.0)))
        except BaseException as error:
            # SQLite takes only its own errors through.
            interrupted.append(error)
        return bool(interrupted)

    connection.set_progress_handler(look, STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError:
        if interrupted:
            raise interrupted[0] from None
        raise
    finally:
        connection.set_progress_handler(None, 0)


def _remove(part: Path) -> None:
    for name in (part, part.with_name(f"{part.name}-journal")):
        name.unlink(missing_ok=True)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


MIGRATIONS: tuple[Migration, ...] = (
    first_schema,
    a_million_rows,
    notes_on_records,
    labelling_for_an_hour,
    runs_to_compare,
    chats_and_passages,
)
