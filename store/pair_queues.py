"""Which pairs wait to be judged, and in which order: what queues are made of."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Literal, NamedTuple

from store.database import Store
from store.journal import NOT_COUNTED
from store.synthetic import IS_UNREVIEWED

Choice = Literal["any", "different models", "temperatures", "tuned against base", "human against model"]
"""Which two responses a pair must have."""

Kind = Literal["undecided", "mine", "disagreements"]
"""What a pair waits for: for anybody's verdict, for one's own, or for somebody to settle what people disagree on."""

CHUNK = 50_000


class Scope(NamedTuple):
    """The pairs that a queue is about; never those of data that is out of use."""

    choice: Choice = "any"
    narrowed: bool = False
    """Whether only pairs of the examples count that `narrow` was told."""


class Waiting(NamedTuple):
    """What there is to know of a pair before it is shown, or again."""

    revision: int
    """The newest one of its example."""
    flagged: bool


class Counts(NamedTuple):
    """How far a queue is."""

    pairs: int
    done: int
    skipped: int
    """Those of the done ones that were skipped."""


def narrow(store: Store, chunks: Iterable[Sequence[int]]) -> None:
    """Remember examples: what is `narrowed` looks at these only."""
    store.connection.execute("DROP TABLE IF EXISTS temp.queued")
    store.connection.execute("CREATE TEMP TABLE queued (id INTEGER PRIMARY KEY)")
    for chunk in chunks:
        store.connection.execute(
            "INSERT OR IGNORE INTO temp.queued SELECT value FROM json_each(?)", (str(list(chunk)),)
        )


def undecided(store: Store, scope: Scope, *, shuffled: int | None = None) -> "array[int]":
    """Return the pairs without a verdict, as they came in or shuffled by a seed.

    A pair's place in the shuffled order comes from its id and the seed: others that come and go do not change it.
    """
    order = "p.id" if shuffled is None else f"{_shuffled('p.id', shuffled)}, p.id"
    return _ids(store, f"SELECT p.id {_pairs(scope)} AND p.verdict IS NULL ORDER BY {order}")


def fewest(store: Store, scope: Scope, *, rater: str) -> "array[int]":
    """Return the pairs that a person gave no verdict on, those first that the fewest others decided."""
    sql = (
        f"WITH {_TAKEN_BACK}, {_TOLD} SELECT p.id {_pairs(scope, _LEFT_TOLD)} AND NOT COALESCE(v.mine, 0)"
        " ORDER BY COALESCE(v.people, 0), p.id"
    )
    return _ids(store, sql, {"rater": rater})


def uncertain(store: Store, scope: Scope, strengths: Mapping[str, float], *, seed: int) -> "array[int]":
    """Return the pairs without a verdict, those first whose responses seem equally strong.

    A response is as strong as its author, and as it did in other pairs: twice the share of its wins less that of its
    losses comes near the logarithm of their odds.
    """
    _remember_strengths(store, strengths)
    order = f"ABS({_strength('a')} - {_strength('b')}), {_shuffled('p.id', seed)}, p.id"
    return _ids(store, f"SELECT p.id {_pairs(scope, _RESPONSES)} AND p.verdict IS NULL ORDER BY {order}")


def disagreements(store: Store, scope: Scope, *, rater: str) -> "array[int]":
    """Return the pairs on which people's latest verdicts differ, unless the newest was given to settle that.

    Those that a person was asked about, and skipped, wait for others only.
    """
    waiting = f"p.id IN ({_DISAGREED}) AND p.id NOT IN ({_PASSED})"
    sql = f"WITH {_TAKEN_BACK}, {_LATEST} SELECT p.id {_pairs(scope)} AND {waiting} ORDER BY p.id"
    return _ids(store, sql, {"rater": rater})


def rankable(store: Store, scope: Scope, *, rater: str, shuffled: int | None = None) -> "array[int]":
    """Return the examples that have pairs of responses on which a person gave no verdict."""
    order = "n.example_id" if shuffled is None else f"{_shuffled('n.example_id', shuffled)}, n.example_id"
    return _ids(store, f"WITH {_TAKEN_BACK} SELECT n.example_id {_rankable(scope)} ORDER BY {order}", {"rater": rater})


def begun_rankings(store: Store, scope: Scope, *, rater: str) -> list[int]:
    """Return those of them of which the person compared some."""
    sql = f"WITH {_TAKEN_BACK} SELECT n.example_id {_rankable(scope)} AND v.made > 0"
    return [number for (number,) in store.connection.execute(sql, {"rater": rater})]


def rankings_ahead(store: Store, scope: Scope, *, rater: str) -> list[tuple[int, int]]:
    """Return how many prompts of each number of responses the person compared none of."""
    sql = f"WITH {_TAKEN_BACK} SELECT n.number, COUNT(*) {_rankable(scope)} AND COALESCE(v.made, 0) = 0 GROUP BY 1"
    return store.connection.execute(sql, {"rater": rater}).fetchall()


def counts(store: Store, scope: Scope, kind: Kind, *, rater: str) -> Counts:
    """Return how many pairs a queue has in all, and how many of them do not wait any more."""
    if kind == "undecided":
        sql = f"SELECT COUNT(*), COUNT(p.verdict), SUM(p.verdict = 'skip') {_pairs(scope)}"
    elif kind == "mine":
        sql = f"WITH {_TAKEN_BACK}, {_TOLD} SELECT COUNT(*), SUM(v.mine), SUM(v.skipped) {_pairs(scope, _LEFT_TOLD)}"
    else:
        sql = (
            f"WITH {_TAKEN_BACK}, {_LATEST} SELECT COUNT(*), SUM(p.id NOT IN ({_DISAGREED}) OR p.id IN ({_PASSED})),"
            f" SUM(p.id IN ({_PASSED})) {_pairs(scope)} AND (p.id IN ({_DISAGREED}) OR p.id IN ({_REVIEWED}))"
        )
    row = store.connection.execute(sql, {"rater": rater}).fetchone()
    return Counts(*(number or 0 for number in row))


def counts_of_task(store: Store, task: str, kind: Kind, *, rater: str) -> Counts:
    """Return how many pairs were judged in a task, whether or not they are of those that it is about now."""
    sql = (
        f"WITH {_TAKEN_BACK} SELECT COUNT(*), COUNT(*), SUM(skipped) FROM"
        f" (SELECT MAX(c.id), c.verdict = 'skip' AS skipped FROM comparison c JOIN pair p ON p.id = c.pair_id"
        f" WHERE c.task = :task AND c.kind = 'verdict' AND c.{_COUNTED} AND c.implied_by IS NULL AND {_STANDS}"
        f" AND {_BY_TASK[kind]} AND {_in_use('p.example_id', Scope())} GROUP BY c.pair_id)"
    )
    return Counts(*(number or 0 for number in store.connection.execute(sql, {"task": task, "rater": rater}).fetchone()))


def ranking_counts(store: Store, scope: Scope, *, rater: str) -> Counts:
    """Return how many comparisons a person made where responses are ranked; how many there will be nobody knows."""
    sql = (
        f"WITH {_TAKEN_BACK} SELECT SUM(v.made), SUM(v.skipped) FROM ({_RANKED}) n"
        f" JOIN ({_RANKED_BY}) v ON v.example_id = n.example_id WHERE {_in_use('n.example_id', scope)}"
    )
    made, skipped = store.connection.execute(sql, {"rater": rater}).fetchone()
    return Counts(made or 0, made or 0, skipped or 0)


def waiting(store: Store, pair_id: int, kind: Kind, *, rater: str) -> Waiting | None:
    """Return what a pair is now if it still waits, and its data is in use; else None."""
    return _waiting(store, pair_id, _WAITS[kind], rater)


def in_use(store: Store, pair_id: int) -> Waiting | None:
    """Return what a pair is now if its data is in use, whether or not it was judged; else None."""
    return _waiting(store, pair_id, "1", "")


def first_undecided(store: Store, *, after: int, limit: int) -> list[int]:
    """Return pairs without a verdict, as they came in, after one of them."""
    rows = store.connection.execute(
        f"SELECT p.id FROM pair p JOIN example e ON e.id = p.example_id WHERE p.verdict IS NULL AND p.id > ?"
        f" AND {_USABLE} ORDER BY p.id LIMIT ?",
        (after, limit),
    )
    return [number for (number,) in rows]


def candidates(store: Store, example_id: int) -> list[int]:
    """Return the responses to an example's prompt, oldest first; none where its data is out of use."""
    rows = store.connection.execute(
        f"SELECT s.id FROM example e JOIN response s ON s.example_id = e.id WHERE e.id = ? AND {_USABLE} ORDER BY s.id",
        (example_id,),
    )
    return [number for (number,) in rows]


