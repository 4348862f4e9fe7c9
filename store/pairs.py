"""Pairs of responses and the append-only journal of what people thought of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from store.database import Store, now
from store.errors import MissingRowError
from store.inserting import insert_many

Verdict = Literal["left", "right", "tie", "both_bad", "skip"]
EntryKind = Literal["verdict", "undo", "redo", "comment"]


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


@dataclass(frozen=True)
class Entry:
    """One line of the journal; never changed once written."""

    id: int
    kind: EntryKind
    pair_id: int
    left_id: int | None
    right_id: int | None
    seed: int | None
    verdict: Verdict | None
    note: str
    rater: str
    shown_at: str | None
    answered_at: str
    target_id: int | None

    @property
    def chosen_and_rejected(self) -> tuple[int, int] | None:
        """The better and the worse response's ids; None for ties, both bad and skips."""
        if self.left_id is None or self.right_id is None:
            return None
        if self.verdict == "left":
            return self.left_id, self.right_id
        if self.verdict == "right":
            return self.right_id, self.left_id
        return None


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


def next_entry_id(store: Store) -> int:
    """Return the id that the next line of the journal gets; certain only inside a transaction."""
    row = store.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'comparison'").fetchone()
    return int(row[0]) + 1 if row else 1


NewPair = tuple[int, int, int, int, int, int | None, Verdict | None]
"""Id, example, first and second response, seed, and the journal's line and verdict that will count for it."""

NewEntry = tuple[int, EntryKind, int, int | None, int | None, int | None, Verdict | None, str, str]
"""Id, kind, pair, left and right response, seed, verdict, note, rater."""


def add_many(store: Store, new: list[NewPair], entries: list[NewEntry]) -> None:
    """Add pairs of new responses under ids handed out before, with the verdicts and remarks that a file brings."""
    moment = now()
    with store.transaction() as connection:
        insert_many(
            connection, "pair", "id, example_id, first_id, second_id, seed, verdict_id, verdict", new, created_at=moment
        )
        columns = "id, kind, pair_id, left_id, right_id, seed, verdict, note, rater"
        insert_many(connection, "comparison", columns, entries, answered_at=moment)


