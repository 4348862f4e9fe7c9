"""Groups of records or examples that say the same: kept for review, excluded and let in again group by group."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from store import interface_state
from store.database import Store, now
from store.errors import MissingRowError
from store.examples import Split, prompt_of
from store.quoting import unquote
from store.search_index import all_text

GroupKind = Literal["near", "leak"]
"""Records that repeat each other, or examples whose prompt is in more than one split."""

PAGE = 1000
MEMBERS_SHOWN = 100
EXCERPT = 200
"""Characters of a member's text that a list shows."""


@dataclass(frozen=True)
class Member:
    """A record (`near`) or an example (`leak`) of a group."""

    id: int
    similarity: float
    """How much it is like the member that it is most like: 1 where both are the same."""
    excluded: bool
    split: Split | None
    """Of an example."""
    place: str
    """FILE:LINE where it was read; empty where it was written here."""
    excerpt: str


@dataclass(frozen=True)
class Group:
    """Members that say the same; the first is the one to keep."""

    id: int
    kind: GroupKind
    size: int
    members: list[Member]
    """The first ones, at most `MEMBERS_SHOWN`."""


class Counts(NamedTuple):
    """How many groups there are, and how much of them."""

    groups: int
    members: int
    open: int
    """Groups in which something is still to be excluded."""


def replace(store: Store, kind: GroupKind, found: Iterable[Sequence[tuple[int, float]]]) -> None:
    """Put new groups, as ids with similarities, in the place of those of this kind.

    What was excluded because of an old group can be let in again by the new one.
    """
    with store.transaction() as connection:
        of_kind = "group_id IN (SELECT id FROM duplicate_group WHERE kind = ?)"
        rows = connection.execute(f"SELECT item_id FROM duplicate_member WHERE left_out AND {of_kind}", (kind,))
        left_out = {row[0] for row in rows}
        # Ids are not used again, so that a list on a screen never means another group.
        last = connection.execute("SELECT COALESCE(MAX(id), 0) FROM duplicate_group").fetchone()[0]
        connection.execute(f"DELETE FROM duplicate_member WHERE {of_kind}", (kind,))
        connection.execute("DELETE FROM duplicate_group WHERE kind = ?", (kind,))
        moment = now()
        for number, members in enumerate(found, last + 1):
            connection.execute("INSERT INTO duplicate_group VALUES (?, ?, ?)", (number, kind, moment))
            connection.executemany(
                "INSERT INTO duplicate_member (group_id, item_id, similarity, left_out) VALUES (?, ?, ?, ?)",
                [(number, item, similarity, item in left_out) for item, similarity in members],
            )
        interface_state.remember(store, f"duplicates.{kind}", moment)


def searched_at(store: Store, kind: GroupKind) -> str | None:
    """Return when groups of a kind were looked for last; None where they never were."""
    groups_made = store.connection.execute("SELECT MAX(created_at) FROM duplicate_group WHERE kind = ?", (kind,))
    moment: str | None = interface_state.recall(store, f"duplicates.{kind}") or groups_made.fetchone()[0]
    return moment


def groups(store: Store, kind: GroupKind, *, after: int = 0, limit: int = 50) -> list[Group]:
    """Return a page of groups, those after a group's id."""
    rows = store.connection.execute(
        "SELECT g.id, (SELECT COUNT(*) FROM duplicate_member m WHERE m.group_id = g.id) FROM duplicate_group g"
        " WHERE g.kind = ? AND g.id > ? ORDER BY g.id LIMIT ?",
        (kind, after, limit),
    ).fetchall()
    return [Group(group_id, kind, size, _members(store, group_id, kind)) for group_id, size in rows]


def counts(store: Store, kind: GroupKind) -> Counts:
    """Count the groups of a kind."""
    item, rank = _ITEMS[kind]
    # Open: something stands after the best of those that are not excluded.
    row = store.connection.execute(
        "SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(best < worst), 0) FROM ("
        f" SELECT COUNT(*) AS size, MIN(CASE WHEN NOT i.excluded THEN {rank} END) AS best,"
        f" MAX(CASE WHEN NOT i.excluded THEN {rank} END) AS worst"
        f" FROM duplicate_group g JOIN duplicate_member m ON m.group_id = g.id JOIN {item} i ON i.id = m.item_id"
        " WHERE g.kind = ? GROUP BY g.id)",
        (kind,),
    ).fetchone()
    return Counts(*row)


def keep_first(store: Store, group_id: int) -> int:
    """Exclude all of a group but what is to be kept; return how many are out because of the group.

    Of records the first one is kept that is not excluded; of examples those of the split that is held out
    most (test, then validation), so that training never sees what is tested.

    Raises:
        MissingRowError: there is no such group.
    """
    with store.transaction() as connection:
        item, rank = _ITEMS[_kind(store, group_id)]
        connection.execute(
            f"UPDATE duplicate_member SET left_out = 1 WHERE group_id = ?1 AND item_id IN ("
            f" SELECT i.id FROM duplicate_member m JOIN {item} i ON i.id = m.item_id"
            f" WHERE m.group_id = ?1 AND NOT i.excluded AND {rank} > ("
            f"  SELECT MIN({rank}) FROM duplicate_member m JOIN {item} i ON i.id = m.item_id"
            "   WHERE m.group_id = ?1 AND NOT i.excluded))",
            (group_id,),
        )
        return connection.execute(f"UPDATE {item} SET excluded = 1 WHERE id IN ({_LEFT_OUT})", (group_id,)).rowcount


