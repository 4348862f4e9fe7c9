"""Telling cheaply whether a file was written since one looked last."""

from store.database import Store


def sign(store: Store) -> tuple[int, int]:
    """Return two numbers: the first is another one after others wrote, the second grows with what is written here."""
    version = store.connection.execute("PRAGMA data_version").fetchone()[0]
    return int(version), store.connection.total_changes
