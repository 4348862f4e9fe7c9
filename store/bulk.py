"""Bringing in a great many rows: what is costly to keep up row by row is left out and made good at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from store.database import Store

_SCATTERED = {
    "record_by_hash": "CREATE INDEX IF NOT EXISTS record_by_hash ON record(hash)",
    "example_by_group": "CREATE INDEX IF NOT EXISTS example_by_group ON example(prompt_group)",
}
"""Indexes whose order has nothing to do with the order of rows: each batch would write most of their pages again."""


@contextmanager
def loading(store: Store, *, without_indexes: bool) -> Iterator[None]:
    """Make many writes of this connection cheap; other connections keep their full care.

    References and checks are left out: the rows were given their ids together, and each check of a list of words
    makes SQLite build a table of them for every row. A commit does not wait for the
    disk, and somebody else moves the write-ahead log into the file (`checkpoint`): after a power cut the last
    batches of an import may be missing, none is half there, and importing the file again adds them.
    """
    connection = store.connection
    if without_indexes:
        with store.transaction():
            for name in _SCATTERED:
                connection.execute(f"DROP INDEX IF EXISTS {name}")
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("PRAGMA ignore_check_constraints=ON")
    connection.execute("PRAGMA synchronous=NORMAL")
    (pages,) = connection.execute("PRAGMA wal_autocheckpoint").fetchone()
    connection.execute("PRAGMA wal_autocheckpoint=100000")
    try:
        yield
    finally:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA ignore_check_constraints=OFF")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={int(pages)}")
        restore_indexes(store)


def restore_indexes(store: Store) -> None:
    """Make the indexes that are missing, also those that an import left out which was killed."""
    for statement in _SCATTERED.values():
        with store.transaction() as connection:
            connection.execute(statement)


def checkpoint(store: Store) -> None:
    """Move what other connections wrote from the write-ahead log into the file, as far as nobody reads it."""
    store.connection.execute("PRAGMA main.wal_checkpoint(PASSIVE)")
