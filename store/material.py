"""What snapshots are made from: examples and pairs with all their texts, in one pass over the file."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, cast

import orjson

from store.database import Store
from store.examples import Split
from store.quoting import Message
from store.snapshots import SnapshotItem
from store.synthetic import IS_UNREVIEWED


class Material(NamedTuple):
    """One example, pair or labelled answer as it is stored."""

    # The first six are those of a snapshot's item.
    split: Split
    example_id: int
    revision: int
    chosen_id: int | None
    rejected_id: int | None
    comparison_id: int | None
    # With the next five they are what all of its text is made of.
    messages: str
    tools: str | None
    chosen: str | None
    rejected: str | None
    record_is: bytes | None
    """What the record is known by: the hash of its bytes, or its fields where the bytes do not say their names."""
    record: bytes | None
    """The record's fields as JSON."""
    source_id: int | None
    group: bytes
    """The key of the prompt that the example was made with."""
    state: str | None
    """Why it can't be used: excluded, rejected, unreviewed, unjudged, tie, both_bad, skip, mixed or
    untaught; None where it can."""


class Columns(NamedTuple):
    """Several materials, column by column: for what is the same for many, or has to be gone through quickly."""

    split: tuple[Split, ...] = ()
    example_id: tuple[int, ...] = ()
    revision: tuple[int, ...] = ()
    chosen_id: tuple[int | None, ...] = ()
    rejected_id: tuple[int | None, ...] = ()
    comparison_id: tuple[int | None, ...] = ()
    messages: tuple[str, ...] = ()
    tools: tuple[str | None, ...] = ()
    chosen: tuple[str | None, ...] = ()
    rejected: tuple[str | None, ...] = ()
    record_is: tuple[bytes | None, ...] = ()
    record: tuple[bytes | None, ...] = ()
    source_id: tuple[int | None, ...] = ()
    group: tuple[bytes, ...] = ()
    state: tuple[str | None, ...] = ()

    @classmethod
    def of(cls, materials: Iterable[tuple[Any, ...]]) -> "Columns":
        """Turn materials, or rows that have their values, into columns."""
        return cls(*zip(*materials, strict=True))

    def each(self) -> Iterator[Material]:
        """Yield the materials."""
        return map(Material._make, zip(*self, strict=True))


READ_TOGETHER = 100
"""Materials that are read at once: few enough that all their texts stay in the processor's cache."""

Texts = tuple[list[Message], list[dict[str, Any]] | None, list[Message], list[Message], bool]
"""What a material says: messages, tools, the better and the worse answer; and whether it is certain to be
what every JSON file can hold."""


def narrow(store: Store, chunks: Iterable[Sequence[int]]) -> None:
    """Let later reading in this transaction see these examples only, where it is told `narrowed`."""
    store.connection.execute("DROP TABLE IF EXISTS temp.wanted")
    store.connection.execute("CREATE TEMP TABLE wanted (id INTEGER PRIMARY KEY)")
    for chunk in chunks:
        store.connection.executemany("INSERT OR IGNORE INTO temp.wanted VALUES (?)", zip(chunk, strict=True))


def conversations(store: Store, *, split: Split | None = None, narrowed: bool = False) -> Iterator[Columns]:
    """Yield every example at its newest revision, by id."""
    where, values = _where(split, narrowed)
    sql = _select(_UNWANTED, "NULL, NULL, NULL", "NULL, NULL")
    return _materials(store, f"{sql} FROM example e {_RECORD} {_NEWEST} {_TEXT} {where} ORDER BY e.id", values)


