"""Many rows in one statement: each statement costs SQLite and Python about as much as the row that it inserts."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any

ROWS = 100
"""Rows of one statement; more of them gain little."""


def insert_many(
    connection: sqlite3.Connection, table: str, columns: str, rows: Sequence[Sequence[Any]], **same: str | int | None
) -> None:
    """Insert rows that hold the values of `columns`; `same` gives other columns one value for all of them."""
    names = [name.strip() for name in columns.split(",")]
    row = f"({','.join(['?'] * len(names) + [_literal(value) for value in same.values()])})"
    insert = f"INSERT INTO {table} ({','.join([*names, *same])}) VALUES "
    whole = insert + ",".join([row] * ROWS)
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        statement = whole if len(some) == ROWS else insert + ",".join([row] * len(some))
        connection.execute(statement, list(chain.from_iterable(some)))


def _literal(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
