"""What models judged of pairs: beside the journal, never in it, and never told before a person has judged."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from store.database import Store, now
from store.journal import ANSWER, NOT_COUNTED
from store.pairs import DEAD
from store.quoting import dumps

Answer = Literal["first", "second", "tie", "both_bad", "unclear"]
"""Which of the pair's responses is better, wherever it was shown; unclear: what the model said is no verdict."""


class Judgement(NamedTuple):
    """What a model said of a pair in both orders."""

    pair_id: int
    judge: str
    first_shown_left: Answer
    first_shown_right: Answer

    @property
    def consistent(self) -> Answer | None:
        """What it said in both orders; None where it said two things, or none that can be read."""
        same = self.first_shown_left == self.first_shown_right
        return self.first_shown_left if same and self.first_shown_left != "unclear" else None


class Second(NamedTuple):
    """A pair that a person has judged, with what a model said of it."""

    judgement: Judgement
    person: Answer
    replies: tuple[str, str]
    """What the model said word by word, with the first response on the left, and on the right."""


class Cell(NamedTuple):
    """How many pairs a judge answered so, which a person answered so."""

    judge: str
    person: Answer | None
    """None where the person has not judged the pair."""
    first_shown_left: Answer
    first_shown_right: Answer
    pairs: int


@dataclass(frozen=True)
class NewJudgement:
    """A judgement that is to be kept, with what it was made with and what the model said word by word."""

    judgement: Judgement
    parameters: dict[str, Any]
    replies: tuple[str, str]
    """With the first response on the left, and on the right."""


def keep(store: Store, new: NewJudgement, *, job_id: int | None = None) -> None:
    """Keep a judgement; it takes the place of an earlier one of the same judge."""
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO judgement (pair_id, job_id, judge, parameters, first_shown_left, first_shown_right, replies,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pair_id, judge) DO UPDATE SET"
            " job_id = excluded.job_id, parameters = excluded.parameters,"
            " first_shown_left = excluded.first_shown_left, first_shown_right = excluded.first_shown_right,"
            " replies = excluded.replies, created_at = excluded.created_at",
            (
                *(new.judgement.pair_id, job_id, new.judgement.judge, _stored(new.parameters)),
                *(new.judgement.first_shown_left, new.judgement.first_shown_right),
                *(dumps(list(new.replies)), now()),
            ),
        )


def judged_so(store: Store, judge: str, parameters: dict[str, Any]) -> set[int]:
    """Return the pairs that a judge has answered with these very parameters: they need not be asked again."""
    rows = store.connection.execute(
        "SELECT pair_id FROM judgement WHERE judge = ? AND parameters = ?", (judge, _stored(parameters))
    )
    return {pair_id for (pair_id,) in rows}


def pairs_of(store: Store, judge: str) -> set[int]:
    """Return the pairs that a judge was ever asked about."""
    rows = store.connection.execute("SELECT pair_id FROM judgement WHERE judge = ?", (judge,))
    return {pair_id for (pair_id,) in rows}


def judged_by(store: Store, rater: str, task: str = "") -> list[int]:
    """Return the pairs in use that a person has decided (in a task, where one is named), by id."""
    rows = store.connection.execute(
        f"SELECT p.id FROM pair p JOIN comparison c ON c.id = {_latest('p.id')} WHERE p.verdict IS NOT NULL"
        f" AND c.verdict <> 'skip' AND NOT p.{DEAD} AND (:task = '' OR c.task = :task) ORDER BY p.id",
        {"rater": rater, "task": task},
    )
    return [pair_id for (pair_id,) in rows]


def raters(store: Store) -> list[str]:
    """Return the people who gave any verdict, by name."""
    return [name for (name,) in store.connection.execute("SELECT DISTINCT rater FROM comparison ORDER BY 1")]


def cells(store: Store, rater: str) -> list[Cell]:
    """Count what judges said, by what a person said of the same pairs."""
    rows = store.connection.execute(
        f"SELECT j.judge, {ANSWER}, j.first_shown_left, j.first_shown_right, COUNT(*)"
        f" FROM judgement j JOIN pair p ON p.id = j.pair_id LEFT JOIN comparison c ON c.id = {_latest('j.pair_id')}"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        {"rater": rater},
    )
    return [Cell(*row) for row in rows]


def decided(store: Store, rater: str, judge: str) -> list[int]:
    """Return the pairs that both a judge and a person have answered, those first on which they differ.

    Only these are ever shown with what the judge says: a verdict that is taken back takes its pair out of here.
    """
    rows = store.connection.execute(
        "SELECT pair_id FROM (SELECT j.pair_id, j.first_shown_left AS one, j.first_shown_right AS other,"
        f" {ANSWER} AS person FROM judgement j JOIN pair p ON p.id = j.pair_id"
        f" JOIN comparison c ON c.id = {_latest('j.pair_id')} WHERE j.judge = :judge AND c.verdict <> 'skip')"
        " ORDER BY one <> other OR one = 'unclear' OR one = person, pair_id",
        {"rater": rater, "judge": judge},
    )
    return [pair_id for (pair_id,) in rows]


def seconds(store: Store, rater: str, judge: str, pair_ids: Sequence[int]) -> dict[int, Second]:
    """Return what a judge says of pairs (a screenful) that the person has decided, by pair; no other is in it."""
    rows = store.connection.execute(
        f"SELECT j.pair_id, j.judge, j.first_shown_left, j.first_shown_right, {ANSWER}, j.replies"
        f" FROM judgement j JOIN pair p ON p.id = j.pair_id JOIN comparison c ON c.id = {_latest('j.pair_id')}"
        " WHERE j.judge = :judge AND j.pair_id IN (SELECT value FROM json_each(:pairs)) AND c.verdict <> 'skip'",
        {"rater": rater, "judge": judge, "pairs": json.dumps(list(pair_ids))},
    )
    return {row[0]: Second(Judgement(*row[:4]), person, tuple(json.loads(said))) for *row, person, said in rows}


def _latest(pair: str) -> str:
    """Return SQL for the newest standing verdict of a person on a pair, less those that only measure the person."""
    # The sign keeps SQLite from going through all that the person ever said, for each pair anew.
    return (
        f"(SELECT MAX(s.id) FROM standing_verdict s WHERE s.pair_id = {pair} AND +s.rater = :rater"
        f" AND s.purpose NOT IN {NOT_COUNTED})"
    )


def _stored(parameters: dict[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True, ensure_ascii=False)