def judged_pairs(store: Store, *, split: Split | None = None, narrowed: bool = False) -> Iterator[Columns]:
    """Yield every pair, by id, with its better and its worse response where one was found better."""
    where, values = _where(split, narrowed)
    state = f"CASE {_NOT_WANTED} WHEN p.verdict IS NULL THEN 'unjudged' WHEN a.id IS NULL THEN p.verdict END"
    # CROSS JOIN keeps SQLite from starting elsewhere and sorting a million texts afterwards.
    return _materials(
        store,
        f"{_select(state, 'a.id, b.id, p.verdict_id', 'a.messages, b.messages')} FROM pair p"
        f" CROSS JOIN example e ON e.id = p.example_id {_RECORD}"
        " LEFT JOIN comparison c ON c.id = p.verdict_id"
        " LEFT JOIN response a ON a.id = CASE p.verdict WHEN 'left' THEN c.left_id WHEN 'right' THEN c.right_id END"
        " LEFT JOIN response b ON b.id = CASE p.verdict WHEN 'left' THEN c.right_id WHEN 'right' THEN c.left_id END"
        f" {_NEWEST} LEFT JOIN record_text t ON t.record_id = CASE WHEN a.id THEN e.record_id END"
        f" {where} ORDER BY p.id",
        values,
    )


def labelled_answers(store: Store, *, split: Split | None = None, narrowed: bool = False) -> Iterator[Columns]:
    """Yield every response that was called good or bad by itself, by id, unless a pair says it already."""
    where, values = _where(split, narrowed)
    return _materials(
        store,
        f"{_select(_UNWANTED, _ONE_SIDE, _ONE_TEXT)} FROM response a CROSS JOIN example e ON e.id = a.example_id"
        f" {_RECORD} {_NEWEST} {_TEXT} {where} {'AND' if where else 'WHERE'} {_LABELLED} ORDER BY a.id",
        values,
    )


def unpaired_answers(store: Store, *, split: Split | None = None, narrowed: bool = False) -> Iterator[Columns]:
    """Yield every response that is good or bad, by id: by the verdicts on its pairs, or else by its own label."""
    where, values = _where(split, narrowed)
    state = f"CASE {_NOT_WANTED} WHEN s.best <> s.worst THEN 'mixed' END"
    good = "COALESCE(s.best, a.label)"
    ids = f"CASE WHEN {good} THEN a.id END, CASE WHEN NOT {good} THEN a.id END, s.comparison_id"
    answers = f"CASE WHEN {good} THEN a.messages END, CASE WHEN NOT {good} THEN a.messages END"
    return _materials(
        store,
        f"WITH said AS ({_SAID}) {_select(state, ids, answers)} FROM response a LEFT JOIN said s ON s.id = a.id"
        f" CROSS JOIN example e ON e.id = a.example_id {_RECORD} {_NEWEST} {_TEXT}"
        f" {where} {'AND' if where else 'WHERE'} {good} IS NOT NULL ORDER BY a.id",
        values,
    )


def taught_answers(
    store: Store, *, split: Split | None = None, narrowed: bool = False, teacher: str = ""
) -> Iterator[Columns]:
    """Yield every example, by id, with the newest whole response of a teacher, or of any model where none is named."""
    where, values = _where(split, narrowed)
    by = "x.author = ? AND x.origin <> 'human'" if teacher else "x.origin IN ('run', 'model')"
    # Of one that was cut at its length the cut would be learnt as its end.
    newest = (
        f"SELECT MAX(x.id) FROM response x WHERE x.example_id = e.id AND {by}"
        " AND COALESCE(x.parameters ->> 'ended', '') <> 'length'"
    )
    state = f"CASE {_NOT_WANTED} WHEN a.id IS NULL THEN 'untaught' END"
    return _materials(
        store,
        f"{_select(state, 'a.id, NULL, NULL', 'a.messages, NULL')} FROM example e {_RECORD}"
        f" LEFT JOIN response a ON a.id = ({newest}) {_NEWEST} {_TEXT}"
        f" {where} ORDER BY e.id",
        ((teacher,) if teacher else ()) + values,
    )


