"""Finding records and examples: ids in list order, the first of them at once, however many there are."""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain

from store import examples, field_match, query, records, search_index
from store.conditions import Condition, Conditions, Scope, joined
from store.database import DERIVED, Store
from store.derived_file import is_damaged
from store.errors import StoreError
from store.facts import Kind
from store.query import And
from store.resolving import resolve
from store.text_match import Expressions

__all__ = ["Kind", "count", "ids"]

FEW = 1_000
"""As many rows are looked at one by one; and as many rows that are not indexed yet are, before a search."""

FIRST_BLOCK = 512
GROWTH = 4
SMALL_BLOCK = 50_000
CHUNK = 50_000

Values = dict[str, str | int]


def ids(store: Store, kind: Kind, text: str) -> Iterator["array[int]"]:
    """Yield the ids of the rows that a query finds, in order, in chunks; the first one is small and comes at once.

    Raises:
        QueryError: the query can't be read.
    """
    return _Search(store, kind, text).chunks()


def count(store: Store, kind: Kind, text: str) -> int:
    """Return how many rows a query finds.

    Raises:
        QueryError: the query can't be read.
    """
    return _Search(store, kind, text).count()


class _Search:
    """One query on its way."""

    def __init__(self, store: Store, kind: Kind, text: str) -> None:
        self._store = store
        self._kind = kind
        self._node = resolve(store, query.parse(text))
        self._expressions = Expressions(store)
        self._span = (records if kind == "record" else examples).span(store)

    def chunks(self) -> Iterator["array[int]"]:
        """Yield the ids that are found."""
        if self._is_everything():
            for low, high in _growing(len(self._span)):
                yield array("q", range(low, high + 1))
            return
        with _mending(self._store):
            self._prepare()
            few = self._few()
            if few is None:
                for low, high in self._blocks():
                    yield from self._of_block(low, high)
            elif few:
                yield few

    def count(self) -> int:
        """Return how many there are."""
        if self._is_everything():
            return len(self._span)
        with _mending(self._store):
            self._prepare()
            few = self._few()
            return self._count() if few is None else len(few)

    def _count(self) -> int:
        sql, values = self._statement(1, len(self._span), "all")
        return int(self._store.connection.execute(f"SELECT COUNT(*) {sql}", values).fetchone()[0])

    def _is_everything(self) -> bool:
        return self._node == And(())

    def _prepare(self) -> None:
        field_match.register(self._store)
        # In a transaction others would have to wait for it, or it would be undone with it.
        if not self._store.connection.in_transaction and 0 < search_index.pending(self._store) <= FEW:
            # Where another process writes for long, its rows are found later.
            with suppress(StoreError, sqlite3.OperationalError):
                search_index.catch_up(self._store)

    def _few(self) -> "array[int] | None":
        """Return all that is found where one of the conditions leaves only few rows; else None."""
        conditions = Conditions(self._kind, self._expressions, "rows")
        parts = conditions.all_of(self._node)
        for number, part in enumerate(parts):
            if part.seed is None or part.is_slow_to_begin:
                continue
            found = self._store.connection.execute(
                f"SELECT id FROM ({part.seed}) LIMIT {FEW + 1}", conditions.values
            ).fetchall()
            if len(found) <= FEW:
                parts[number] = Condition(part.of_seed)
                return self._those(found, parts, conditions.values)
        return None

    def _those(self, rows: list[tuple[int]], parts: list[Condition], values: Values) -> "array[int]":
        row = self._kind[0]
        wanted = ",".join(str(number) for (number,) in rows)
        sql = f"SELECT {row}.id FROM {self._kind} {row} WHERE {row}.id IN ({wanted}) AND {_checked(parts)} ORDER BY 1"
        return array("q", chain.from_iterable(self._store.connection.execute(sql, values)))

    def _blocks(self) -> Iterator[tuple[int, int]]:
        last = len(self._span)
        parts = Conditions(self._kind, self._expressions, "block").all_of(self._node)
        # What is slow to begin begins once.
        return iter([(1, last)]) if any(part.is_slow_to_begin for part in parts) else _growing(last)

    def _of_block(self, low: int, high: int) -> Iterator["array[int]"]:
        sql, values = self._statement(low, high, "block" if high - low < SMALL_BLOCK else "all")
        cursor = self._store.connection.execute(f"SELECT id {sql} ORDER BY id", values)
        size = FIRST_BLOCK if low == 1 else CHUNK
        while rows := cursor.fetchmany(size):
            yield array("q", chain.from_iterable(rows))
            size = CHUNK

    def _statement(self, low: int, high: int, scope: Scope) -> tuple[str, Values]:
        """Return the SQL from FROM on, and its values, for what a range of ids has of what is found."""
        conditions = Conditions(self._kind, self._expressions, scope)
        parts = conditions.all_of(self._node)
        values = conditions.values | self._bounds(low, high)
        row, match = self._kind[0], parts[0].match
        if match is None:
            return f"FROM {self._kind} {row} WHERE {row}.id BETWEEN :low AND :high AND {_checked(parts)}", values
        found = f"record_fts MATCH {match} AND f.rowid BETWEEN :low AND :high"
        if len(parts) == 1:
            return f"FROM (SELECT f.rowid AS id FROM search.record_fts f WHERE {found})", values
        joint = "search.record_fts f CROSS JOIN record r ON r.id = f.rowid"
        return f"FROM {joint} WHERE {found} AND {_checked(parts[1:])}", values

    def _bounds(self, low: int, high: int) -> Values:
        if self._kind == "record":
            return {"low": low, "high": high}
        first, last = self._store.connection.execute(
            "SELECT MIN(record_id), MAX(record_id) FROM example WHERE id BETWEEN ? AND ?", (low, high)
        ).fetchone()
        return {"low": low, "high": high, "first": first, "last": last}


@contextmanager
def _mending(store: Store) -> Iterator[None]:
    """Begin anew with what is derived where it is found to be damaged: all of it can be made again."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not is_damaged(error) or store.connection.in_transaction:
            raise
        for derived in DERIVED:
            derived.make_anew(store.path, store.connection)
        raise StoreError("The index of words was damaged and is made anew; search again when that is done.") from error


def _checked(parts: Iterable[Condition]) -> str:
    """Return conditions in a form that SQLite only checks, one after another, and reads no index for."""
    return f"CASE WHEN {joined(part.sql for part in parts)} THEN 1 END"


def _growing(last: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of ids, each much larger than the one before."""
    low, size = 1, FIRST_BLOCK
    while low <= last:
        yield low, min(low + size - 1, last)
        low, size = low + size, size * GROWTH
