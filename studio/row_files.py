"""Rows written to a file one after the other, as its suffix says that they lie in it."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol

import orjson

from studio.atomic import BUFFER
from studio.errors import StudioError
from studio.formats.shape import Fields

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")


class RowFile(Protocol):
    """A file that takes rows."""

    def add(self, rows: Iterable[Fields]) -> None:
        """Write rows, each before the next is taken; the last may still be in memory."""

    def finish(self) -> None:
        """Write what is left."""


class Hashed:
    """A file that is hashed while it is written, both in a thread: neither needs Python meanwhile."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._length = 0
        self._waiting = bytearray()
        self._thread = ThreadPoolExecutor(1, "hashed-file")
        self._under_way: Future[None] | None = None

    def write(self, data: bytes) -> int:
        """Write some bytes; an error of the disk may come with a later call."""
        self._waiting += data
        self._length += len(data)
        if len(self._waiting) >= BUFFER:
            self._hand_over()
        return len(data)

    def sha256(self) -> str:
        """Write what is left, which a full disk ends here at the latest, and return the hash of it all."""
        self.flush()
        self._thread.shutdown()
        return self._digest.hexdigest()

    def tell(self) -> int:
        """Return how much was written."""
        return self._length

    def flush(self) -> None:
        """Hand everything to the system."""
        self._hand_over()
        self._wait()
        self._file.flush()

    def _hand_over(self) -> None:
        self._wait()
        data, self._waiting = self._waiting, bytearray()
        self._under_way = self._thread.submit(self._take, data)

    def _take(self, data: bytearray) -> None:
        self._file.write(data)
        self._digest.update(data)

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way:
            under_way.result()


class Lines:
    """Rows as JSON, one a line; or as one JSON array, one a line too."""

    def __init__(self, file: Hashed, *, array: bool = False) -> None:
        self._file = file
        self._before, self._between, self._after = (b"[\n", b",\n", b"\n]\n") if array else (b"", b"\n", b"\n")

    def add(self, rows: Iterable[Fields]) -> None:
        """Write rows."""
        if lines := self._between.join(map(orjson.dumps, rows)):
            self._file.write(self._before)
            self._file.write(lines)
            self._before = self._between

    def finish(self) -> None:
        """Write the end; there was a row at least."""
        self._file.write(self._after)


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
