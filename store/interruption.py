"""Queries that nobody waits for any more are broken off, in the middle if need be."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from store.database import Store

STEPS_BETWEEN_LOOKS = 50_000
"""Steps of SQLite's machine, some milliseconds, after which `stop` is asked again."""


@contextmanager
def until(store: Store, stop: Callable[[], bool]) -> Iterator[None]:
    """Break the queries of the block off once `stop` says so; the block then ends there, without an error."""
    store.connection.set_progress_handler(stop, STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        store.connection.set_progress_handler(None, 0)
