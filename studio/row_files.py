"""Rows written to a file one after the other, as its suffix says that they lie in it."""

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol, Self

import orjson

from studio.errors import StudioError
from studio.formats.shape import Fields

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")

WRITTEN_TOGETHER = 1 << 20
"""Bytes."""

AHEAD = 8
"""So many writes may be under way."""


class RowFile(Protocol):
    """A file that takes rows."""

    def add(self, rows: list[Fields]) -> None:
        """Write rows; the last may still be in memory."""

    def finish(self) -> None:
        """Write what is left."""


class Hashed:
    """A file that is written and hashed in a thread, while the next rows are made; it knows its hash in the end."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._length = 0
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._under_way: deque[Future[None]] = deque()

    def write(self, data: bytes) -> int:
        """Have some bytes written; what went wrong with earlier ones is raised here."""
        if len(self._under_way) == AHEAD:
            self._under_way.popleft().result()
        self._under_way.append(self._thread.submit(self._write, bytes(data)))
        self._length += len(data)
        return len(data)

    def sha256(self) -> str:
        """Wait till all is written, which a full disk ends here at the latest, and return the hash of it."""
        self.flush()
        self._file.flush()
        return self._digest.hexdigest()

    def tell(self) -> int:
        """Return how much was written."""
        return self._length

    def flush(self) -> None:
        """Wait till all is written."""
        while self._under_way:
            self._under_way.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)


class Lines:
    """Rows as JSON, one a line; or as one JSON array, one a line too."""

    def __init__(self, file: Hashed, *, array: bool = False) -> None:
        self._file = file
        self._array = array
        self._lines: list[bytes] = []
        self._size = 0
        self._first = True

    def add(self, rows: list[Fields]) -> None:
        """Write rows."""
        lines = [orjson.dumps(row) for row in rows]
        self._lines += lines
        self._size += sum(map(len, lines))
        if self._size >= WRITTEN_TOGETHER:
            self._flush()

    def finish(self) -> None:
        """Write the last rows and the array's end."""
        self._flush()
        if self._array:
            self._file.write(b"[\n\n]\n" if self._first else b"\n]\n")

    def _flush(self) -> None:
        if not self._lines:
            return
        between = b",\n" if self._array else b"\n"
        before = (b"[\n" if self._first else between) if self._array else b""
        self._file.write(before + between.join(self._lines) + (b"" if self._array else b"\n"))
        self._lines.clear()
        self._size, self._first = 0, False


def open_rows(shape: str, path: Path, file: Hashed) -> RowFile:
    """Return what writes rows of a shape to a file that will stand at `path`."""
    from studio import tables

    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".json"):
        return Lines(file, array=suffix == ".json")
    return tables.Csv(shape, path.parent, file) if suffix == ".csv" else tables.Parquet(shape, path.parent, file)


def check_suffix(out: Path) -> None:
    """Raise a StudioError where a file's name does not say how rows shall lie in it."""
    if out.suffix.lower() not in SUFFIXES:
        raise StudioError(f"{out} does not say how the rows shall lie.", f"End its name in {', '.join(SUFFIXES)}.")
