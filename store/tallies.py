"""Sums over the journal of comparisons, made by SQLite: no verdict becomes an object of its own."""

from dataclasses import dataclass
from typing import NamedTuple

from store.database import Store
from store.gathered import MAJORITY, Gathered


class Sides(NamedTuple):
    """Verdicts given here, on pairs whose sides were drawn by lot."""

    left: int
    right: int


class Pace(NamedTuple):
    """How long verdicts took, pauses left out."""

    timed: int
    pauses: int
    median: float | None
    mean: float | None


class Meeting(NamedTuple):
    """What was decided between the responses of two authors; the names are in alphabetical order."""

    first: str
    second: str
    first_won: int
    second_won: int
    ties: int
    both_bad: int


class Half(NamedTuple):
    """The earlier (1) or later (2) half of what people answered here."""

    number: int
    left: int
    right: int
    ties: int
    both_bad: int


@dataclass(frozen=True)
class Criterion:
    """How often one criterion of a rubric decided, and with the verdict on the whole."""

    name: str
    asked: int
    decided: int
    both_decided: int
    as_overall: int


def raters(store: Store) -> list[str]:
    """Return everybody who judged pairs, whoever judged most first; not what files call their majority."""
    rows = store.connection.execute(
        "SELECT rater FROM comparison WHERE kind = 'verdict' AND implied_by IS NULL AND rater NOT LIKE ?"
        " GROUP BY 1 ORDER BY COUNT(*) DESC, 1",
        (f"{MAJORITY}%",),
    )
    return [name for (name,) in rows]


def tasks(store: Store) -> list[str]:
    """Return the names of the tasks that verdicts were given in."""
    rows = store.connection.execute(
        "SELECT DISTINCT task FROM comparison WHERE kind = 'verdict' AND task <> '' ORDER BY 1"
    )
    return [name for (name,) in rows]


def verdicts(of: Gathered) -> dict[str, int]:
    """Return how many pairs stand at each verdict: the person's own, or without one the verdict that counts."""
    return dict(of.rows("SELECT verdict, COUNT(*) FROM said WHERE chosen GROUP BY 1"))


def sides(of: Gathered) -> Sides:
    """Return how often the left and the right side won, of everything that was shown here."""
    return Sides(
        *of.rows(
            "SELECT COALESCE(SUM(verdict = 'left'), 0), COALESCE(SUM(verdict = 'right'), 0)"
            " FROM said WHERE mine AND shown",
        )[0]
    )


def pace(of: Gathered, idle: float) -> Pace:
    """Return how long verdicts took; longer than `idle` seconds is a pause."""
    worked = "FROM said WHERE mine AND seconds > 0 AND seconds <= :idle"
    ((timed, mean),) = of.rows(f"SELECT COUNT(*), AVG(seconds) {worked}", idle=idle)
    ((pauses,),) = of.rows("SELECT COUNT(*) FROM said WHERE mine AND seconds > :idle", idle=idle)
    middle = of.rows(
        f"SELECT AVG(seconds) FROM (SELECT seconds {worked} ORDER BY seconds"
        " LIMIT 2 - :timed % 2 OFFSET (:timed - 1) / 2)",
        idle=idle,
        timed=max(1, timed),
    )
    return Pace(timed, pauses, middle[0][0], mean)


def hasty(of: Gathered, *, shortest: float, speed: float, limit: int = 20) -> tuple[int, int, list[int]]:
    """Return how many verdicts came too fast for the length of both answers, of how many, and pairs of the latest."""
    of.measure()
    timed = (
        "FROM said s JOIN answer a ON a.id = s.first_id JOIN answer b ON b.id = s.second_id"
        " WHERE s.mine AND s.seconds IS NOT NULL AND s.answer IS NOT NULL"
    )
    fast = "s.seconds < MAX(:shortest, (a.length + b.length) / :speed)"
    # Reading at no speed at all is "not looked at": nothing is too fast then but what is below the shortest time.
    values = {"shortest": shortest, "speed": speed or float("inf")}
    ((fast_ones, all_of_them),) = of.rows(f"SELECT COALESCE(SUM({fast}), 0), COUNT(*) {timed}", **values)
    rows = of.rows(f"SELECT s.pair_id {timed} AND {fast} ORDER BY s.id DESC LIMIT :limit", **values, limit=limit)
    return fast_ones, all_of_them, [pair_id for (pair_id,) in rows]


