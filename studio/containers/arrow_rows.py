"""Rows of Arrow tables, which have no text of their own: it is their JSON."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from studio.containers.row import RawRow, distinct

if TYPE_CHECKING:
    import pyarrow

BATCH_ROWS = 200


def rows_of(batch: "pyarrow.RecordBatch", number: int) -> Iterator[RawRow]:
    """Yield a batch's rows, numbered from `number`; moments become ISO 8601 text and bytes become base64."""
    names = batch.schema.names
    if len(set(names)) < len(names):
        batch = batch.rename_columns(distinct(names))
    for start in range(0, batch.num_rows, BATCH_ROWS):
        part = batch.slice(start, BATCH_ROWS)
        try:
            values = part.to_pylist()
        except UnicodeDecodeError:
            for offset in range(part.num_rows):
                yield _row_of_one(part.slice(offset, 1), number + start + offset)
            continue
        for offset, fields in enumerate(values):
            yield _row(number + start + offset, fields)


def _row(number: int, fields: dict[str, Any]) -> RawRow:
    raw = _text(fields)
    return RawRow(number, raw, json.loads(raw))


def _row_of_one(batch: "pyarrow.RecordBatch", number: int) -> RawRow:
    try:
        return _row(number, batch.to_pylist()[0])
    except UnicodeDecodeError:
        fields = {name: _bytewise(column[0]) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
        return RawRow(number, _text(fields).encode(errors="surrogateescape"), error="is not valid UTF-8")


def _bytewise(value: Any) -> Any:
    """Return a value with bytes that are no text as lone surrogates."""
    import pyarrow

    if isinstance(value, pyarrow.StringScalar | pyarrow.LargeStringScalar) and value.is_valid:
        return value.as_buffer().to_pybytes().decode(errors="surrogateescape")
    if isinstance(value, pyarrow.StructScalar) and value.is_valid:
        return {name: _bytewise(item) for name, item in value.items()}
    if isinstance(value, pyarrow.ListScalar) and value.is_valid:
        return [_bytewise(item) for item in value]
    return value.as_py()


def _text(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
