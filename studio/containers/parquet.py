"""Parquet files; a row's text is its JSON, since it has none of its own."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.containers.row import RawRow
from studio.errors import StudioError

MAGIC = b"PAR1"
BATCH_ROWS = 1000


def read(path: Path) -> Iterator[RawRow]:
    """Yield each row under its number; moments become ISO 8601 text and bytes become base64.

    Raises:
        StudioError: the file is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                for fields in batch.to_pylist():
                    number += 1
                    raw = json.dumps(fields, ensure_ascii=False, default=_plain)
                    yield RawRow(number, raw, json.loads(raw))
    except (pyarrow.ArrowException, OSError) as error:
        raise StudioError(f"{path} can't be read as Parquet after row {number}: {error}.") from error


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
