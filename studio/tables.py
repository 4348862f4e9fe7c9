"""Rows as CSV or Parquet, where their shape is flat enough for a table.

What columns a table has is known after its last row only, so the rows wait in a file without a name till then.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import orjson

from studio.errors import StudioError
from studio.formats.shape import Fields

if TYPE_CHECKING:
    from studio.row_files import Hashed

ROWS_TOGETHER = 10_000
"""Rows that are turned into a part of a table together."""


class _Waiting:
    """Rows that wait for the last one."""

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 (it lives as long as this)
        self._columns: dict[str, None] = {}

    @property
    def columns(self) -> list[str]:
        """The columns of all rows, in the order in which they came up."""
        return list(self._columns)

    def add(self, row: Fields) -> None:
        """Keep a row."""
        self._columns.update(dict.fromkeys(row))
        self._file.write(orjson.dumps(row) + b"\n")

    def rows(self) -> Iterator[Fields]:
        """Yield the rows from the first on."""
        self._file.seek(0)
        return map(orjson.loads, self._file)


class Csv:
    """Rows of texts and numbers as CSV."""

    def __init__(self, shape: str, folder: Path, file: "Hashed") -> None:
        self._shape = shape
        self._file = file
        self._waiting = _Waiting(folder)

    def add(self, rows: Iterable[Fields]) -> None:
        """Keep rows.

        Raises:
            StudioError: a cell would have to hold something besides text.
        """
        for row in rows:
            if not all(isinstance(value, (str, bool, int, float)) for value in row.values()):
                raise StudioError(
                    f"{self._shape} has lists in its rows, which CSV can't hold.", "Write a .jsonl file instead."
                )
            # As JSON has it, and so every reader of data sets: Python's own words begin with a capital.
            self._waiting.add({k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()})

    def finish(self) -> None:
        """Write the table."""
        text = StringIO(newline="")
        writer = csv.DictWriter(text, self._waiting.columns, restval="")
        writer.writeheader()
        for rows in _parts(self._waiting.rows()):
            writer.writerows(rows)
            self._file.write(text.getvalue().encode())
            text.seek(0)
            text.truncate()


class Parquet:
    """Rows of texts and plain messages as Parquet."""

    def __init__(self, shape: str, folder: Path, file: "Hashed") -> None:
        self._shape = shape
        self._file = file
        self._waiting = _Waiting(folder)

    def add(self, rows: Iterable[Fields]) -> None:
        """Keep rows.

        Raises:
            StudioError: a message holds more than role and text, which Parquet would pad with nulls in all others.
        """
        for row in rows:
            if not all(isinstance(value, (bool, int, float)) or _is_even(value) for value in row.values()):
                raise self._refusal()
            self._waiting.add(row)

    def finish(self) -> None:
        """Write the table.

        Raises:
            StudioError: a column holds a text in one row and a list in another.
        """
        import pyarrow
        import pyarrow.parquet

        try:
            parts = (pyarrow.Table.from_pylist(part).schema for part in self._parts())
            schema = pyarrow.unify_schemas(list(parts), promote_options="permissive")
            with pyarrow.parquet.ParquetWriter(cast(BinaryIO, self._file), schema) as writer:
                for part in self._parts():
                    writer.write_table(pyarrow.Table.from_pylist(part, schema=schema))
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
            raise self._refusal() from None

    def _parts(self) -> Iterator[list[Fields]]:
        columns = self._waiting.columns
        rows = ({name: row.get(name) for name in columns} for row in self._waiting.rows())
        return _parts(rows)

    def _refusal(self) -> StudioError:
        return StudioError(
            f"{self._shape} has rows here whose parts differ in kind, which Parquet can't hold.",
            "Write a .jsonl file instead.",
        )


def _parts(rows: Iterator[Fields]) -> Iterator[list[Fields]]:
    return iter(lambda: list(islice(rows, ROWS_TOGETHER)), [])


def _is_even(value: Any) -> bool:
    """Tell whether a value is a text, or nested lists or objects that are alike in every row."""
    if isinstance(value, dict):
        is_turn = set(value) in ({"role", "content"}, {"from", "value"})
        return is_turn and all(isinstance(text, str) for text in value.values())
    return all(map(_is_even, value)) if isinstance(value, list) else isinstance(value, str)