def _ids(store: Store, sql: str, values: Mapping[str, str | int] | None = None) -> "array[int]":
    found = array("q")
    cursor = store.connection.execute(sql, values or {})
    while rows := cursor.fetchmany(CHUNK):
        found.extend(chain.from_iterable(rows))
    return found


def _waiting(store: Store, pair_id: int, condition: str, rater: str) -> Waiting | None:
    row = store.connection.execute(
        "SELECT e.revision, e.flagged FROM pair p JOIN example e ON e.id = p.example_id"
        f" WHERE p.id = :pair AND {_USABLE} AND {condition}",
        {"pair": pair_id, "rater": rater},
    ).fetchone()
    return Waiting(row[0], bool(row[1])) if row else None


def _pairs(scope: Scope, joined: str = "") -> str:
    """Return the FROM and WHERE of the pairs that a queue is about."""
    if scope.choice != "any" and _RESPONSES not in joined:
        joined += _RESPONSES
    return f"FROM pair p{joined} WHERE {_in_use('p.example_id', scope)} AND {_CHOSEN[scope.choice]}"


def _rankable(scope: Scope) -> str:
    """Return the FROM and WHERE of the examples `n` with responses to be ranked, and what a person said of them `v`."""
    return (
        f"FROM ({_RANKED}) n LEFT JOIN ({_RANKED_BY}) v ON v.example_id = n.example_id"
        f" WHERE {_in_use('n.example_id', scope)} AND COALESCE(v.told, 0) < n.number * (n.number - 1) / 2"
    )


