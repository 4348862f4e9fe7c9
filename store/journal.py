"""The append-only journal of comparisons: verdicts, criteria, remarks, and what was taken back or given back."""

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from store.database import Store, now
from store.inserting import insert_many
from store.pairs import Pair, Verdict

EntryKind = Literal["verdict", "criterion", "undo", "redo", "comment"]

Purpose = Literal["first", "repeat", "anchor", "second", "review", "change", "edited", "implied"]
"""Why a verdict was given:

`first`: the pair had none. `repeat`, `anchor`: it came back to see whether the person agrees with themselves, within
a session or after it. `second`: another person had decided it. `review`: people disagreed, and this settles it.
`change`: the person changed their mind. `edited`: the person wrote a better answer. `implied`: it follows from others.
"""

Strength = Literal["", "slightly", "clearly"]

NOT_COUNTED: tuple[Purpose, ...] = ("repeat", "anchor")
"""Verdicts that only measure the person: the pair keeps the verdict that it had."""

ANSWER = """CASE c.verdict WHEN 'left' THEN CASE c.left_id WHEN p.first_id THEN 'first' ELSE 'second' END
    WHEN 'right' THEN CASE c.right_id WHEN p.first_id THEN 'first' ELSE 'second' END
    WHEN 'skip' THEN NULL ELSE c.verdict END"""
"""SQL that says of a verdict `c` on a pair `p` which of its responses is better, wherever they were shown."""


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
    purpose: Purpose = "first"
    task: str = ""
    criterion: str = ""
    strength: Strength = ""
    reasons: tuple[str, ...] = ()
    implied_by: int | None = None

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


class Past(NamedTuple):
    """A verdict in the list of all that was given, whether or not it was taken back."""

    entry: Entry
    stands: bool
    counts: bool
    """It is the one that the pair has now."""


NewEntry = tuple[int, EntryKind, int, int | None, int | None, int | None, Verdict | None, str, str]
"""Id, kind, pair, left and right response, seed, verdict, note, rater."""


def next_id(store: Store) -> int:
    """Return the id that the next line gets; certain only inside a transaction."""
    row = store.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'comparison'").fetchone()
    return int(row[0]) + 1 if row else 1


def add_many(store: Store, entries: list[NewEntry]) -> None:
    """Add the verdicts and remarks that a file brings, on pairs that are added with the verdict that counts."""
    columns = "id, kind, pair_id, left_id, right_id, seed, verdict, note, rater"
    with store.transaction() as connection:
        insert_many(connection, "comparison", columns, entries, answered_at=now())


def judge(
    store: Store,
    pair: Pair,
    verdict: Verdict,
    *,
    rater: str,
    purpose: Purpose = "first",
    task: str = "",
    strength: Strength = "",
    reasons: tuple[str, ...] = (),
    shown_at: str | None = None,
    note: str = "",
    implied_by: int | None = None,
) -> int:
    """Write a verdict on a pair as it was shown; it is on the disk when this returns, unless within a transaction.

    Args:
        store: the project's file.
        pair: its seed says which response was on the left, also where the pair itself has another.
        verdict: what was said.
        rater: who said it.
        purpose: why; `purpose_of` finds it out. All but another person's second opinion and what only measures count.
        task: the queue that the pair was shown in.
        strength: how much better, where that was asked.
        reasons: the rater's own words for why, from a list.
        shown_at: when the pair was painted; None where it was not shown blind.
        note: a remark that belongs to the verdict.
        implied_by: the verdict that this one follows from; it stands as long as that one does.
    """
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO comparison (kind, pair_id, left_id, right_id, seed, verdict, note, rater, shown_at,"
            " answered_at, purpose, task, strength, reasons, implied_by)"
            " VALUES ('verdict', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(pair.id, pair.left_id, pair.right_id, pair.seed, verdict, note, rater, shown_at, now()),
                *(purpose, task, strength),
                json.dumps(reasons, ensure_ascii=False) if reasons else None,
                implied_by,
            ),
        )
        _settle(store, pair.id)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def purpose_of(store: Store, pair_id: int, rater: str) -> Purpose:
    """Return why a rater's verdict on a pair would be given, by what stands there."""
    counting = current_verdict(store, pair_id)
    if counting is None or counting.verdict == "skip":
        return "first"
    return "change" if counting.rater == rater else "second"


