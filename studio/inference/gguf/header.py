"""The head of a GGUF file, read in milliseconds and without its library: what is said of it, and its tensors."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from studio.errors import StudioError

MAGIC = b"GGUF"
VERSIONS = (2, 3)

STRING, ARRAY = 8, 9
PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""How plain values are packed, by the number of their type in the GGUF specification."""

LONGEST_KEPT = 64
"""Longer arrays, such as a vocabulary, are skipped: only their length is kept."""

MOST = 1 << 24
"""No list in a sound head is longer, and no text; a broken file must not fill the memory."""


@dataclass(frozen=True)
class TensorHead:
    """A tensor as the head names it; its sizes as llama.cpp orders them, the row first."""

    name: str
    sizes: tuple[int, ...]
    type: int


@dataclass(frozen=True)
class Header:
    """What a GGUF's head says; of a long array only its length, under the key and `#`."""

    values: dict[str, Any]
    tensors: tuple[TensorHead, ...]

    def text(self, key: str) -> str:
        """Return a text, empty where there is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int | None:
        """Return a whole number, None where there is none."""
        value = self.values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_header(path: Path) -> Header:
    """Read the head of a GGUF file.

    Raises:
        StudioError: it is none, or breaks off, or can't be read.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror or error}.") from error
    except (struct.error, ValueError, RecursionError) as error:
        raise StudioError(f"{path} is no whole GGUF file.", "Copy or download it again.") from error


def is_gguf(path: Path) -> bool:
    """Tell whether a file begins as a GGUF does."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def _read(file: BinaryIO) -> Header:
    if file.read(4) != MAGIC or _plain(file, "I") not in VERSIONS:
        raise ValueError
    tensor_count, value_count = _count(file), _count(file)
    values: dict[str, Any] = {}
    for _ in range(value_count):
        key = _text(file)
        kind = _plain(file, "I")
        if kind == ARRAY:
            length, kept = _array(file)
            values |= {f"{key}#": length, **({key: kept} if kept is not None else {})}
        else:
            values[key] = _text(file) if kind == STRING else _plain(file, _packing(kind))
    return Header(values, tuple(_tensor(file) for _ in range(tensor_count)))


def _tensor(file: BinaryIO) -> TensorHead:
    name = _text(file)
    sizes = tuple(_plain(file, "Q") for _ in range(min(_plain(file, "I"), 8)))
    kind = _plain(file, "I")
    _plain(file, "Q")  # where it lies
    return TensorHead(name, sizes, kind)


def _array(file: BinaryIO) -> tuple[int, list[Any] | None]:
    kind, length = _plain(file, "I"), _count(file)
    if kind == ARRAY:
        for _ in range(length):
            _array(file)
        return length, None
    read = _reader(kind)
    if length <= LONGEST_KEPT:
        return length, [read(file) for _ in range(length)]
    if kind == STRING:
        for _ in range(length):
            file.seek(_count(file), 1)
    else:
        file.seek(length * struct.calcsize(_packing(kind)), 1)
    return length, None


def _reader(kind: int) -> Callable[[BinaryIO], Any]:
    if kind == STRING:
        return _text
    packing = _packing(kind)
    return lambda file: _plain(file, packing)


def _packing(kind: int) -> str:
    if kind not in PLAIN:
        raise ValueError
    return PLAIN[kind]


def _plain(file: BinaryIO, packing: str) -> Any:
    packed = struct.Struct(f"<{packing}")
    return packed.unpack(file.read(packed.size))[0]


def _count(file: BinaryIO) -> int:
    count: int = _plain(file, "Q")
    if count > MOST:
        raise ValueError
    return count


def _text(file: BinaryIO) -> str:
    length = _count(file)
    text = file.read(length)
    if len(text) < length:
        raise ValueError
    return text.decode("utf-8", "replace")
