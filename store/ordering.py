"""Records in the order of a column: by a fact of the row, or by what a field says."""

import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress
from typing import Literal, overload

from store.database import Store
from store.field_values import FieldPath, Key, key_at, key_of, key_of_texts

Fact = Literal["line", "source", "length", "tags", "note", "state", "record"]
"""What is known of every row beside its fields; `record` is the beginning of all that it says."""

FACTS: tuple[Fact, ...] = ("line", "source", "length", "tags", "note", "state", "record")

Column = Fact | FieldPath

FEW = 20_000
"""Of so many rows each is looked up; of more all are read, and those that are not wanted passed over."""

CHUNK = 20_000


@dataclass(frozen=True)
class Order:
    """A column and a direction."""

    column: Column
    descending: bool = False


class OrderedIds(Sequence[int]):
    """Ids in any order, each of which is found in no time."""

    def __init__(self, ids: "array[int]") -> None:
        self._ids = ids
        self._places = array("i", bytes(4 * (max(ids, default=0) + 1)))
        for place, row_id in enumerate(ids, start=1):
            self._places[row_id] = place

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> "array[int]": ...
    def __getitem__(self, at: int | slice) -> "int | array[int]":
        return self._ids[at]

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def index(self, value: int, start: int = 0, stop: int | None = None) -> int:
        """Return where an id stands."""
        place = self._places[value] - 1 if 0 <= value < len(self._places) else -1
        if place < start or (stop is not None and place >= stop):
            raise ValueError(f"{value} is not here")
        return place


def records_by(store: Store, order: Order, wanted: Sequence[int] | None = None) -> OrderedIds:
    """Return the ids of records in an order, those that lack what it asks for at the end.

    Use it on a connection of its own, in a thread.

    Args:
        store: an open store.
        order: the column and the direction; rows that are equal keep the order in which they were read.
        wanted: the records, ascending; None for all of them.
    """
    connection = store.connection
    connection.create_function("key_at", 2, _key_at, deterministic=True)
    connection.create_function("key_of_texts", 1, key_of_texts, deterministic=True)
    connection.create_function("key_of", 1, key_of, deterministic=True)
    # What a million rows are ordered by is too much for memory.
    connection.execute("PRAGMA temp_store=FILE")
    tables, key = _key(order.column)
    few = wanted is not None and len(wanted) <= FEW
    condition = "WHERE r.id IN (SELECT value FROM json_each(:ids))" if few else ""
    values = {
        "ids": json.dumps(list(wanted or ())) if few else "",
        "path": json.dumps(order.column) if isinstance(order.column, tuple) else "",
    }
    direction = "DESC" if order.descending else "ASC"
    cursor = connection.execute(
        f"SELECT r.id FROM record r {tables} {condition} ORDER BY {key} {direction} NULLS LAST, r.id", values
    )
    keep = _chosen(wanted) if wanted is not None and not few else None
    found = array("q")
    while rows := cursor.fetchmany(CHUNK):
        ids = array("q", chain.from_iterable(rows))
        found.extend(ids if keep is None else compress(ids, keep(ids)))
    return OrderedIds(found)


def _key(column: Column) -> tuple[str, str]:
    """Return the tables to join, and the SQL of what rows are ordered by."""
    texts = "JOIN record_text t ON t.record_id = r.id"
    fields = "CASE WHEN r.error IS NULL THEN COALESCE(t.fields, t.raw) END"
    if isinstance(column, tuple):
        return texts, f"key_at({fields}, :path)"
    if column == "record":
        return texts, f"key_of_texts({fields})"
    return _FACT_KEYS[column]


_FACT_KEYS: dict[Fact, tuple[str, str]] = {
    "line": ("", "r.line"),
    "source": ("JOIN source s ON s.id = r.source_id", "s.name COLLATE NOCASE"),
    "length": ("", "r.length"),
    "tags": (
        "",
        "(SELECT group_concat(g.tag, ' ') FROM (SELECT tag FROM record_tag WHERE record_id = r.id ORDER BY tag) g)",
    ),
    "note": ("", "CASE WHEN r.note <> '' THEN key_of(r.note) END"),
    "state": (
        "",
        "NULLIF((r.error IS NOT NULL) * 16 + (r.problem IS NOT NULL) * 8 + (r.duplicate_of IS NOT NULL) * 4"
        " + r.flagged * 2 + r.excluded, 0)",
    ),
}


def _key_at(text: str | bytes | None, path: str) -> Key:
    return key_at(text, _path(path))


@lru_cache(maxsize=16)
def _path(text: str) -> FieldPath:
    return tuple(json.loads(text))


def _chosen(wanted: Sequence[int]) -> "Callable[[array[int]], list[int]]":
    """Return what tells of ids, one by one, whether they are wanted."""
    marked = bytearray(wanted[-1] + 1)
    for row_id in wanted:
        marked[row_id] = 1
    last = len(marked)
    return lambda ids: [row_id < last and marked[row_id] for row_id in ids]