def judge_criterion(
    store: Store, pair: Pair, criterion: str, verdict: Verdict, *, rater: str, task: str = "", shown_at: str | None
) -> int:
    """Write which response is better by one criterion of a rubric; the pair keeps its verdict."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO comparison (kind, pair_id, left_id, right_id, seed, verdict, rater, shown_at, answered_at,"
            " task, criterion) VALUES ('criterion', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(pair.id, pair.left_id, pair.right_id, pair.seed, verdict, rater, shown_at, now()),
                *(task, criterion),
            ),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def criteria_of(store: Store, pair_id: int, *, rater: str) -> list[Entry]:
    """Return what a rater said of a pair by criterion since their latest standing verdict on it, oldest first."""
    return _many(
        store,
        # The signs keep SQLite from going through all that the rater ever said instead of the pair's few lines.
        f"SELECT {_COLUMNS} FROM standing WHERE pair_id = ?1 AND +rater = ?2 AND kind = 'criterion' AND id >"
        " COALESCE((SELECT MAX(id) FROM standing_verdict WHERE pair_id = ?1 AND +rater = ?2), 0) ORDER BY id",
        (pair_id, rater),
    )


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
    """Take back what this rater said last and what follows from it; return it, or None when nothing stands."""
    with store.transaction():
        target = _one(
            store,
            f"SELECT {_COLUMNS} FROM standing WHERE rater = ? AND implied_by IS NULL ORDER BY id DESC LIMIT 1",
            (rater,),
        )
        if target is not None:
            _write_reversal(store, "undo", target, rater)
    return target


def redo(store: Store, *, rater: str) -> Entry | None:
    """Give back what was undone last, unless something new was said since; None when there is none."""
    with store.transaction():
        target = _one(store, _LAST_UNDONE, {"rater": rater})
        if target is not None:
            _write_reversal(store, "redo", target, rater)
    return target


def current_verdict(store: Store, pair_id: int) -> Entry | None:
    """Return the verdict that counts for a pair, if it has one."""
    return _one(
        store,
        f"SELECT {_COLUMNS} FROM comparison WHERE id = (SELECT verdict_id FROM pair WHERE id = ?)",
        (pair_id,),
    )


def current_verdicts_of(store: Store, example_id: int) -> list[Entry]:
    """Return the verdicts that count for an example's pairs, in journal order."""
    return _many(
        store,
        f"SELECT {_columns('v')} FROM pair p JOIN comparison v ON v.id = p.verdict_id"
        " WHERE p.example_id = ? ORDER BY v.id",
        (example_id,),
    )


def standing_verdicts_of(store: Store, example_id: int, *, rater: str) -> list[Entry]:
    """Return the verdicts that a person gave on an example's pairs and that stand, in journal order."""
    return _many(
        store,
        f"SELECT {_columns('s')} FROM pair p JOIN standing_verdict s ON s.pair_id = p.id"
        " WHERE p.example_id = ? AND +s.rater = ? ORDER BY s.id",
        (example_id, rater),
    )


def latest_verdicts(store: Store, *, rater: str, limit: int) -> list[Entry]:
    """Return the verdicts that a person gave last and that stand, newest first; not those that follow from others."""
    return _many(
        store,
        f"SELECT {_COLUMNS} FROM standing WHERE rater = ? AND kind = 'verdict' AND implied_by IS NULL"
        " ORDER BY id DESC LIMIT ?",
        (rater, limit),
    )


def verdict_ids(store: Store, *, rater: str) -> "array[int]":
    """Return the lines of all verdicts that a person gave, those that were taken back too, in journal order."""
    rows = store.connection.execute(
        "SELECT id FROM comparison WHERE rater = ? AND kind = 'verdict' ORDER BY id", (rater,)
    )
    return array("q", (number for (number,) in rows))


def has_verdicts(store: Store) -> bool:
    """Tell whether any pair was ever judged, here or in a file."""
    ((found,),) = store.connection.execute("SELECT EXISTS (SELECT 1 FROM comparison WHERE kind = 'verdict')")
    return bool(found)