def _in_use(example: str, scope: Scope) -> str:
    # All less those out of use: they are few, and a million examples need not be looked up one by one.
    known = f" AND {example} IN (SELECT id FROM temp.queued)" if scope.narrowed else ""
    return f"{example} NOT IN ({_OUT_OF_USE}){known}"


def _shuffled(number: str, seed: int) -> str:
    """Return an expression that gives ids numbers as if drawn at random, the same ones for the same seed.

    SQLite has no such function, and one in Python would keep the rest of the program from running meanwhile. Each
    round multiplies by what the number itself decides, modulo a prime; no product is larger than 64 bits hold.
    """
    digest = blake2b(str(seed).encode(), digest_size=12).digest()
    keys = [int.from_bytes(digest[start : start + 4], "big") % _PRIME for start in (0, 4, 8)]
    mixed = f"((({number} % {_PRIME}) * 48271 + {keys[0]}) % {_PRIME})"
    for key, shift in zip(keys[1:], (13, 9), strict=True):
        mixed = f"(({mixed} * (({mixed} >> {shift}) + {key} % {_PRIME >> 1} + 1)) % {_PRIME})"
    return mixed


def _remember_strengths(store: Store, strengths: Mapping[str, float]) -> None:
    connection = store.connection
    connection.execute("DROP TABLE IF EXISTS temp.author_strength")
    connection.execute("CREATE TEMP TABLE author_strength (author TEXT PRIMARY KEY, strength REAL) WITHOUT ROWID")
    connection.executemany("INSERT INTO temp.author_strength VALUES (?, ?)", strengths.items())
    connection.execute("DROP TABLE IF EXISTS temp.response_strength")
    connection.execute("CREATE TEMP TABLE response_strength (id INTEGER PRIMARY KEY, strength REAL)")
    connection.execute(
        "INSERT INTO temp.response_strength SELECT id, 2.0 * SUM(won) / (COUNT(*) + 1) FROM ("
        " SELECT c.left_id AS id, (p.verdict = 'left') - (p.verdict = 'right') AS won"
        " FROM pair p JOIN comparison c ON c.id = p.verdict_id WHERE p.verdict IN ('left', 'right') UNION ALL"
        " SELECT c.right_id, (p.verdict = 'right') - (p.verdict = 'left')"
        " FROM pair p JOIN comparison c ON c.id = p.verdict_id WHERE p.verdict IN ('left', 'right')"
        ") GROUP BY id"
    )


def _strength(response: str) -> str:
    return (
        f"(COALESCE((SELECT s.strength FROM temp.author_strength s WHERE s.author = {response}.author), 0)"
        f" + COALESCE((SELECT s.strength FROM temp.response_strength s WHERE s.id = {response}.id), 0))"
    )


_PRIME = 2**31 - 1

_RESPONSES = " JOIN response a ON a.id = p.first_id JOIN response b ON b.id = p.second_id"

_TEMPERATURE = "json_extract({}.parameters, '$.temperature')"

_CHOSEN: dict[Choice, str] = {
    "any": "1",
    "different models": (
        "a.origin <> 'human' AND b.origin <> 'human' AND a.author <> '' AND b.author <> '' AND a.author <> b.author"
    ),
    "temperatures": f"a.author = b.author AND {_TEMPERATURE.format('a')} <> {_TEMPERATURE.format('b')}",
    "tuned against base": "(a.origin, b.origin) IN (VALUES ('run', 'model'), ('model', 'run'))",
    "human against model": "(a.origin = 'human') <> (b.origin = 'human')",
}

_USABLE = (
    "NOT e.excluded AND e.status <> 'rejected'"
    " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = e.record_id AND r.excluded)"
    f" AND NOT {IS_UNREVIEWED}"
)

