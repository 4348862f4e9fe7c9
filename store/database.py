"""Opening the project's SQLite file: pragmas, migrations, transactions."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from store.derived_file import inode_of
from store.errors import CorruptStoreError, NewerSchemaError, StoreError
from store.findings_file import FINDINGS
from store.search_file import SEARCH
from store.upgrade import OnUpgrade, silently

SCHEMA_VERSION = 6
"""The number of the newest migration; `PRAGMA user_version` of an up-to-date file."""

DERIVED = (SEARCH, FINDINGS)
"""What lies beside the file and can be made anew from it."""

BUSY_TIMEOUT_MS = 5_000
"""How long a write waits for another process's write before it fails."""

GIVE_WAY_SECONDS = 0.03
"""Longer than SQLite waits between two looks at the lock while it has not waited for a tenth of a second."""


@dataclass(frozen=True)
class Store:
    """An open project database; use it only in the thread that opened it."""

    path: Path
    connection: sqlite3.Connection
    inode: int
    """The file that was opened; another may be in its place by now, or none."""

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Group writes: all of them are on disk when the block ends, or none is.

        A block inside another joins it, so that functions which write can call each other.

        Raises:
            StoreError: the disk is full, another process writes for too long, or the file is damaged or gone.
        """
        if self.connection.in_transaction:
            yield self.connection
            return
        if inode_of(self.path) != self.inode:
            # SQLite would write to the file that nobody finds any more.
            raise StoreError(
                f"{self.path} was deleted, moved or replaced while it was open, so nothing can be saved; "
                "put it back, or leave and open the project again."
            )
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException as error:
            # A full disk ends the transaction by itself; a commit that fails leaves it open.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise explain(self.path, error) from error
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let every query of the block see the same state, whatever other processes write meanwhile."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def give_way(self) -> None:
        """Let others write, between two transactions of many.

        SQLite has no queue: who waits for the lock looks again every now and then, and would find it taken each time.
        """
        if not self.connection.in_transaction:
            time.sleep(GIVE_WAY_SECONDS)

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in when no one else has it open."""
        self.connection.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def now() -> str:
    """Return the present moment in UTC as ISO 8601 text with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def create_store(path: Path) -> Store:
    """Make a new database file, private to its owner, and open it.

    Raises:
        StoreError: the file is there already, or can't be made.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise StoreError(f"{path} exists already; open it instead of making it anew.") from None
    except OSError as error:
        raise StoreError(f"{path} can't be made: {error.strerror}.") from error
    return _open(path)


def open_store(path: Path, on_upgrade: OnUpgrade = silently) -> Store:
    """Open an existing database file, bringing an older schema up to date: of a large file that takes a while.

    Raises:
        NewerSchemaError: a newer version of the program wrote the file.
        CorruptStoreError: the file is no SQLite database, or is damaged.
        StoreError: the file is absent, another program's, or can't be opened.
    """
    if not path.is_file():
        raise StoreError(f"{path} is not there; make a project with `studio new`.")
    if not path.stat().st_size:
        raise _unusable(path, "it is empty")
    return _open(path, on_upgrade)


def explain(path: Path, error: sqlite3.Error) -> StoreError:
    """Return what an error of SQLite means for the person whose file it is."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_CORRUPT"):
        # SQLite does not say whether it means this file or one that is attached to it.
        files = " and ".join(each.file for each in DERIVED)
        first = f"delete {files} beside it, which are made anew; if that does not help, "
        return _unusable(path, str(error), first=first)
    if name.startswith("SQLITE_NOTADB"):
        return _unusable(path, str(error))
    if name.startswith("SQLITE_BUSY"):
        return StoreError(f"{path} is being written by another process; try again when it has ended.")
    if name.startswith("SQLITE_FULL"):
        return StoreError(
            f"{path} can't be written: {error}; free some space and do it again, nothing earlier is lost."
        )
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
        return StoreError(
            f"{path} can't be opened ({error}): it is also written beside it; "
            f"make {path.parent} writable, or copy the project to where you can write."
        )
    if name.startswith("SQLITE_IOERR"):
        return StoreError(
            f"{path} can't be read or written ({error}): the disk is full or failing; "
            "free some space and do it again, nothing earlier is lost."
        )
    return StoreError(f"{path} can't be used: {error}.")


def explained(path: Path, error: BaseException | None) -> StoreError | None:
    """Return what an error means where it is the file's, None where it is another."""
    if isinstance(error, StoreError):
        return error
    return explain(path, error) if isinstance(error, sqlite3.Error) else None


def _open(path: Path, on_upgrade: OnUpgrade = silently) -> Store:
    try:
        # URIs, because other files are attached by one; absolute, because a relative path may look like one.
        connection = sqlite3.connect(path.absolute(), isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000, uri=True)
        try:
            version = _known_version(path, connection)
            _set_up(connection)
            if version < SCHEMA_VERSION:
                _migrate(path.absolute(), connection, on_upgrade)
            for derived in DERIVED:
                derived.attach(path, connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explain(path, error) from error
    except OSError as error:
        raise StoreError(f"{path} can't be brought up to date: {error.strerror}.") from error
    return Store(path, connection, inode_of(path) or 0)


def _known_version(path: Path, connection: sqlite3.Connection) -> int:
    """Return the file's schema version, having written nothing yet to what may not be ours."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"{path} was written by a newer Tuning Studio (schema {version}, this version knows "
            f"{SCHEMA_VERSION}); update the program to open it."
        )
    if not version and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreError(f"{path} is the database of another program; move it away to make a project here.")
    return version


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    # Of a new file only: most rows of data are a kilobyte or more, and three of them fill a page of the usual size.
    connection.execute("PRAGMA page_size=8192")
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL, so that a verdict is on the disk, not only in the page cache, before it is shown as taken.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA temp_store=MEMORY")
    # Room for the inner pages of all tables of a million rows; it is taken as it is needed.
    connection.execute("PRAGMA cache_size=-32768")


def _migrate(path: Path, connection: sqlite3.Connection, on_upgrade: OnUpgrade) -> None:
    # sqlite-utils is slow to import and needed only here: an up-to-date file never pays for it.
    from store.migrations import migrate

    migrate(path, connection, on_upgrade)


def _unusable(path: Path, reason: str, *, first: str = "") -> CorruptStoreError:
    return CorruptStoreError(
        f"{path} is not a usable database ({reason}); {first}restore it from a backup beside it "
        "(studio.db.backup-*), or move it away and import again."
    )
