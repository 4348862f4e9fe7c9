"""Files of derived data beside the project's own: attached for reading, and made anew when they are no use."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from store.folder_lock import alone_in


@dataclass(frozen=True)
class DerivedFile:
    """What one of these files is called and consists of."""

    file: str
    name: str
    """What its tables are found under once it is attached."""
    application: int
    """Marks the file as ours: any other database may have the same version number."""
    version: int
    tables: str
    """The statements that make it."""
    check: str
    """A statement that gives a row if its tables are there."""

    def beside(self, path: Path) -> Path:
        """Return the file of a project; absolute, because SQLite may take a relative path for a URI."""
        return path.absolute().with_name(self.file)

    def attach(self, path: Path, connection: sqlite3.Connection) -> None:
        """Let a connection to the project's file read the one beside it.

        It is attached for reading only: a write of the connection then never waits for this file's lock.
        """
        beside = self.beside(path)
        if not self._is_usable(beside):
            self._replace(beside, keep_usable=True)
        connection.execute(f"ATTACH ? AS {self.name}", (_uri(beside, "ro"),))
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS attached (name TEXT PRIMARY KEY, inode INTEGER)")
        connection.execute("INSERT OR REPLACE INTO temp.attached VALUES (?, ?)", (self.name, inode_of(beside)))

    def renew(self, path: Path, connection: sqlite3.Connection) -> None:
        """Attach the file that is in its place now, if the one that is attached was deleted or replaced meanwhile."""
        row = connection.execute("SELECT inode FROM temp.attached WHERE name = ?", (self.name,)).fetchone()
        if connection.in_transaction or inode_of(self.beside(path)) == row[0]:
            return
        if not path.exists():
            # The whole project is gone: what is open can still be read, and a write says so.
            return
        try:
            connection.execute(f"DETACH {self.name}")
        except sqlite3.OperationalError:
            # A statement is still being read; the next look may find none.
            return
        self.attach(path, connection)

    def make_anew(self, path: Path, connection: sqlite3.Connection) -> None:
        """Put an empty file in the place of one that is damaged, and attach it instead."""
        connection.execute(f"DETACH {self.name}")
        self._replace(self.beside(path), keep_usable=False)
        self.attach(path, connection)

    def for_writing(self, path: Path) -> str:
        """Return the URI that opens the file where there is one, and makes no empty file where there is none."""
        return _uri(self.beside(path), "rw")

    def made(self, path: Path) -> str:
        """Return the URI that opens the file for writing, which is made where there is none that can be used."""
        if not self._is_usable(self.beside(path)):
            self._replace(self.beside(path), keep_usable=True)
        return self.for_writing(path)

    def _is_usable(self, beside: Path) -> bool:
        if not beside.exists():
            return False
        try:
            connection = sqlite3.connect(_uri(beside, "ro"), uri=True)
            try:
                made_by = (
                    connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
                )
                is_ours = tuple(made_by) == (self.application, self.version)
                return is_ours and connection.execute(self.check).fetchone() is not None
            finally:
                connection.close()
        except sqlite3.Error:
            return False

    def _replace(self, beside: Path, *, keep_usable: bool) -> None:
        """Make an empty file aside and move it into its place, so that another process never sees half of one."""
        with alone_in(beside.parent):
            if keep_usable and self._is_usable(beside):  # another process was faster
                return
            part = beside.with_name(f"{self.file}.part")
            ends = ("-wal", "-shm", ".part-journal", ".part-wal")
            for name in (part, *(beside.with_name(self.file + end) for end in ends)):
                name.unlink(missing_ok=True)
            part.touch(mode=0o600)
            connection = sqlite3.connect(part, isolation_level=None)
            try:
                connection.execute("PRAGMA page_size=8192")
                connection.executescript(self.tables)
                connection.execute(f"PRAGMA application_id={self.application}")
                connection.execute(f"PRAGMA user_version={self.version}")
                connection.execute("PRAGMA journal_mode=WAL")
            finally:
                connection.close()
            part.replace(beside)


def is_damaged(error: sqlite3.Error) -> bool:
    """Tell whether an error means that a file is damaged, or that something which was in it is gone."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def inode_of(file: Path) -> int | None:
    """Return what tells a file from another in its place; None where there is none."""
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        return None


def _uri(file: Path, mode: str) -> str:
    return f"file:{quote_from_bytes(os.fsencode(file))}?mode={mode}"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Group writes to a derived file: all of them or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
