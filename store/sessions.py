"""What a person judged lately, line by line of the journal, and long ago: what is to be asked again comes from it."""

from array import array
from typing import Any, NamedTuple

from store.database import Store
from store.journal import NOT_COUNTED, Purpose
from store.pairs import Verdict


class Given(NamedTuple):
    """A verdict that stands, on a pair that was shown."""

    id: int
    pair_id: int
    left_id: int
    right_id: int
    verdict: Verdict
    purpose: Purpose
    task: str
    answered_at: str


def newest_line(store: Store, rater: str) -> int:
    """Return the line that a person wrote last, be it a verdict or one taken back; 0 where there is none."""
    row = store.connection.execute(
        "SELECT MAX(id) FROM (SELECT MAX(id) AS id FROM comparison WHERE rater = ?1 AND kind = 'verdict' UNION ALL"
        " SELECT MAX(id) FROM comparison WHERE rater = ?1 AND kind = 'undo' UNION ALL"
        " SELECT MAX(id) FROM comparison WHERE rater = ?1 AND kind = 'redo')",
        (rater,),
    ).fetchone()
    return row[0] or 0


def took_back_after(store: Store, rater: str, line: int) -> bool:
    """Tell whether a person took something back, or gave it back, after a line of the journal."""
    row = store.connection.execute(
        "SELECT EXISTS (SELECT 1 FROM comparison WHERE rater = ?1 AND kind = 'undo' AND id > ?2)"
        " OR EXISTS (SELECT 1 FROM comparison WHERE rater = ?1 AND kind = 'redo' AND id > ?2)",
        (rater, line),
    ).fetchone()
    return bool(row[0])


def stands(store: Store, line: int) -> bool:
    """Tell whether a verdict, or what was said by a criterion, was not taken back."""
    return store.connection.execute("SELECT 1 FROM standing WHERE id = ?", (line,)).fetchone() is not None


def given_since(store: Store, rater: str, moment: str) -> int:
    """Return how many verdicts on pairs that were shown a person gave since a moment, and that stand."""
    # From the newest back to the first that is older, not through all that the person ever said.
    row = store.connection.execute(
        "SELECT COUNT(*) FROM standing_verdict WHERE rater = ?1 AND shown_at IS NOT NULL AND implied_by IS NULL"
        " AND id > COALESCE((SELECT id FROM comparison WHERE rater = ?1 AND kind = 'verdict' AND answered_at < ?2"
        " ORDER BY id DESC LIMIT 1), 0)",
        (rater, moment),
    ).fetchone()
    return int(row[0])


def latest(store: Store, rater: str, *, after: int = 0, limit: int) -> list[Given]:
    """Return what stands of the verdicts that a person gave last, after a line of the journal; oldest first.

    Those that only follow from others, and those that came with a file, are left out.
    """
    # The limit is on what is looked at: a file may have brought a million verdicts under the same name.
    rows = store.connection.execute(
        f"SELECT {_COLUMNS} FROM standing_verdict s WHERE s.id IN"
        " (SELECT id FROM comparison WHERE rater = ? AND kind = 'verdict' AND id > ? ORDER BY id DESC LIMIT ?)"
        " AND s.shown_at IS NOT NULL AND s.implied_by IS NULL ORDER BY s.id",
        (rater, after, limit),
    )
    return [Given(*row) for row in rows]


def decided_before(store: Store, rater: str, task: str, line: int) -> "array[int]":
    """Return the pairs that a person decided in a task up to a line of the journal, by id."""
    rows: Any = store.connection.execute(
        "SELECT DISTINCT s.pair_id FROM standing_verdict s WHERE s.rater = ? AND s.task = ? AND s.id <= ?"
        " AND s.shown_at IS NOT NULL AND s.implied_by IS NULL AND s.verdict <> 'skip'"
        f" AND s.purpose NOT IN {NOT_COUNTED} ORDER BY 1",
        (rater, task, line),
    )
    return array("q", (number for (number,) in rows))


_COLUMNS = "s.id, s.pair_id, s.left_id, s.right_id, s.verdict, s.purpose, s.task, s.answered_at"