def get(store: Store, pair_id: int) -> Pair:
    """Return one pair.

    Raises:
        MissingRowError: there is no pair of that id.
    """
    row = store.connection.execute(f"{_SELECT_PAIR} WHERE p.id = ?", (pair_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no pair {pair_id} in this project.")
    return Pair(*row)


def unjudged(store: Store, *, after: int = 0, limit: int = 1) -> list[Pair]:
    """Return the next pairs that carry no verdict, by id; pairs of excluded data are left out."""
    rows = store.connection.execute(
        f"{_SELECT_PAIR} {_LIVE} AND p.verdict IS NULL AND p.id > ? ORDER BY p.id LIMIT ?",
        (after, limit),
    )
    return [Pair(*row) for row in rows]


def judge(
    store: Store,
    pair: Pair,
    verdict: Verdict,
    *,
    rater: str,
    shown_at: str | None = None,
    note: str = "",
) -> int:
    """Write a verdict on a pair as it was shown; it is on the disk when this returns."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO comparison"
            " (kind, pair_id, left_id, right_id, seed, verdict, note, rater, shown_at, answered_at)"
            " VALUES ('verdict', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (pair.id, pair.left_id, pair.right_id, pair.seed, verdict, note, rater, shown_at, now()),
        )
        connection.execute(
            "UPDATE pair SET verdict_id = ?, verdict = ? WHERE id = ?", (cursor.lastrowid, verdict, pair.id)
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def comment(store: Store, pair_id: int, note: str, *, rater: str) -> int:
    """Write a remark on a pair, before or after its verdict."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO comparison (kind, pair_id, note, rater, answered_at) VALUES ('comment', ?, ?, ?, ?)",
            (pair_id, note, rater, now()),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def undo(store: Store, *, rater: str) -> Entry | None:
    """Take back this rater's latest standing verdict; return it, or None when none stands."""
    with store.transaction():
        target = _one(
            store,
            f"SELECT {_ENTRY_COLUMNS} FROM standing_verdict WHERE rater = ? ORDER BY id DESC LIMIT 1",
            (rater,),
        )
        if target is not None:
            _write_reversal(store, "undo", target, rater)
    return target


def redo(store: Store, *, rater: str) -> Entry | None:
    """Give back the verdict undone last, unless a new one was given since; None when there is none."""
    with store.transaction():
        target = _one(store, _LAST_UNDONE, {"rater": rater})
        if target is not None:
            _write_reversal(store, "redo", target, rater)
    return target


def current_verdict(store: Store, pair_id: int) -> Entry | None:
    """Return the verdict that counts for a pair, if it has one."""
    return _one(
        store,
        f"SELECT {_ENTRY_COLUMNS} FROM comparison WHERE id = (SELECT verdict_id FROM pair WHERE id = ?)",
        (pair_id,),
    )


def current_verdicts(store: Store) -> Iterator[Entry]:
    """Yield the verdict that counts for each judged pair, in journal order."""
    rows = store.connection.execute(f"SELECT {_ENTRY_COLUMNS} FROM current_verdict ORDER BY id")
    return (Entry(*row) for row in rows)


def current_verdicts_of(store: Store, example_id: int) -> list[Entry]:
    """Return the verdicts that count for an example's pairs, in journal order."""
    columns = ", ".join(f"v.{name}" for name in _ENTRY_COLUMNS.split(", "))
    rows = store.connection.execute(
        f"SELECT {columns} FROM pair p JOIN comparison v ON v.id = p.verdict_id WHERE p.example_id = ? ORDER BY v.id",
        (example_id,),
    )
    return [Entry(*row) for row in rows]


def standing_verdicts(store: Store) -> Iterator[Entry]:
    """Yield every verdict that was not undone, earlier ones on the same pair too, in journal order."""
    rows = store.connection.execute(f"SELECT {_ENTRY_COLUMNS} FROM standing_verdict ORDER BY id")
    return (Entry(*row) for row in rows)


def latest_verdicts(store: Store, *, rater: str, limit: int) -> list[Entry]:
    """Return the verdicts that a person gave last and that stand, newest first."""
    rows = store.connection.execute(
        f"SELECT {_ENTRY_COLUMNS} FROM standing_verdict WHERE rater = ? ORDER BY id DESC LIMIT ?", (rater, limit)
    )
    return [Entry(*row) for row in rows]


def entries(store: Store, *, pair_id: int | None = None) -> Iterator[Entry]:
    """Yield the journal, or one pair's part of it, oldest first."""
    if pair_id is None:
        rows = store.connection.execute(f"SELECT {_ENTRY_COLUMNS} FROM comparison ORDER BY id")
    else:
        rows = store.connection.execute(
            f"SELECT {_ENTRY_COLUMNS} FROM comparison WHERE pair_id = ? ORDER BY id", (pair_id,)
        )
    return (Entry(*row) for row in rows)


def remarks(store: Store, example_id: int) -> list[tuple[str, str]]:
    """Return who remarked what on an example's pairs, oldest first: comments, and notes to verdicts that count."""
    return store.connection.execute(
        "SELECT c.rater, c.note FROM pair p JOIN comparison c ON c.pair_id = p.id WHERE p.example_id = ?"
        " AND c.note <> '' AND (c.kind = 'comment' OR c.id = p.verdict_id)"
        " ORDER BY c.id",
        (example_id,),
    ).fetchall()


def counts(store: Store) -> dict[str, int]:
    """Return how many live pairs there are and how many stand at each verdict, by name; `pairs` is all."""
    # All pairs less the dead ones: what is excluded is little, and a million pairs need not be looked up one by one.
    found = Counter(dict(store.connection.execute("SELECT verdict, COUNT(*) FROM pair GROUP BY 1")))
    found.subtract(dict(store.connection.execute(f"SELECT verdict, COUNT(*) FROM pair WHERE {_DEAD} GROUP BY 1")))
    total = sum(found.values())
    return {"pairs": total, **{name: number for name, number in found.items() if name and number}}


_SELECT_PAIR = "SELECT p.id, p.example_id, p.first_id, p.second_id, p.seed FROM pair p"

_LIVE = (
    "JOIN example e ON e.id = p.example_id LEFT JOIN record r ON r.id = e.record_id"
    " WHERE NOT e.excluded AND NOT COALESCE(r.excluded, 0)"
)

_DEAD = (
    "example_id IN (SELECT id FROM example WHERE excluded UNION"
    " SELECT e.id FROM example e JOIN record r ON r.id = e.record_id WHERE r.excluded)"
)

_ENTRY_COLUMNS = "id, kind, pair_id, left_id, right_id, seed, verdict, note, rater, shown_at, answered_at, target_id"

_LAST_UNDONE = f"""
SELECT {_ENTRY_COLUMNS} FROM comparison WHERE id = (
    SELECT k.target_id FROM comparison k
    WHERE k.kind = 'undo' AND k.rater = :rater
      AND k.id > COALESCE((SELECT MAX(v.id) FROM comparison v WHERE v.kind = 'verdict' AND v.rater = :rater), 0)
      AND k.id = (SELECT MAX(o.id) FROM comparison o WHERE o.target_id = k.target_id)
    ORDER BY k.id DESC LIMIT 1
)
"""


def _write_reversal(store: Store, kind: EntryKind, target: Entry, rater: str) -> None:
    store.connection.execute(
        "INSERT INTO comparison (kind, pair_id, rater, answered_at, target_id) VALUES (?, ?, ?, ?, ?)",
        (kind, target.pair_id, rater, now(), target.id),
    )
    store.connection.execute(
        "UPDATE pair SET (verdict_id, verdict) = (SELECT id, verdict FROM standing_verdict WHERE pair_id = ?1"
        " ORDER BY id DESC LIMIT 1) WHERE id = ?1",
        (target.pair_id,),
    )


def _one(store: Store, sql: str, values: Any) -> Entry | None:
    row = store.connection.execute(sql, values).fetchone()
    return Entry(*row) if row else None
