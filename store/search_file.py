"""The file of the full-text index, beside the project's own: attached for reading, and made anew when it is no use."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_from_bytes

FILE = "search.db"
APPLICATION = 0x54756E65
"""Marks the file as ours: any other database may have the same version number."""
VERSION = 1

HASH_BYTES = 32 << 20
"""What FTS5 gathers in memory before it writes a segment; its own 1 MiB takes twice the time."""

_SCHEMA = f"""
CREATE VIRTUAL TABLE record_fts USING fts5(text, content='', tokenize='unicode61');
INSERT INTO record_fts(record_fts, rank) VALUES ('hashsize', {HASH_BYTES});
CREATE VIRTUAL TABLE example_fts USING fts5(text, tokenize='unicode61');
CREATE TABLE progress (record_id INTEGER NOT NULL, hash BLOB, mark TEXT NOT NULL);
INSERT INTO progress VALUES (0, NULL, '');
PRAGMA application_id={APPLICATION};
PRAGMA user_version={VERSION};
"""


def beside(path: Path) -> Path:
    """Return the index of a project's file; absolute, because SQLite may take a relative path for a URI."""
    return path.absolute().with_name(FILE)


def attach(path: Path, connection: sqlite3.Connection) -> None:
    """Let a connection to the project's file read the index beside it, as the schema `search`.

    It is attached for reading only: a write of the connection then never waits for the index's lock.
    """
    index = beside(path)
    if not _is_usable(index):
        _replace(index, keep_usable=True)
    connection.execute("ATTACH ? AS search", (_read_only(index),))


def make_anew(path: Path, connection: sqlite3.Connection) -> None:
    """Put an empty index in the place of one that is damaged, and attach it instead."""
    connection.execute("DETACH search")
    _replace(beside(path), keep_usable=False)
    attach(path, connection)


def is_damaged(error: sqlite3.Error) -> bool:
    """Tell whether an error means that a file is damaged, or that something which was in it is gone."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def _read_only(index: Path) -> str:
    return f"file:{quote_from_bytes(os.fsencode(index))}?mode=ro"


def _is_usable(index: Path) -> bool:
    if not index.exists():
        return False
    try:
        connection = sqlite3.connect(_read_only(index), uri=True)
        try:
            made_by = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
            return tuple(made_by) == (APPLICATION, VERSION) and _has_tables(connection)
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def _has_tables(connection: sqlite3.Connection) -> bool:
    connection.execute("SELECT 1 FROM record_fts, example_fts LIMIT 0")
    return connection.execute("SELECT record_id FROM progress").fetchone() is not None


def _replace(index: Path, *, keep_usable: bool) -> None:
    """Make an empty index aside and move it into its place, so that another process never sees half of one."""
    with _alone_in(index.parent):
        if keep_usable and _is_usable(index):  # another process was faster
            return
        part = index.with_name(f"{FILE}.part-{os.getpid()}")
        for name in (part, *(index.with_name(FILE + end) for end in ("-wal", "-shm"))):
            name.unlink(missing_ok=True)
        part.touch(mode=0o600)
        connection = sqlite3.connect(part, isolation_level=None)
        try:
            connection.execute("PRAGMA page_size=8192")
            connection.executescript(_SCHEMA)
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
        part.replace(index)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
