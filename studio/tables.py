"""Rows as CSV or Parquet, where their shape is flat enough for a table."""

import csv
from io import BytesIO, StringIO
from typing import Any

from studio.errors import StudioError
from studio.formats.shape import Fields


def csv_bytes(shape: str, rows: list[Fields]) -> bytes:
    """Return rows of texts as CSV.

    Raises:
        StudioError: a cell would have to hold something besides text.
    """
    if any(not isinstance(value, str) for row in rows for value in row.values()):
        raise StudioError(f"{shape} has lists in its rows, which CSV can't hold.", "Write a .jsonl file instead.")
    text = StringIO(newline="")
    writer = csv.DictWriter(text, _columns(rows), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet_bytes(shape: str, rows: list[Fields]) -> bytes:
    """Return rows of texts and plain messages as Parquet.

    Raises:
        StudioError: a message holds more than role and text, which Parquet would pad with nulls in all others.
    """
    import pyarrow
    import pyarrow.parquet

    if any(not _is_even(value) for row in rows for value in row.values()):
        raise StudioError(
            f"{shape} has rows here whose parts differ in kind, which Parquet can't hold.",
            "Write a .jsonl file instead.",
        )
    table = pyarrow.Table.from_pylist([{name: row.get(name) for name in _columns(rows)} for row in rows])
    out = BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


def _columns(rows: list[Fields]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _is_even(value: Any) -> bool:
    """Tell whether a value is a text, or nested lists or objects that are alike in every row."""
    if isinstance(value, dict):
        is_turn = set(value) in ({"role", "content"}, {"from", "value"})
        return is_turn and all(isinstance(text, str) for text in value.values())
    return all(map(_is_even, value)) if isinstance(value, list) else isinstance(value, str)
