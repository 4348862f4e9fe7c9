"""Parquet files, read a part of a row group at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

from studio.containers.arrow_rows import BATCH_ROWS, rows_of
from studio.containers.row import RawRow
from studio.errors import StudioError

BUFFER = 1 << 20


def read(path: Path, on_bytes: Callable[[int], None]) -> Iterator[RawRow]:
    """Yield each row under its number; the place in the file is an estimate by rows.

    Raises:
        StudioError: the file is damaged so that nothing can be read.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise StudioError(f"{path} can't be read as Parquet: {error}.", "Get the file again.") from error
    number, size = 0, path.stat().st_size
    with file:
        try:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                yield from rows_of(batch, number + 1)
                number += batch.num_rows
                on_bytes(size * number // max(1, file.metadata.num_rows))
        except (pyarrow.ArrowException, OSError) as error:
            yield RawRow(number + 1, "", error=f"is where the Parquet file is damaged: {error}")