def of_items(store: Store, items: Iterable[SnapshotItem]) -> Iterator[Columns]:
    """Yield what a snapshot's items stood for when it was taken, in its order."""
    store.connection.execute("DROP TABLE IF EXISTS temp.item")
    store.connection.execute(
        "CREATE TEMP TABLE item (position INTEGER PRIMARY KEY, split, example_id, revision, chosen_id, rejected_id,"
        " comparison_id)"
    )
    store.connection.executemany("INSERT INTO temp.item VALUES (NULL, ?, ?, ?, ?, ?, ?)", items)
    sql = _select("NULL", "i.chosen_id, i.rejected_id, i.comparison_id", "a.messages, b.messages", item="i")
    return _materials(
        store,
        f"{sql} FROM temp.item i CROSS JOIN example e ON e.id = i.example_id {_RECORD}"
        " LEFT JOIN response a ON a.id = i.chosen_id LEFT JOIN response b ON b.id = i.rejected_id"
        f" JOIN revision v ON v.example_id = e.id AND v.number = i.revision {_TEXT} ORDER BY i.position",
        (),
    )


def count(store: Store, what: str, *, split: Split | None = None, narrowed: bool = False) -> int:
    """Return how many `conversations`, `judged_pairs` and so on there are."""
    where, values = _where(split, narrowed)
    sql = {
        "conversations": "SELECT COUNT(*) FROM example e",
        "taught_answers": "SELECT COUNT(*) FROM example e",
        "unpaired_answers": f"WITH said AS ({_SAID}) SELECT COUNT(*) FROM response a"
        " LEFT JOIN said s ON s.id = a.id JOIN example e ON e.id = a.example_id",
        "judged_pairs": "SELECT COUNT(*) FROM pair p" + (" JOIN example e ON e.id = p.example_id" if where else ""),
        "labelled_answers": "SELECT COUNT(*) FROM response a JOIN example e ON e.id = a.example_id",
    }[what]
    if what == "labelled_answers":
        where += f" {'AND' if where else 'WHERE'} {_LABELLED}"
    elif what == "unpaired_answers":
        where += f" {'AND' if where else 'WHERE'} COALESCE(s.best, a.label) IS NOT NULL"
    return int(store.connection.execute(f"{sql} {where}", values).fetchone()[0])


class Alike(NamedTuple):
    """Pairs that all consist of three single messages, each a whole column of its pair's record."""

    roles: tuple[str, ...]
    prompts: tuple[str, ...]
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]


def alike(found: Columns) -> Alike | None:
    """Return what pairs say that are stored alike, as most that were imported are; None where some are not.

    It says the same as `texts` of each, in half the time: there is no step of Python's for each message.
    """
    stored_as = (found.messages, found.tools, found.chosen, found.rejected, found.state)
    if any(column.count(column[0]) < len(column) for column in stored_as):
        return None
    messages, tools, chosen, rejected, state = (column[0] for column in stored_as)
    if tools or state or not chosen or not rejected or not messages:
        return None
    if len(messages) + len(chosen) + len(rejected) >= _SHORT:
        return None
    quoted = _quoted_columns(messages, chosen, rejected)
    if quoted is None:
        return None
    roles, places = quoted
    try:
        said = map(itemgetter(*places), map(orjson.loads, cast(tuple[bytes, ...], found.record)))
        prompts, better, worse = zip(*said, strict=True)
    except orjson.JSONDecodeError:
        return None
    return Alike(roles, prompts, better, worse)


def texts(material: Material) -> Texts:
    """Return what a material says, its record parsed once for all that is quoted from it."""
    _, _, _, _, _, _, messages, tools, chosen, rejected, _, record, _, _, _ = material
    if tools is None:
        try:
            fields: Any = orjson.loads(record) if record else None
            if not any(part and '"tool_calls"' in part for part in (messages, chosen, rejected)):
                return _said(messages, fields), None, _said(chosen, fields), _said(rejected, fields), True
        except orjson.JSONDecodeError:
            pass
    # Slower, but it keeps halves of characters, and the numbers of tool calls whatever their size.
    fields = json.loads(record.decode()) if record else None
    said, better, worse = (_said(part, fields, json.loads) for part in (messages, chosen, rejected))
    return said, json.loads(tools) if tools else None, better, worse, False


