"""The columns of the Data screen: which there are, how wide each is, and what a record says in it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from rich.cells import cell_len

from screens.record_text import marks, preview
from screens.widgets.table import Column as TableColumn
from screens.widgets.table import Row
from store import record_places, records, tags
from store.database import Store
from store.field_values import ABSENT, FieldPath, compact, paths_of, value_at
from store.ordering import FACTS, Column, Fact
from store.records import Record
from studio.text import clean_line

DEFAULT: tuple[Column, ...] = ("line", "record")

LONGEST_IN_LIST = 20_000
"""Characters; of a longer record the list reads only the beginning."""

ROWS_LOOKED_AT = 20
"""Of each source, to find out which fields there are and how wide they are."""

MOST_LOOKED_AT = 2_000
MOST_FIELDS = 2_000
WIDEST = 40
LONGEST_CELL = 400

MARKS_WIDTH = 6
NOT_READ = "…"
"""Stands for a field that may come after the beginning of a long record."""


@dataclass(frozen=True)
class Shown:
    """Columns with their widths in cells, 0 for what is left."""

    columns: tuple[Column, ...] = DEFAULT
    widths: tuple[int, ...] = (6, 0)

    def as_table(self) -> list[TableColumn]:
        """Return the columns as the table takes them, after the one for marks."""
        named = zip(self.columns, self.widths, strict=True)
        return [TableColumn("", MARKS_WIDTH), *(TableColumn(title(column), width) for column, width in named)]

    def as_json(self) -> list[list[Any]]:
        """Return what is kept of it for the next session."""
        return [[column, width] for column, width in zip(self.columns, self.widths, strict=True)]


def shown_from(kept: Any) -> Shown:
    """Return the columns that were kept; those of a new project where nothing usable was."""
    try:
        pairs = [(column_from(column), int(width)) for column, width in kept]
    except (TypeError, ValueError):
        return Shown()
    return Shown(tuple(c for c, _ in pairs), tuple(w for _, w in pairs)) if pairs else Shown()


def column_from(kept: Any) -> Column:
    """Return a column as it was kept: a name of a fact, or a path as a list.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(kept, list) and kept and all(isinstance(name, str) for name in kept):
        return tuple(kept)
    if kept in FACTS:
        return cast(Fact, kept)
    raise ValueError(f"{kept!r} is no column")


def title(column: Column) -> str:
    """Return a column's name on one line."""
    if isinstance(column, tuple):
        return clean_line(".".join(column)) or '""'
    return column.capitalize()


def found_columns(store: Store, in_sight: Sequence[int]) -> list[Column]:
    """Return the columns that the first records of each source have, and those in sight, and what all have."""
    found: dict[FieldPath, None] = {}
    for fields in _looked_at(store, in_sight).values():
        for path in paths_of(fields or {}):
            if len(found) < MOST_FIELDS:
                found[path] = None
    return [*found, *get_args(Fact)]


def fitted(store: Store, columns: Sequence[Column], in_sight: Sequence[int]) -> Shown:
    """Return columns as wide as what the first records, and those in sight, say in them; the last gets the rest."""
    rows = rows_of(store, columns, _ids_looked_at(store, in_sight)).values()
    widths = [max(_width(row.cells[place]) for row in rows) if rows else 0 for place in range(1, len(columns) + 1)]
    # Further down the numbers of lines are longer.
    last = len(str(max((source.rows for source in records.sources(store)), default=0)))
    least = [max(cell_len(title(column)), last if column == "line" else 3) for column in columns]
    fitting = [min(max(width, room), WIDEST) for width, room in zip(widths, least, strict=True)]
    return Shown(tuple(columns), (*fitting[:-1], 0))


def _width(cell: str | None) -> int:
    return cell_len(clean_line(cell[:WIDEST])) + (len(cell) > WIDEST) if cell else 0


def _ids_looked_at(store: Store, in_sight: Sequence[int]) -> list[int]:
    ids = [*in_sight, *record_places.first_of_sources(store, ROWS_LOOKED_AT)]
    return list(dict.fromkeys(ids))[:MOST_LOOKED_AT]


def _looked_at(store: Store, in_sight: Sequence[int]) -> dict[int, dict[str, Any] | None]:
    ids = _ids_looked_at(store, in_sight)
    found = records.glimpse_many(store, ids, LONGEST_IN_LIST)
    return {number: _fields(store, found[number]) for number in ids if number in found}


def _fields(store: Store, record: Record) -> dict[str, Any] | None:
    """Return a record's fields, of a long one those that its beginning says."""
    if record.length > LONGEST_IN_LIST:
        return record_places.fields_beginning(store, record.id, LONGEST_IN_LIST)
    return record.fields


def rows_of(store: Store, columns: Sequence[Column], ids: list[int]) -> dict[int, Row]:
    """Return the lines of a screenful of records."""
    tagged = tags.of_many(store, "record", ids)
    found = records.glimpse_many(store, ids, LONGEST_IN_LIST)
    wants_fields = any(isinstance(column, tuple) for column in columns)
    rows = {}
    for number, record in found.items():
        names = tagged.get(number, [])
        fields = _fields(store, record) if wants_fields else None
        cells = [_cell(record, fields, column, names) for column in columns]
        rows[number] = Row((marks(record, bool(names)), *cells), dim=record.excluded)
    return rows


def _cell(record: Record, fields: dict[str, Any] | None, column: Column, names: Iterable[str]) -> str | None:
    if not isinstance(column, tuple):
        return _FACT_CELLS[column](record, names) or None
    value = ABSENT if fields is None else value_at(fields, column)
    if value is not ABSENT:
        return cell_of(value)
    return NOT_READ if record.length > LONGEST_IN_LIST and not record.error else None


def cell_of(value: Any) -> str:
    """Return a value as a cell says it, of a long one the beginning."""
    text = value if isinstance(value, str) else compact(value)
    return text[: LONGEST_CELL + 1]


_FACT_CELLS: dict[Fact, Callable[[Record, Iterable[str]], str]] = {
    "line": lambda record, _: str(record.line),
    "source": lambda record, _: record.source,
    "length": lambda record, _: f"{record.length:,}",
    "tags": lambda _, names: " ".join(names),
    "note": lambda record, _: record.note,
    "state": lambda record, _: state_words(record),
    "record": lambda record, _: preview(record),
}


def state_words(record: Record) -> str:
    """Return in words what was found of a record and what was decided about it."""
    words = {
        "unreadable": record.error,
        "problem": record.problem and not record.error,
        "repeats": record.duplicate_of,
        "flagged": record.flagged,
        "excluded": record.excluded,
    }
    return ", ".join(word for word, on in words.items() if on)