def past(store: Store, ids: Sequence[int]) -> list[Past]:
    """Return verdicts (a screenful) by their lines, with what became of them."""
    rows = store.connection.execute(
        f"SELECT {_columns('c')}, EXISTS (SELECT 1 FROM standing s WHERE s.id = c.id), COALESCE(c.id = p.verdict_id, 0)"
        f" FROM comparison c JOIN pair p ON p.id = c.pair_id WHERE c.id IN ({','.join('?' * len(ids))})",
        tuple(ids),
    )
    return [Past(_entry(row[:-2]), bool(row[-2]), bool(row[-1])) for row in rows]


def entries(store: Store, *, pair_id: int | None = None) -> Iterator[Entry]:
    """Yield the journal, or one pair's part of it, oldest first."""
    if pair_id is None:
        return _each(store, f"SELECT {_COLUMNS} FROM comparison ORDER BY id")
    return _each(store, f"SELECT {_COLUMNS} FROM comparison WHERE pair_id = ? ORDER BY id", (pair_id,))


def remarks(store: Store, example_id: int) -> list[tuple[str, str]]:
    """Return who remarked what on an example's pairs, oldest first: comments, and notes to verdicts that count."""
    return store.connection.execute(
        "SELECT c.rater, c.note FROM pair p JOIN comparison c ON c.pair_id = p.id WHERE p.example_id = ?"
        " AND c.note <> '' AND (c.kind = 'comment' OR c.id = p.verdict_id)"
        " ORDER BY c.id",
        (example_id,),
    ).fetchall()


_COLUMNS = (
    "id, kind, pair_id, left_id, right_id, seed, verdict, note, rater, shown_at, answered_at, target_id,"
    " purpose, task, criterion, strength, reasons, implied_by"
)

_LAST_UNDONE = f"""
SELECT {_COLUMNS} FROM comparison WHERE id = (
    SELECT k.target_id FROM comparison k
    WHERE k.kind = 'undo' AND k.rater = :rater
      AND k.id > MAX(
        COALESCE((SELECT MAX(v.id) FROM comparison v WHERE v.kind = 'verdict' AND v.rater = :rater), 0),
        COALESCE((SELECT MAX(v.id) FROM comparison v WHERE v.kind = 'criterion' AND v.rater = :rater), 0)
      )
      AND k.id = (SELECT MAX(o.id) FROM comparison o WHERE o.target_id = k.target_id)
    ORDER BY k.id DESC LIMIT 1
)
"""

_SETTLE = f"""
UPDATE pair SET (verdict_id, verdict) = (
    SELECT id, verdict FROM standing_verdict
    WHERE pair_id = ?1 AND purpose NOT IN {NOT_COUNTED}
    ORDER BY purpose = 'second' OR (purpose = 'review' AND verdict = 'skip'), id DESC LIMIT 1
) WHERE id = ?1
"""


def _settle(store: Store, pair_id: int) -> None:
    """Write beside a pair which verdict counts: the newest of those that decide over others.

    Somebody else's second opinion counts only where it is alone, and so does a disagreement passed without settling it.
    """
    store.connection.execute(_SETTLE, (pair_id,))


def _write_reversal(store: Store, kind: EntryKind, target: Entry, rater: str) -> None:
    connection = store.connection
    connection.execute(
        "INSERT INTO comparison (kind, pair_id, rater, answered_at, target_id) VALUES (?, ?, ?, ?, ?)",
        (kind, target.pair_id, rater, now(), target.id),
    )
    touched = connection.execute(
        "SELECT ?1 UNION SELECT pair_id FROM comparison WHERE implied_by = ?2", (target.pair_id, target.id)
    ).fetchall()
    for (pair_id,) in touched:
        _settle(store, pair_id)


def _columns(of: str) -> str:
    return ", ".join(f"{of}.{name}" for name in _COLUMNS.split(", "))


def _each(store: Store, sql: str, values: Iterable[Any] = ()) -> Iterator[Entry]:
    return (_entry(row) for row in store.connection.execute(sql, tuple(values)))


def _many(store: Store, sql: str, values: Iterable[Any]) -> list[Entry]:
    return list(_each(store, sql, values))


def _one(store: Store, sql: str, values: Any) -> Entry | None:
    row = store.connection.execute(sql, values).fetchone()
    return _entry(row) if row else None


def _entry(row: tuple[Any, ...]) -> Entry:
    reasons = tuple(json.loads(row[16])) if row[16] else ()
    return Entry(*(*row[:16], reasons, row[17]))
