"""The same pairs read twice, by one person or by two; counted by SQLite, as in `store.tallies`."""

import json
from dataclasses import dataclass
from typing import NamedTuple

from store.gathered import Answer, Gathered
from store.pairs import Verdict


class Again(NamedTuple):
    """How many pairs that came back had one answer before and another, or the same, then."""

    purpose: str
    swapped: bool
    """Whether the sides were the other way round the second time."""
    day: str
    """When the first answer was given."""
    before: Answer
    after: Answer
    times: int


class Twins(NamedTuple):
    """Pairs that say the same as another pair, judged by the same person."""

    rater: str
    groups: int
    """Pairs of texts that were judged more than once in the same order."""
    alike: int
    """Of these, those whose verdicts are all the same."""
    swapped: int
    """Pairs of texts that were judged in both orders."""
    mirrored: int
    """Of these, those whose verdict went with the texts."""


class TwinAnswers(NamedTuple):
    """How often the first verdict on two texts was one and a later one was another, or the same."""

    before: Verdict
    after: Verdict
    times: int


class Both(NamedTuple):
    """How many pairs two people judged so."""

    rater: str
    other: str
    answer: Answer
    others_answer: Answer
    times: int


@dataclass(frozen=True)
class Disagreement:
    """A pair that people judged differently, which nobody settled."""

    pair_id: int
    answers: dict[str, Answer]


def again(of: Gathered) -> list[Again]:
    """Return what people said of pairs that came back, beside their own verdict before."""
    rows = of.rows(
        "SELECT r.purpose, r.left_id <> b.left_id, date(b.answered_at, 'localtime'), b.answer, r.answer, COUNT(*)"
        " FROM said r JOIN said b ON b.id = (SELECT MAX(x.id) FROM said x WHERE x.pair_id = r.pair_id"
        " AND x.rater = r.rater AND x.id < r.id AND NOT x.again)"
        " WHERE r.again AND r.mine AND r.answer IS NOT NULL AND b.answer IS NOT NULL GROUP BY 1, 2, 3, 4, 5"
    )
    return [Again(row[0], bool(row[1]), *row[2:]) for row in rows]


def twins(of: Gathered) -> list[Twins]:
    """Return for each person how steady they were on texts that the data has more than once."""
    of.find_same()
    return [Twins(*row) for row in of.rows(_TWINS)]


def twin_answers(of: Gathered) -> list[TwinAnswers]:
    """Return the first and the later verdicts on texts that the data has more than once, in the same order."""
    of.find_same()
    rows = of.rows(f"{_SEEN} SELECT first_said, verdict, COUNT(*) FROM seen WHERE number > 1 GROUP BY 1, 2")
    return [TwinAnswers(*row) for row in rows]


def both(of: Gathered) -> list[Both]:
    """Return what each two people said of the pairs that both judged; with one person named, only theirs.

    What was said to settle a disagreement is left out: it would make agreement of what was none.
    """
    rows = of.rows(
        "SELECT a.rater, b.rater, a.answer, b.answer, COUNT(*) FROM said a JOIN said b"
        " ON b.pair_id = a.pair_id AND b.rater > a.rater"
        " WHERE a.apart AND b.apart AND a.person AND b.person AND a.answer IS NOT NULL AND b.answer IS NOT NULL"
        " AND a.asked AND b.asked AND (a.mine OR b.mine) GROUP BY 1, 2, 3, 4"
    )
    return [Both(*row) for row in rows]


def disagreements(of: Gathered, limit: int = 100) -> tuple[int, list[Disagreement]]:
    """Return how many pairs people judged differently without anybody settling it, and the first of them."""
    ((count,),) = of.rows(f"SELECT COUNT(*) FROM ({_DISPUTED})", rater=of.rater)
    rows = of.rows(f"{_DISPUTED} ORDER BY pair_id LIMIT :limit", rater=of.rater, limit=limit)
    return count, [Disagreement(pair_id, json.loads(answers)) for pair_id, answers in rows]


_SEEN = """
WITH sides AS (
    SELECT id, rater, answer,
        CASE WHEN shown THEN left_id ELSE first_id END AS one, CASE WHEN shown THEN right_id ELSE second_id END AS two,
        CASE WHEN shown THEN verdict WHEN answer = 'first' THEN 'left' WHEN answer = 'second' THEN 'right'
            ELSE answer END AS verdict
    FROM said WHERE latest AND mine AND answer IS NOT NULL
),
texts AS (
    SELECT s.id, s.rater, s.verdict, COALESCE(l.same, s.one) AS left_text, COALESCE(r.same, s.two) AS right_text
    FROM sides s LEFT JOIN same l ON l.id = s.one LEFT JOIN same r ON r.id = s.two
    WHERE l.id IS NOT NULL OR r.id IS NOT NULL
),
seen AS MATERIALIZED (
    SELECT rater, left_text, right_text, verdict, FIRST_VALUE(verdict) OVER one AS first_said,
        ROW_NUMBER() OVER one AS number
    FROM texts WINDOW one AS (PARTITION BY rater, left_text, right_text ORDER BY id)
)
"""

_TWINS = f"""
{_SEEN},
texts_of AS MATERIALIZED (
    SELECT rater, left_text, right_text, first_said, COUNT(*) AS times, MIN(verdict) = MAX(verdict) AS alike
    FROM seen GROUP BY 1, 2, 3
),
turned AS (
    SELECT a.rater, COUNT(*) AS swapped, SUM(b.first_said = CASE a.first_said
        WHEN 'left' THEN 'right' WHEN 'right' THEN 'left' ELSE a.first_said END) AS mirrored
    FROM texts_of a JOIN texts_of b
        ON b.rater = a.rater AND b.left_text = a.right_text AND b.right_text = a.left_text
    WHERE a.left_text < a.right_text GROUP BY 1
)
SELECT t.rater, SUM(t.times > 1), SUM(t.times > 1 AND t.alike), COALESCE(u.swapped, 0), COALESCE(u.mirrored, 0)
FROM texts_of t LEFT JOIN turned u ON u.rater = t.rater
GROUP BY t.rater HAVING SUM(t.times > 1) OR u.swapped ORDER BY t.rater
"""

# The one maximum decides from which row the bare `purpose` is: that of the newest verdict.
_DISPUTED = """
SELECT pair_id, answers FROM (
    SELECT pair_id, json_group_object(rater, answer) FILTER (WHERE asked) AS answers, MAX(id), purpose,
        COUNT(DISTINCT CASE WHEN asked THEN answer END) > 1 AS differ, SUM(rater = :rater AND asked) AS mine
    FROM said WHERE latest AND person AND answer IS NOT NULL GROUP BY pair_id
) WHERE differ AND purpose NOT IN ('review', 'change', 'edited') AND (:rater = '' OR mine)
"""
