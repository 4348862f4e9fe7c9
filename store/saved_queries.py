"""Queries that were kept under a name; in a query `@name` stands for one of them."""

from dataclasses import dataclass

from store import query
from store.database import Store, now
from store.errors import MissingRowError, StoreError


@dataclass(frozen=True)
class SavedQuery:
    """A query with its name."""

    name: str
    query: str
    created_at: str


def save(store: Store, name: str, text: str) -> None:
    """Keep a query under a name; one that has the name already is replaced.

    Raises:
        QueryError: the query can't be read, or stands for itself in the end.
        StoreError: the name is empty or has a quotation mark.
    """
    name = name.strip()
    if not name or '"' in name or not name.isprintable():
        raise StoreError("A saved query needs a name without quotation marks; give it one of a word or two.")
    # Only here: to resolve a query is to read others.
    from store.resolving import resolve

    with store.transaction() as connection:
        resolve(store, query.parse(text), within=(name,))
        connection.execute(
            "INSERT INTO saved_query (name, query, created_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET query = excluded.query",
            (name, text.strip(), now()),
        )


def all_saved(store: Store) -> list[SavedQuery]:
    """Return all saved queries, by name."""
    rows = store.connection.execute("SELECT name, query, created_at FROM saved_query ORDER BY name COLLATE NOCASE")
    return [SavedQuery(*row) for row in rows]


def get(store: Store, name: str) -> SavedQuery:
    """Return one saved query.

    Raises:
        MissingRowError: there is none of that name.
    """
    row = store.connection.execute(
        "SELECT name, query, created_at FROM saved_query WHERE name = ?", (name.strip(),)
    ).fetchone()
    if row is None:
        raise MissingRowError(f"There is no saved query '{name}' in this project.")
    return SavedQuery(*row)


def delete(store: Store, name: str) -> None:
    """Take a saved query away.

    Raises:
        MissingRowError: there is none of that name.
    """
    with store.transaction() as connection:
        get(store, name)
        connection.execute("DELETE FROM saved_query WHERE name = ?", (name.strip(),))
