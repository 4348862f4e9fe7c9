"""Pairs of responses to one prompt, each with the verdict that counts for it."""

from collections import Counter
from typing import Literal, NamedTuple

from store.database import Store, now
from store.errors import MissingRowError
from store.inserting import insert_many

Verdict = Literal["left", "right", "tie", "both_bad", "skip"]


class Pair(NamedTuple):
    """Two responses to one prompt, waiting for a verdict or judged."""

    id: int
    example_id: int
    first_id: int
    second_id: int
    seed: int
    """Decides which response is shown on the left: the first where it is even."""

    @property
    def left_id(self) -> int:
        """The response that is shown on the left."""
        return self.second_id if self.seed % 2 else self.first_id

    @property
    def right_id(self) -> int:
        """The response that is shown on the right."""
        return self.first_id if self.seed % 2 else self.second_id


def add_pair(store: Store, example_id: int, first_id: int, second_id: int, *, seed: int) -> int:
    """Queue two responses for comparison; the same two, in either order, give the same pair's id."""
    with store.transaction() as connection:
        known = connection.execute(
            "SELECT id FROM pair WHERE (first_id = ?1 AND second_id = ?2) OR (first_id = ?2 AND second_id = ?1)",
            (first_id, second_id),
        ).fetchone()
        if known:
            return int(known[0])
        cursor = connection.execute(
            "INSERT INTO pair (example_id, first_id, second_id, seed, created_at) VALUES (?, ?, ?, ?, ?)",
            (example_id, first_id, second_id, seed, now()),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def next_id(store: Store) -> int:
    """Return the id that the next pair gets; certain only inside a transaction."""
    return int(store.connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM pair").fetchone()[0])


NewPair = tuple[int, int, int, int, int, int | None, Verdict | None]
"""Id, example, first and second response, seed, and the journal's line and verdict that will count for it."""


def add_many(store: Store, new: list[NewPair]) -> None:
    """Add pairs of new responses under ids handed out before."""
    columns = "id, example_id, first_id, second_id, seed, verdict_id, verdict"
    with store.transaction() as connection:
        insert_many(connection, "pair", columns, new, created_at=now())


def get(store: Store, pair_id: int) -> Pair:
    """Return one pair.

    Raises:
        MissingRowError: there is no pair of that id.
    """
    row = store.connection.execute(f"{_SELECT_PAIR} WHERE p.id = ?", (pair_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no pair {pair_id} in this project.")
    return Pair(*row)


def counts(store: Store) -> dict[str, int]:
    """Return how many live pairs there are and how many stand at each verdict, by name; `pairs` is all."""
    # All pairs less the dead ones: what is excluded is little, and a million pairs need not be looked up one by one.
    found = Counter(dict(store.connection.execute("SELECT verdict, COUNT(*) FROM pair GROUP BY 1")))
    found.subtract(dict(store.connection.execute(f"SELECT verdict, COUNT(*) FROM pair WHERE {DEAD} GROUP BY 1")))
    total = sum(found.values())
    return {"pairs": total, **{name: number for name, number in found.items() if name and number}}


_SELECT_PAIR = "SELECT p.id, p.example_id, p.first_id, p.second_id, p.seed FROM pair p"

DEAD = (
    "example_id IN (SELECT id FROM example WHERE excluded UNION"
    " SELECT e.id FROM example e JOIN record r ON r.id = e.record_id WHERE r.excluded UNION"
    " SELECT y.example_id FROM synthetic y JOIN example e ON e.id = y.example_id WHERE e.status <> 'approved')"
)
