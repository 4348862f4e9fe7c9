"""What the columns of records hold: present and missing, types, frequent values, lengths and numbers.

A field inside another is a column `a.b`; a list is gone through, so that `messages.role` has the roles of all turns.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from studio.columns.distribution import Distribution, Spread
from studio.columns.tally import Counted, Tally

MOST_COLUMNS = 100
"""Columns that are looked at; data with keys like dates or ids would have as many as rows."""

MOST_NESTED = 6
TOP_VALUES = 20
LONGEST_VALUE = 120
"""Characters; texts that begin alike for so long are taken for the same value where they are as long."""

LONGEST_NUMBER = 30
LARGEST_NUMBER = 1e300
"""Beyond it sums and differences have no number; nobody measures such."""

_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?\s*", re.IGNORECASE)

_CUT, _END = "… (", " characters)"

Path = tuple[str, ...]


@dataclass(frozen=True)
class ColumnStatistics:
    """What one column holds, of the rows that were looked at."""

    path: Path
    present: int
    """Rows that have it."""
    missing: int
    """Rows that do not."""
    empty: int
    """Values that are null, blank, or hold nothing."""
    types: dict[str, int]
    """How many values are of each type, the most frequent first."""
    distinct: int
    is_over: bool
    """Whether there are more distinct values than `distinct`, too many to be counted."""
    values: int
    """How many single values there are, those in lists one by one; the shares of the top values are of these."""
    top: list[Counted]
    characters: Spread | None
    """Of texts."""
    items: Spread | None
    """Of lists."""
    numbers: Spread | None
    """Of numbers, those that are written as texts too."""

    @property
    def name(self) -> str:
        """What people call it."""
        return ".".join(self.path) or '""'


@dataclass(frozen=True)
class Look:
    """All columns, as far as rows were looked at."""

    rows: int
    of: int
    """How many there are in all."""
    unreadable: int
    """Of the rows, those that have no fields."""
    columns: list[ColumnStatistics]
    more_columns: bool
    """Whether there are more than were looked at."""

    @property
    def is_sample(self) -> bool:
        """Whether rows are left out."""
        return self.rows < self.of


def beginning(value: str) -> str:
    """Return a top value as it stands in the rows: of a long one the whole words of its beginning."""
    text, cut, end = value.rpartition(_CUT)
    if not cut or not end.endswith(_END):
        return value
    words = text.rsplit(maxsplit=1)
    return words[0] if len(words) > 1 else text


class Columns:
    """The columns of rows as they come."""

    def __init__(self) -> None:
        self._columns: dict[Path, _Column] = {}
        self._more = False
        self._rows = 0
        self._unreadable = 0

    def add(self, fields: dict[str, Any] | None) -> None:
        """Take a row's fields in; None where it could not be parsed."""
        self._rows += 1
        if fields is None:
            self._unreadable += 1
        else:
            self._walk(fields, ())

    def look(self, of: int) -> Look:
        """Return what they hold so far; `of` is how many rows there will be."""
        parsed = self._rows - self._unreadable
        at = {path: position for position, path in enumerate(self._columns)}
        # What is inside a field comes right after it, whichever row had it first.
        order = sorted(at, key=lambda path: [at[path[:length]] for length in range(1, len(path) + 1)])
        columns = [self._columns[path].statistics(path, parsed) for path in order]
        return Look(self._rows, of, self._unreadable, columns, self._more)

    def _walk(self, fields: dict[str, Any], path: Path) -> None:
        for name, value in fields.items():
            inner = (*path, name)
            column = self._columns.get(inner)
            if column is None:
                if len(self._columns) >= MOST_COLUMNS:
                    self._more = True
                    continue
                column = self._columns[inner] = _Column()
            column.add(value, self._rows)
            if isinstance(value, dict | list) and len(inner) < MOST_NESTED:
                self._enter(value, inner, column)

    def _enter(self, value: Any, path: Path, column: "_Column", depth: int = 0) -> None:
        """Go into an object, or into a list item by item: objects in it have columns, other items are values of it."""
        if isinstance(value, dict):
            self._walk(value, path)
        elif isinstance(value, list):
            for item in value if depth < MOST_NESTED else ():
                self._enter(item, path, column, depth + 1)
        elif depth:
            column.add_value(value)


class _Column:
    """One column, as its values come."""

    __slots__ = ("_characters", "_empty", "_items", "_last_row", "_numbers", "_present", "_tally", "_types", "_values")

    def __init__(self) -> None:
        self._present = self._empty = self._values = 0
        self._last_row = -1
        self._types: Counter[str] = Counter()
        self._tally = Tally()
        self._characters, self._items, self._numbers = Distribution(), Distribution(), Distribution()

    def add(self, value: Any, row: int) -> None:
        """Take in what a row has here; in a list of objects a row has it more than once."""
        if row != self._last_row:
            self._last_row = row
            self._present += 1
        if isinstance(value, dict | list):
            self._types["list" if isinstance(value, list) else "object"] += 1
            self._empty += not value
            if isinstance(value, list):
                self._items.add(len(value))
        else:
            self._types[self.add_value(value)] += 1

    def add_value(self, value: Any) -> str:
        """Take a single value in; return its type."""
        if value is None:
            self._empty += 1
            return "null"
        self._values += 1
        if isinstance(value, str):
            return self._add_text(value)
        if isinstance(value, bool):
            self._tally.add("true" if value else "false")
            return "true or false"
        self._tally.add(str(value) if isinstance(value, int) else repr(value))
        self._add_number(value)
        return "number"

    def _add_text(self, text: str) -> str:
        self._characters.add(len(text))
        self._tally.add(text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}{_CUT}{len(text):,}{_END}")
        if len(text) <= LONGEST_NUMBER and _NUMBER.fullmatch(text):
            self._add_number(float(text))
            return "number as text"
        self._empty += not text or text.isspace()
        return "text"

    def _add_number(self, value: float) -> None:
        try:
            number = float(value)
        except OverflowError:
            return
        if abs(number) <= LARGEST_NUMBER:
            self._numbers.add(number)

    def statistics(self, path: Path, rows: int) -> ColumnStatistics:
        """Return what it holds, of so many rows."""
        return ColumnStatistics(
            path=path,
            present=self._present,
            missing=rows - self._present,
            empty=self._empty,
            types=dict(self._types.most_common()),
            distinct=self._tally.distinct,
            is_over=self._tally.is_over,
            values=self._values,
            top=self._tally.top(TOP_VALUES),
            characters=self._characters.spread(),
            items=self._items.spread(),
            numbers=self._numbers.spread(),
        )