def longer(of: Gathered) -> tuple[int, int]:
    """Return how often the longer of two answers won, of all decided pairs with one that is longer."""
    of.measure()
    ((won, decided),) = of.rows(
        "SELECT COALESCE(SUM((s.answer = 'first') = (a.length > b.length)), 0), COUNT(*)"
        " FROM said s JOIN answer a ON a.id = s.first_id JOIN answer b ON b.id = s.second_id"
        " WHERE s.chosen AND s.answer IN ('first', 'second') AND a.length <> b.length",
    )
    return won, decided


def meetings(of: Gathered) -> list[Meeting]:
    """Return what was decided between each two authors, those who met most first.

    A verdict given here counts where the names were kept back; what a file says is taken as it says it.
    """
    of.measure()
    rows = of.rows(
        "SELECT MIN(a.author, b.author), MAX(a.author, b.author),"
        " SUM(s.answer = CASE WHEN a.author < b.author THEN 'first' ELSE 'second' END),"
        " SUM(s.answer = CASE WHEN a.author < b.author THEN 'second' ELSE 'first' END),"
        " SUM(s.answer = 'tie'), SUM(s.answer = 'both_bad')"
        " FROM said s JOIN answer a ON a.id = s.first_id JOIN answer b ON b.id = s.second_id"
        " WHERE s.chosen AND s.answer IS NOT NULL AND a.author <> '' AND b.author <> '' AND a.author <> b.author"
        " AND (s.shown OR NOT EXISTS"
        " (SELECT 1 FROM response r WHERE r.id IN (s.first_id, s.second_id) AND r.origin <> 'file'))"
        " GROUP BY 1, 2 ORDER BY COUNT(*) DESC, 1, 2",
    )
    return [Meeting(*row) for row in rows]


class MostMet(NamedTuple):
    """The two authors who met most, without their names."""

    won: int
    """By the better one."""
    lost: int
    met: int
    """Pairs of authors that met at all."""


def most_met(store: Store, *, task: str, rater: str) -> MostMet | None:
    """Return how the authors who met most stand, by a person's verdicts that count; None where no two met.

    Quick enough to be asked again and again.
    """
    row = store.connection.execute(
        "SELECT MAX(first, second), MIN(first, second), COUNT(*) OVER () FROM (SELECT COUNT(*) AS times,"
        " SUM(c.verdict = CASE WHEN l.author < r.author THEN 'left' ELSE 'right' END) AS first,"
        " SUM(c.verdict = CASE WHEN l.author < r.author THEN 'right' ELSE 'left' END) AS second"
        f" {_MET} AND c.rater = ?1 AND c.implied_by IS NULL AND (?2 = '' OR c.task = ?2)"
        " AND (c.shown_at IS NOT NULL OR (l.origin = 'file' AND r.origin = 'file'))"
        " GROUP BY MIN(l.author, r.author), MAX(l.author, r.author))"
        " WHERE first + second > 0 ORDER BY times DESC, first + second DESC LIMIT 1",
        (rater, task),
    ).fetchone()
    return MostMet(*row) if row else None


def results_of_authors(store: Store, *, most: int) -> list[tuple[str, str, int, int, int]]:
    """Return, for two authors that met in judged pairs, their wins and ties; only between those that met most often.

    All verdicts that count are in it, those that follow from others too: what is asked next hangs on all that is known.
    """
    sql = f"""
    WITH number AS (
        SELECT l.author AS a, r.author AS b, SUM(c.verdict = 'left') AS wins, SUM(c.verdict = 'right') AS losses,
               SUM(c.verdict IN ('tie', 'both_bad')) AS ties, COUNT(*) AS met {_MET} GROUP BY 1, 2
    ), often AS (
        SELECT name FROM (SELECT a AS name, met FROM number UNION ALL SELECT b, met FROM number)
        GROUP BY name ORDER BY SUM(met) DESC, name LIMIT :most
    )
    SELECT a, b, wins, losses, ties FROM number WHERE a IN (SELECT name FROM often) AND b IN (SELECT name FROM often)
    """
    return store.connection.execute(sql, {"most": most}).fetchall()