def restore(store: Store, group_id: int) -> int:
    """Let in again what was excluded because of a group, and no more; return how many that are.

    Raises:
        MissingRowError: there is no such group.
    """
    with store.transaction() as connection:
        item, _ = _ITEMS[_kind(store, group_id)]
        cursor = connection.execute(f"UPDATE {item} SET excluded = 0 WHERE id IN ({_LEFT_OUT})", (group_id,))
        connection.execute("UPDATE duplicate_member SET left_out = 0 WHERE group_id = ?", (group_id,))
        return cursor.rowcount


def ids(store: Store, kind: GroupKind) -> list[int]:
    """Return the ids of all groups of a kind."""
    return [row[0] for row in store.connection.execute("SELECT id FROM duplicate_group WHERE kind = ?", (kind,))]


def texts_of_source(store: Store, source_id: int | None) -> Iterator[tuple[int, str]]:
    """Yield the ids and all texts of a source's records, or of all records."""
    where = "" if source_id is None else "AND r.source_id = ?"
    values = () if source_id is None else (source_id,)
    return _pages(store, f"{_RECORD_TEXT} WHERE r.id > ? {where} ORDER BY r.id LIMIT {PAGE}", values)


def texts(store: Store, record_ids: Sequence[int]) -> dict[int, str]:
    """Return all texts of these records (a screenful), by id."""
    rows = store.connection.execute(f"{_RECORD_TEXT} WHERE r.id IN ({_marks(record_ids)})", record_ids)
    return {row[0]: _text(*row[1:]) for row in rows}


def prompts_of_split(store: Store, split: Split) -> Iterator[tuple[int, str]]:
    """Yield the ids of a split's examples with what their prompt says now, system turns aside."""
    return _pages(store, f"{_EXAMPLE_TEXT} WHERE e.id > ? AND e.split = ? ORDER BY e.id LIMIT {PAGE}", (split,))


def prompts(store: Store, example_ids: Sequence[int]) -> dict[int, str]:
    """Return the prompts of these examples (a screenful), by id."""
    rows = store.connection.execute(f"{_EXAMPLE_TEXT} WHERE e.id IN ({_marks(example_ids)})", example_ids)
    return {row[0]: _text(*row[1:]) for row in rows}


_ITEMS = {
    "near": ("record", "i.id"),
    "leak": ("example", "CASE i.split WHEN 'test' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END"),
}
"""Of which table a group's items are, and their rank: those of the lowest rank are kept."""

_LEFT_OUT = "SELECT item_id FROM duplicate_member WHERE group_id = ? AND left_out"

_RECORD_TEXT = "SELECT r.id, NULL, t.raw, t.fields, r.error FROM record r JOIN record_text t ON t.record_id = r.id"

_EXAMPLE_TEXT = (
    "SELECT e.id, v.messages, t.raw, t.fields, NULL FROM example e"
    " JOIN revision v ON v.example_id = e.id AND v.number = e.revision"
    " LEFT JOIN record_text t ON t.record_id = e.record_id"
)


def _pages(store: Store, sql: str, values: tuple[int | str, ...]) -> Iterator[tuple[int, str]]:
    last = 0
    while True:
        before = last
        for last, *row in store.connection.execute(sql, (before, *values)):
            yield last, _text(*row)
        if last == before:
            return


def _text(messages: str | None, raw: str | bytes, fields: str | None, error: str | None) -> str:
    if messages is None:
        return all_text(raw, fields, error)
    asked = prompt_of(unquote(messages, raw, fields))
    return "\n".join(turn["content"] or "" for turn in asked if turn["role"] != "system")


def _kind(store: Store, group_id: int) -> GroupKind:
    row = store.connection.execute("SELECT kind FROM duplicate_group WHERE id = ?", (group_id,)).fetchone()
    if row is None:
        raise MissingRowError(
            f"There is no group {group_id} of duplicates in this project; they were looked for again."
        )
    kind: GroupKind = row[0]
    return kind


def _members(store: Store, group_id: int, kind: GroupKind) -> list[Member]:
    item, rank = _ITEMS[kind]
    record, split = ("i.id", "NULL") if item == "record" else ("i.record_id", "i.split")
    rows = store.connection.execute(
        f"SELECT i.id, m.similarity, i.excluded, {split}, s.name, r.line FROM duplicate_member m"
        f" JOIN {item} i ON i.id = m.item_id LEFT JOIN record r ON r.id = {record}"
        f" LEFT JOIN source s ON s.id = r.source_id WHERE m.group_id = ? ORDER BY {rank}, i.id LIMIT ?",
        (group_id, MEMBERS_SHOWN),
    ).fetchall()
    said = (texts if kind == "near" else prompts)(store, [row[0] for row in rows])
    return [
        Member(item_id, similarity, bool(excluded), split, f"{name}:{line}" if name else "", said[item_id][:EXCERPT])
        for item_id, similarity, excluded, split, name, line in rows
    ]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
