"""Records with the same bytes as an earlier one: linking them to it, and the groups that they make."""

from dataclasses import dataclass

from store.database import Store

MEMBERS_SHOWN = 100

MARKED_AT_ONCE = 50_000
"""Repetitions that are linked in one transaction."""


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


def mark_duplicates(store: Store) -> None:
    """Link the records of files that are being imported to the first ones with the same bytes, where there are any.

    Bit by bit: where every row is a repetition, a verdict would have to wait too long for all of them.
    """
    new, known = store.connection.execute(
        "SELECT COALESCE(SUM(rows) FILTER (WHERE state = 'importing'), 0), SUM(rows) FROM source"
    ).fetchone()
    # Looking up the few rows of a small file takes no time; of a large one, going through the index once is faster.
    wanted = _IMPORTING if new * 10 < known else ""
    store.connection.execute("CREATE TEMP TABLE repeated (id INTEGER PRIMARY KEY, first INTEGER NOT NULL)")
    try:
        store.connection.execute(
            "INSERT INTO temp.repeated SELECT r.id, f.first FROM"
            f" (SELECT hash, MIN(id) AS first FROM record {wanted} GROUP BY hash HAVING COUNT(*) > 1) f"
            " CROSS JOIN record r ON r.hash = f.hash AND r.id > f.first"
        )
        last = 0
        while found := store.connection.execute(
            "SELECT MAX(id) FROM (SELECT id FROM temp.repeated WHERE id > ? ORDER BY id LIMIT ?)",
            (last, MARKED_AT_ONCE),
        ).fetchone()[0]:
            with store.transaction() as connection:
                connection.execute(
                    "UPDATE record SET duplicate_of = f.first FROM temp.repeated f"
                    " WHERE f.id = record.id AND f.id > ? AND f.id <= ? AND duplicate_of IS NULL",
                    (last, found),
                )
            last = found
    finally:
        store.connection.execute("DROP TABLE temp.repeated")


_IMPORTING = (
    "WHERE hash IN (SELECT r.hash FROM source s CROSS JOIN record r ON r.source_id = s.id WHERE s.state = 'importing')"
)


def duplicates(store: Store, source_id: int) -> int:
    """Return how many of a source's rows repeat an earlier row of the project, byte for byte."""
    row = store.connection.execute(
        "SELECT COUNT(*) FROM record WHERE duplicate_of IS NOT NULL AND source_id = ?", (source_id,)
    ).fetchone()
    return int(row[0])
