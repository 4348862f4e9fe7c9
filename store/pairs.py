"""Pairs of responses and the append-only journal of what people thought of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from store.database import Store, now
from store.errors import MissingRowError

Verdict = Literal["left", "right", "tie", "both_bad", "skip"]
EntryKind = Literal["verdict", "undo", "redo", "comment"]


@dataclass(frozen=True)
class Pair:
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


def get(store: Store, pair_id: int) -> Pair:
    """Return one pair.

    Raises:
        MissingRowError: there is no pair of that id.
    """
    row = store.connection.execute(f"{_SELECT_PAIR} WHERE p.id = ?", (pair_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no pair {pair_id} in this project.")
    return Pair(*row)


def examples_of_pairs(store: Store) -> dict[int, int]:
    """Return the example that each pair belongs to, by the pair's id."""
    return dict(store.connection.execute("SELECT id, example_id FROM pair ORDER BY id"))


def unjudged(store: Store, *, after: int = 0, limit: int = 1) -> list[Pair]:
    """Return the next pairs that carry no verdict, by id; pairs of excluded data are left out."""
    rows = store.connection.execute(
        f"{_SELECT_PAIR} {_LIVE} AND p.id > ? AND NOT EXISTS"
        " (SELECT 1 FROM standing_verdict v WHERE v.pair_id = p.id) ORDER BY p.id LIMIT ?",
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
    return _one(store, f"SELECT {_ENTRY_COLUMNS} FROM current_verdict WHERE pair_id = ?", (pair_id,))


def current_verdicts(store: Store) -> Iterator[Entry]:
    """Yield the verdict that counts for each judged pair, in journal order."""
    rows = store.connection.execute(f"SELECT {_ENTRY_COLUMNS} FROM current_verdict ORDER BY id")
    return (Entry(*row) for row in rows)


def current_verdicts_of(store: Store, example_id: int) -> list[Entry]:
    """Return the verdicts that count for an example's pairs, in journal order."""
    columns = ", ".join(f"v.{name}" for name in _ENTRY_COLUMNS.split(", "))
    rows = store.connection.execute(
        f"SELECT {columns} FROM pair p JOIN current_verdict v ON v.pair_id = p.id WHERE p.example_id = ? ORDER BY v.id",
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
        " AND c.note <> '' AND (c.kind = 'comment' OR EXISTS (SELECT 1 FROM current_verdict v WHERE v.id = c.id))"
        " ORDER BY c.id",
        (example_id,),
    ).fetchall()


def counts(store: Store) -> dict[str, int]:
    """Return how many live pairs there are and how many stand at each verdict, by name; `pairs` is all."""
    total = store.connection.execute(f"SELECT COUNT(*) FROM pair p {_LIVE}").fetchone()[0]
    rows = store.connection.execute(
        f"SELECT v.verdict, COUNT(*) FROM current_verdict v JOIN pair p ON p.id = v.pair_id {_LIVE} GROUP BY 1"
    )
    return {"pairs": total, **dict(rows)}


_SELECT_PAIR = "SELECT p.id, p.example_id, p.first_id, p.second_id, p.seed FROM pair p"

_LIVE = (
    "JOIN example e ON e.id = p.example_id LEFT JOIN record r ON r.id = e.record_id"
    " WHERE NOT e.excluded AND NOT COALESCE(r.excluded, 0)"
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


def _one(store: Store, sql: str, values: Any) -> Entry | None:
    row = store.connection.execute(sql, values).fetchone()
    return Entry(*row) if row else None
