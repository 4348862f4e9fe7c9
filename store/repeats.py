"""Records with the same bytes as an earlier one, as groups that begin with the first of them."""

from dataclasses import dataclass

from store.database import Store

MEMBERS_SHOWN = 100


@dataclass(frozen=True)
class Repeated:
    """A record that others repeat."""

    first: int
    size: int
    """How many records have these bytes, the first among them."""
    in_use: int
    """How many of them are not excluded."""


def firsts(store: Store) -> list[int]:
    """Return the records that others repeat, in order."""
    rows = store.connection.execute(
        "SELECT DISTINCT duplicate_of FROM record WHERE duplicate_of IS NOT NULL ORDER BY 1"
    )
    return [row[0] for row in rows]


def get_many(store: Store, wanted: list[int]) -> dict[int, Repeated]:
    """Return the groups of these first records (a screenful)."""
    marks = ",".join("?" * len(wanted))
    rows = store.connection.execute(
        "SELECT d.duplicate_of, COUNT(*) + 1, SUM(NOT d.excluded) + NOT f.excluded FROM record d"
        f" JOIN record f ON f.id = d.duplicate_of WHERE d.duplicate_of IN ({marks}) GROUP BY 1",
        wanted,
    )
    return {row[0]: Repeated(*row) for row in rows}


def members(store: Store, first: int) -> list[int]:
    """Return the first record and those that repeat it, as many as can be looked at."""
    rows = store.connection.execute(
        "SELECT id FROM record WHERE duplicate_of = ? ORDER BY id LIMIT ?", (first, MEMBERS_SHOWN - 1)
    )
    return [first, *(row[0] for row in rows)]


def keep_first(store: Store, first: int) -> int:
    """Exclude all that repeat a record; return how many they are."""
    with store.transaction() as connection:
        return connection.execute("UPDATE record SET excluded = 1 WHERE duplicate_of = ?", (first,)).rowcount


def restore(store: Store, first: int) -> int:
    """Let all that repeat a record in again; return how many they are."""
    with store.transaction() as connection:
        return connection.execute("UPDATE record SET excluded = 0 WHERE duplicate_of = ?", (first,)).rowcount