def triangles(of: Gathered) -> tuple[int, int]:
    """Return how many threes of answers to a prompt go in a circle, of all threes that were decided.

    Circular triads, as Kendall and Babington Smith count them (Biometrika 31, 1940).
    """
    of.find_same()
    ((circular, decided),) = of.rows(_TRIANGLES)
    return circular, decided


def strengths(of: Gathered) -> dict[str, int]:
    """Return how many decided pairs were called slightly and clearly better."""
    sql = "SELECT strength, COUNT(*) FROM said WHERE chosen AND strength <> '' AND answer IN ('first', 'second')"
    return dict(of.rows(f"{sql} GROUP BY 1 ORDER BY 2 DESC, 1"))


def reasons(of: Gathered, limit: int = 20) -> dict[str, int]:
    """Return how often each reason was given, the most frequent first."""
    sql = "SELECT r.value, COUNT(*) FROM said s, json_each(s.reasons) r WHERE s.chosen GROUP BY 1 ORDER BY 2 DESC, 1"
    return dict(of.rows(f"{sql} LIMIT :limit", limit=limit))


def criteria(of: Gathered) -> list[Criterion]:
    """Return what was said by each criterion before the same person's verdict on the pair, beside that."""
    rows = of.rows(
        "SELECT c.criterion, COUNT(*), SUM(c.verdict IN ('left', 'right')),"
        " SUM((c.verdict IN ('left', 'right') AND s.answer IN ('first', 'second')) IS TRUE),"
        " SUM((s.answer = CASE (c.verdict = 'left') = (c.left_id = s.first_id) WHEN 1 THEN 'first' ELSE 'second' END"
        " AND c.verdict IN ('left', 'right')) IS TRUE)"
        " FROM standing c JOIN said s ON s.pair_id = c.pair_id AND s.rater = c.rater AND s.latest AND s.mine"
        " WHERE c.kind = 'criterion' AND c.id = (SELECT MAX(o.id) FROM standing o WHERE o.kind = 'criterion'"
        " AND o.pair_id = c.pair_id AND o.rater = c.rater AND o.criterion = c.criterion"
        " AND o.task = s.task AND o.id < s.id)"
        " GROUP BY 1 ORDER BY 1",
    )
    return [Criterion(*row) for row in rows]


def halves(of: Gathered) -> list[Half]:
    """Return the earlier and the later half of what each person answered here for the first time, added up."""
    rows = of.rows(
        "SELECT half, SUM(verdict = 'left'), SUM(verdict = 'right'), SUM(verdict = 'tie'), SUM(verdict = 'both_bad')"
        " FROM (SELECT verdict, NTILE(2) OVER (PARTITION BY rater ORDER BY id) AS half FROM said"
        " WHERE mine AND shown AND NOT again AND answer IS NOT NULL) GROUP BY half ORDER BY half",
    )
    return [Half(*row) for row in rows]


_MET = """
FROM pair p JOIN comparison c ON c.id = p.verdict_id
JOIN response l ON l.id = c.left_id JOIN response r ON r.id = c.right_id
WHERE c.verdict <> 'skip' AND l.author <> '' AND r.author <> '' AND l.author <> r.author
"""
"""Verdicts that count, on responses of two authors: the left one's and the right one's."""

_TRIANGLES = """
WITH won AS (
    SELECT COALESCE(a.same, s.first_id) AS one, COALESCE(b.same, s.second_id) AS two,
        CASE s.answer WHEN 'first' THEN 1 ELSE -1 END AS by
    FROM said s LEFT JOIN same a ON a.id = s.first_id LEFT JOIN same b ON b.id = s.second_id
    WHERE s.chosen AND s.answer IN ('first', 'second')
),
edge AS MATERIALIZED (
    SELECT MIN(one, two) AS low, MAX(one, two) AS high, SIGN(SUM(CASE WHEN one < two THEN by ELSE -by END)) AS by
    FROM won WHERE one <> two GROUP BY 1, 2 HAVING SUM(CASE WHEN one < two THEN by ELSE -by END) <> 0
)
SELECT COALESCE(SUM(ab.by = bc.by AND ac.by <> ab.by), 0), COUNT(*)
FROM edge ab JOIN edge ac ON ac.low = ab.low AND ac.high > ab.high
JOIN edge bc ON bc.low = ab.high AND bc.high = ac.high
"""