_OUT_OF_USE = (
    "SELECT id FROM example WHERE excluded UNION SELECT id FROM example WHERE status = 'rejected' UNION"
    " SELECT e.id FROM record r JOIN example e ON e.record_id = r.id WHERE r.excluded UNION"
    f" SELECT e.id FROM synthetic s JOIN example e ON e.id = s.example_id WHERE {IS_UNREVIEWED}"
)

# What was taken back is little, and need not be asked of every line of the journal as the view `standing` does.
_TAKEN_BACK = (
    "taken_back AS MATERIALIZED (SELECT target_id AS id FROM"
    " (SELECT target_id, kind, MAX(id) FROM comparison WHERE target_id IS NOT NULL GROUP BY target_id)"
    " WHERE kind = 'undo')"
)
_STANDS = "COALESCE(c.implied_by, c.id) NOT IN (SELECT id FROM taken_back)"

_TOLD = (
    "told AS MATERIALIZED (SELECT c.pair_id, MAX(c.rater = :rater) AS mine,"
    " MAX(c.rater = :rater AND c.verdict = 'skip') AS skipped,"
    " COUNT(DISTINCT CASE WHEN c.verdict <> 'skip' AND c.rater <> :rater THEN c.rater END) AS people"
    f" FROM comparison c WHERE c.kind = 'verdict' AND {_STANDS} GROUP BY c.pair_id)"
)
_LEFT_TOLD = " LEFT JOIN told v ON v.pair_id = p.id"

_OUTCOME = "CASE {0}.verdict WHEN 'left' THEN {0}.left_id WHEN 'right' THEN {0}.right_id WHEN 'tie' THEN -1"
_OUTCOME += " WHEN 'both_bad' THEN -2 END"
_COUNTED = f"purpose NOT IN {NOT_COUNTED}"
_SETTLED = "purpose IN ('review', 'change', 'edited')"
_IS_PASSED = "(c.purpose = 'review' AND c.verdict = 'skip')"
_LATEST = (
    f"latest AS (SELECT c.pair_id, MAX(c.id) AS id, c.purpose, {_OUTCOME.format('c')} AS outcome FROM comparison c"
    f" WHERE c.kind = 'verdict' AND c.{_COUNTED} AND NOT {_IS_PASSED} AND {_STANDS} GROUP BY c.pair_id, c.rater)"
)
_DISAGREED = (
    "SELECT pair_id FROM (SELECT pair_id, purpose, MAX(id), COUNT(DISTINCT outcome) AS outcomes FROM latest"
    f" GROUP BY pair_id) WHERE outcomes > 1 AND NOT {_SETTLED}"
)
_REVIEWED = f"SELECT c.pair_id FROM comparison c WHERE c.kind = 'verdict' AND c.purpose = 'review' AND {_STANDS}"
_PASSED = f"SELECT c.pair_id FROM comparison c WHERE c.rater = :rater AND {_IS_PASSED} AND {_STANDS}"
_ON_ONE = f"FROM standing_verdict c WHERE c.pair_id = p.id AND c.{_COUNTED} AND NOT {_IS_PASSED}"
_DISAGREED_ON_ONE = (
    f"(SELECT COUNT(DISTINCT outcome) > 1 FROM (SELECT MAX(c.id), {_OUTCOME.format('c')} AS outcome {_ON_ONE}"
    f" GROUP BY c.rater)) AND NOT (SELECT {_SETTLED} FROM (SELECT MAX(c.id), c.purpose {_ON_ONE}))"
    " AND NOT EXISTS (SELECT 1 FROM standing_verdict c WHERE c.pair_id = p.id AND +c.rater = :rater"
    f" AND {_IS_PASSED})"
)

_WAITS: dict[Kind, str] = {
    "undecided": "p.verdict IS NULL",
    "mine": "NOT EXISTS (SELECT 1 FROM standing_verdict c WHERE c.pair_id = p.id AND +c.rater = :rater)",
    "disagreements": _DISAGREED_ON_ONE,
}

_BY_TASK: dict[Kind, str] = {
    "undecided": "1",
    "mine": "c.rater = :rater",
    "disagreements": "c.purpose = 'review'",
}

_RANKED = "SELECT example_id, COUNT(*) AS number FROM response GROUP BY example_id HAVING COUNT(*) > 1"
_RANKED_BY = (
    "SELECT p.example_id, COUNT(DISTINCT p.id) AS told, COUNT(DISTINCT CASE WHEN c.purpose <> 'implied' THEN p.id END)"
    " AS made, SUM(c.verdict = 'skip') AS skipped FROM comparison c JOIN pair p ON p.id = c.pair_id"
    f" WHERE c.rater = :rater AND c.kind = 'verdict' AND c.{_COUNTED} AND {_STANDS} GROUP BY p.example_id"
)