def _said(stored: str | None, fields: Any, loads: Callable[[str], Any] = orjson.loads) -> list[Message]:
    """Return messages with the texts that they quote."""
    messages: list[Message] = loads(stored) if stored else []
    for message in messages:
        place = message["content"]
        if isinstance(place, list):
            text = fields
            for step in place:
                text = text[step]
            message["content"] = text
    return messages


_SHORT = 400
"""Characters of three stored lists of messages that may say the same in a great many rows."""


@lru_cache(maxsize=1024)
def _quoted_columns(*stored: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return roles and columns where all are single messages that quote a whole column: most imported pairs."""
    roles, places = [], []
    for messages in map(json.loads, stored):
        place = messages[0]["content"]
        if len(messages) > 1 or set(messages[0]) != {"role", "content"} or not isinstance(place, list) or place[1:]:
            return None
        roles.append(messages[0]["role"])
        places.append(place[0])
    return tuple(roles), tuple(places)


_EXCLUDED = "(e.excluded OR COALESCE(r.excluded, 0))"
_NOT_WANTED = (
    f"WHEN {_EXCLUDED} THEN 'excluded' WHEN e.status = 'rejected' THEN 'rejected'"
    f" WHEN {IS_UNREVIEWED} THEN 'unreviewed'"
)
_UNWANTED = f"CASE {_NOT_WANTED} END"
_RECORD = "LEFT JOIN record r ON r.id = e.record_id"
_NEWEST = "CROSS JOIN revision v ON v.example_id = e.id AND v.number = e.revision"
_TEXT = "LEFT JOIN record_text t ON t.record_id = e.record_id"
_ONE_SIDE = "CASE WHEN a.label THEN a.id END, CASE WHEN NOT a.label THEN a.id END, NULL"
_ONE_TEXT = "CASE WHEN a.label THEN a.messages END, CASE WHEN NOT a.label THEN a.messages END"
_LABELLED = (
    "a.label IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pair p WHERE p.example_id = a.example_id"
    " AND a.id IN (p.first_id, p.second_id) AND p.verdict IN ('left', 'right'))"
)
_DECIDED = "FROM pair p JOIN comparison c ON c.id = p.verdict_id WHERE p.verdict IN ('left', 'right')"
_SAID = (
    "SELECT id, MAX(good) AS best, MIN(good) AS worst, MAX(comparison_id) AS comparison_id FROM ("
    "SELECT CASE p.verdict WHEN 'left' THEN c.left_id ELSE c.right_id END AS id, 1 AS good, c.id AS comparison_id"
    f" {_DECIDED} UNION ALL"
    f" SELECT CASE p.verdict WHEN 'left' THEN c.right_id ELSE c.left_id END, 0, c.id {_DECIDED} UNION ALL"
    " SELECT first_id, 0, verdict_id FROM pair WHERE verdict = 'both_bad' UNION ALL"
    " SELECT second_id, 0, verdict_id FROM pair WHERE verdict = 'both_bad') GROUP BY id"
)


def _select(state: str, ids: str, answers: str, item: str = "e") -> str:
    return (
        f"SELECT {item}.split, e.id, {item}.revision, {ids}, v.messages, v.tools, {answers},"
        " CAST(COALESCE(t.fields, r.hash) AS BLOB), CAST(COALESCE(t.fields, t.raw) AS BLOB), r.source_id,"
        f" e.prompt_group, {state}"
    )


def _where(split: Split | None, narrowed: bool) -> tuple[str, tuple[Split, ...]]:
    # The signs keep SQLite from looking these up first, which would need a sort of everything found.
    terms = ["+e.split = ?"] * bool(split) + ["+e.id IN (SELECT id FROM temp.wanted)"] * narrowed
    return ("WHERE " + " AND ".join(terms) if terms else ""), ((split,) if split else ())


def _materials(store: Store, sql: str, values: tuple[Any, ...]) -> Iterator[Columns]:
    found = store.connection.execute(sql, values)
    while rows := found.fetchmany(READ_TOGETHER):
        yield Columns.of(rows)
