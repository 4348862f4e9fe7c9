"""A file's bytes as the text they stand for: unpacked, decoded, with the place reached and where it broke."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studio.containers.layout import Layout
from studio.containers.unpacking import Broken, unpack
from studio.errors import StudioError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 256 << 10
"""Bytes read at a time, and between two reports of the place."""

MARKS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "latin-1": b""}
"""What may stand before the text in each encoding, and is no part of it."""
_ERRORS = {"utf-8": "surrogateescape", "utf-16-le": "surrogatepass", "utf-16-be": "surrogatepass", "latin-1": "strict"}
"""How broken characters survive as lone surrogates, until their row is turned back into its bytes."""


class Source(io.RawIOBase):
    """The bytes of a file without compression and byte order mark; they end where the file's stream breaks."""

    def __init__(self, path: Path, layout: Layout, on_bytes: Callable[[int], None] | None = None) -> None:
        self.path = path
        self.layout = layout
        self.encoding = layout.encoding.removesuffix("-sig") or "utf-8"
        self.damage = ""
        """Why there is no more, where the file does not simply end."""
        self.tail = b""
        """Half a character at the end."""
        self.at_line_end = True
        self._on_bytes = on_bytes
        self._file = path.open("rb")
        self._chunks = self._whole_characters()
        self._pending = memoryview(b"")
        self._reported = 0

    def readable(self) -> bool:
        """Tell that this can be read, as the base class asks."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill a buffer as far as one chunk goes; 0 is the end."""
        target = memoryview(buffer).cast("B")
        if not self._pending:
            self._pending = memoryview(next(self._chunks, b""))
        size = min(len(target), len(self._pending))
        target[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()

    def lines(self) -> io.BufferedReader:
        """Return the bytes to be read by lines; only LF ends one."""
        return io.BufferedReader(self, CHUNK)

    def text(self, newline: str) -> io.TextIOWrapper:
        """Return the text; `newline` says what ends a line, as for `open`."""
        return io.TextIOWrapper(self.lines(), self.encoding, _ERRORS[self.encoding], newline)

    def kept(self, raw: str) -> str | bytes:
        """Return a row's text, or its bytes where those are no valid text."""
        if raw.isascii():
            return raw
        try:
            raw.encode()
        except UnicodeEncodeError:
            return raw.encode(self.encoding, _ERRORS[self.encoding])
        return raw

    @property
    def not_valid(self) -> str:
        """Why a row is kept as bytes."""
        return f"is not valid {self.encoding.upper().removesuffix('-LE').removesuffix('-BE')}"

    def _whole_characters(self) -> Iterator[bytes]:
        """Yield chunks without the mark at the start, none of which ends in the middle of a UTF-16 unit."""
        unit = len("\n".encode(self.encoding))
        mark, held, started = MARKS[self.encoding], b"", False
        for chunk in self._unpacked():
            data, held = held + chunk, b""
            if not started and mark.startswith(data[: len(mark)]) and len(data) < len(mark):
                held = data
                continue
            if not started:
                data, started = data.removeprefix(mark), True
            size = len(data) - len(data) % unit
            data, held = data[:size], data[size:]
            if data:
                self.at_line_end = data[-unit:] == "\n".encode(self.encoding)
                yield data
        self.tail = held
        if held:
            self.damage = self.damage or "is where the file ends in the middle of a character"

    def _unpacked(self) -> Iterator[bytes]:
        try:
            for data in unpack(self._file, self.layout.compression) if self.layout.compression else self._read():
                self._report()
                yield data
        except Broken as broken:
            self.damage = f"is where the {self.layout.compression} stream breaks: {broken}"
        except OSError as error:
            raise StudioError(f"{self.path} can't be read: {error.strerror}.") from error
        self._report(at_end=True)

    def _read(self) -> Iterator[bytes]:
        while data := self._file.read(CHUNK):
            yield data

    def _report(self, *, at_end: bool = False) -> None:
        position = self._file.tell()
        if self._on_bytes and (at_end or position >= self._reported + CHUNK):
            self._reported = position
            self._on_bytes(position)
