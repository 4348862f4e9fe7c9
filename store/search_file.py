"""The file of the full-text index, beside the project's own: attached for reading, and made anew when it is no use."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote_from_bytes

from store.folder_lock import alone_in

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
    connection.execute("ATTACH ? AS search", (_uri(index, "ro"),))
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS attached (inode INTEGER NOT NULL)")
    connection.execute("DELETE FROM temp.attached")
    connection.execute("INSERT INTO temp.attached VALUES (?)", (_inode(index),))


def renew(path: Path, connection: sqlite3.Connection) -> None:
    """Attach the index that is in its place now, if the one that is attached was deleted or replaced meanwhile."""
    (attached,) = connection.execute("SELECT inode FROM temp.attached").fetchone()
    if connection.in_transaction or _inode(beside(path)) == attached:
        return
    try:
        connection.execute("DETACH search")
    except sqlite3.OperationalError:
        # A statement is still being read; the next look may find none.
        return
    attach(path, connection)


def _inode(index: Path) -> int | None:
    try:
        return index.stat().st_ino
    except FileNotFoundError:
        return None


def make_anew(path: Path, connection: sqlite3.Connection) -> None:
    """Put an empty index in the place of one that is damaged, and attach it instead."""
    connection.execute("DETACH search")
    _replace(beside(path), keep_usable=False)
    attach(path, connection)


def is_damaged(error: sqlite3.Error) -> bool:
    """Tell whether an error means that a file is damaged, or that something which was in it is gone."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def for_writing(path: Path) -> str:
    """Return the URI that opens a project's index where there is one, and makes no empty file where there is none."""
    return _uri(beside(path), "rw")


def _uri(index: Path, mode: str) -> str:
    return f"file:{quote_from_bytes(os.fsencode(index))}?mode={mode}"


def _is_usable(index: Path) -> bool:
    if not index.exists():
        return False
    try:
        connection = sqlite3.connect(_uri(index, "ro"), uri=True)
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
    with alone_in(index.parent):
        if keep_usable and _is_usable(index):  # another process was faster
            return
        part = index.with_name(f"{FILE}.part")
        for name in (part, *(index.with_name(FILE + end) for end in ("-wal", "-shm", ".part-journal", ".part-wal"))):
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
