"""Making sure that what came in last can be found too."""

import sqlite3
from contextlib import suppress

from store import search_index
from store.database import Store
from store.errors import StoreError

FEW = 1_000
"""Rows that are indexed before a search; more are, in their own time, by whoever made them."""


def make_searchable(store: Store) -> None:
    """Index what is missing, where that takes a moment and nobody would wait for it."""
    if not store.connection.in_transaction and 0 < search_index.pending(store) <= FEW:
        # Where another process writes for long, its rows are found later.
        with suppress(StoreError, sqlite3.OperationalError):
            search_index.catch_up(store)
