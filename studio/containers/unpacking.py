"""Gzip and zstd streams, with everything that lies before the place where one breaks."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

LARGEST_WINDOW = 2**31
"""Bytes of history that a zstd file may ask for; large dumps are packed with `--long=31`."""


class Broken(Exception):
    """A compressed stream that ends too early or can't be what it says."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class _Kind:
    new: Callable[[], _Decoder]
    fault: type[Exception]
    piece: int
    """Bytes given to the decoder at a time: few, as one byte can stand for very many."""


def unpack(file: BinaryIO, compression: str) -> Iterator[bytes]:
    """Yield what the frames of a file hold, one after another.

    Raises:
        Broken: the stream is damaged; all that could be had was yielded before.
    """
    kind = _kind(compression)
    data = file.read(kind.piece)
    while data:
        decoder, start = kind.new(), file.tell() - len(data)
        while not decoder.eof:
            if not (data := data or file.read(kind.piece)):
                raise Broken(f"the file ends there, at byte {file.tell():,}, in the middle of the stream")
            try:
                unpacked = decoder.decompress(data)
            except kind.fault:
                yield from _up_to_the_break(file, kind, start, file.tell() - len(data))
                return
            data = b""
            if unpacked:
                yield unpacked
        data = _next_frame(file, kind, decoder.unused_data)


def _next_frame(file: BinaryIO, kind: _Kind, data: bytes) -> bytes:
    """Return the bytes after a frame; zeros that only fill a block are left out, as gzip itself does."""
    while not (data := data.lstrip(b"\0")):
        if not (data := file.read(kind.piece)):
            break
    return data


def _up_to_the_break(file: BinaryIO, kind: _Kind, start: int, known: int) -> Iterator[bytes]:
    """Unpack a frame anew up to the byte that it breaks at, as a decoder that fails keeps what it had ready."""
    decoder = kind.new()
    file.seek(start)
    while (position := file.tell()) < known:
        decoder.decompress(file.read(min(kind.piece, known - position)))
    while byte := file.read(1):
        try:
            unpacked = decoder.decompress(byte)
        except kind.fault as fault:
            raise Broken(f"byte {file.tell():,} of the file is damaged ({_reason(fault)})") from fault
        if unpacked:
            yield unpacked


def _reason(fault: Exception) -> str:
    return str(fault).rpartition(": ")[2].strip() or "not readable"


def _kind(compression: str) -> _Kind:
    if compression == "gzip":
        return _Kind(lambda: zlib.decompressobj(wbits=31), zlib.error, 16 << 10)
    import zstandard

    reader = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    return _Kind(lambda: reader.decompressobj(write_size=64 << 10), zstandard.ZstdError, 1 << 10)
