"""Arrow IPC files and streams, such as the shards that `datasets.save_to_disk` writes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studio.containers.arrow_rows import rows_of
from studio.containers.row import RawRow
from studio.errors import StudioError

if TYPE_CHECKING:
    import pyarrow

FILE_MAGIC = b"ARROW1"


def read(path: Path, on_bytes: Callable[[int], None]) -> Iterator[RawRow]:
    """Yield each row under its number.

    Raises:
        StudioError: the file is damaged so that nothing can be read.
    """
    import pyarrow

    try:
        # Mapped, so that a batch of any size stays on disk until its rows are asked for.
        file = pyarrow.memory_map(str(path))
        batches = _batches(file, path)
    except (pyarrow.ArrowException, OSError) as error:
        raise StudioError(f"{path} can't be read as Arrow: {error}.", "Get the file again.") from error
    number = 0
    with file:
        try:
            for batch, place in batches:
                yield from rows_of(batch, number + 1)
                number += batch.num_rows
                on_bytes(place)
        except (pyarrow.ArrowException, OSError) as error:
            yield RawRow(number + 1, "", error=f"is where the Arrow file is damaged: {error}")


def _batches(file: "pyarrow.MemoryMappedFile", path: Path) -> Iterator[tuple["pyarrow.RecordBatch", int]]:
    """Yield batches, each with the place in the file after it, which is an estimate where they may lie in any order."""
    import pyarrow.ipc

    with path.open("rb") as start:
        is_file = start.read(len(FILE_MAGIC)) == FILE_MAGIC
    if not is_file:
        stream = pyarrow.ipc.open_stream(file)
        return ((batch, file.tell()) for batch in stream)
    table = pyarrow.ipc.open_file(file)
    size, count = path.stat().st_size, table.num_record_batches
    return ((table.get_batch(index), size * (index + 1) // count) for index in range(count))
