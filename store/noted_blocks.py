"""What is noted of examples, kept by columns, some hundred examples together: a list is read sooner than its rows."""

import sqlite3
from collections.abc import Collection, Iterable
from itertools import compress
from typing import Any

import orjson

from store.database import Store

BLOCK = 200
"""Numbers of examples that may be in one block; as many as are looked at together."""

Columns = list[list[Any]]
"""Of each thing that is noted, the values of all examples; the first of them are the ids, in order."""


def keep(file: sqlite3.Connection, noted: dict[int, list[Any] | None]) -> None:
    """Keep what was noted of examples, the id first, in the place of what was; None where nothing could be."""
    by_block: dict[int, dict[int, list[Any] | None]] = {}
    for example_id, values in noted.items():
        by_block.setdefault(example_id // BLOCK, {})[example_id] = values
    for number, new in by_block.items():
        rows = {values[0]: values for values in zip(*_block(file, number), strict=True)} | new
        _replace(file, number, (rows[example_id] for example_id in sorted(rows)))


def forget_after(file: sqlite3.Connection, last: int) -> bool:
    """Forget what was noted of examples beyond a number; tell whether there was anything."""
    number = last // BLOCK
    beyond = file.execute("DELETE FROM noted WHERE block > ?", (number,)).rowcount
    columns = _block(file, number)
    if columns and columns[0][-1] > last:
        _replace(file, number, (values for values in zip(*columns, strict=True) if values[0] <= last))
        return True
    return beyond > 0


def read(store: Store, left_out: Collection[int]) -> Columns:
    """Return what was noted of all examples but those left out; nothing at all, not even columns, where none is."""
    whole: Columns = []
    for (text,) in store.connection.execute("SELECT columns FROM findings.noted ORDER BY block"):
        columns: Columns = orjson.loads(text)
        wanted = [example_id not in left_out for example_id in columns[0]]
        if not all(wanted):
            columns = [list(compress(column, wanted)) for column in columns]
        whole = whole or [[] for _ in columns]
        for so_far, more in zip(whole, columns, strict=True):
            so_far.extend(more)
    return whole


def _block(file: sqlite3.Connection, number: int) -> Columns:
    row = file.execute("SELECT columns FROM noted WHERE block = ?", (number,)).fetchone()
    return orjson.loads(row[0]) if row else []


def _replace(file: sqlite3.Connection, number: int, rows: Iterable[Iterable[Any] | None]) -> None:
    columns = list(zip(*(values for values in rows if values is not None), strict=True))
    if columns:
        file.execute("INSERT OR REPLACE INTO noted VALUES (?, ?)", (number, orjson.dumps(columns)))
    else:
        file.execute("DELETE FROM noted WHERE block = ?", (number,))
