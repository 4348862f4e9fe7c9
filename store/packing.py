"""Long lists of ids in little room: what a snapshot of a million rows is kept as."""

import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import sub
from typing import Any

import orjson

Ids = tuple[str, int, int, int | None, int | None, int | None]
"""A word (one of a few) and ids that mostly grow from row to row; ids begin at 1."""


def pack(columns: Sequence[Sequence[Any]]) -> bytes:
    """Return columns of words and of ids, each id as its step from the one before, compressed.

    The inside is JSON, so that a file is read on any machine.
    """
    words, *ids = columns
    return zlib.compress(orjson.dumps([words, *map(_steps, ids)]), 1)


def unpack(block: bytes) -> Iterator[Ids]:
    """Yield the rows of a block."""
    words, *columns = orjson.loads(zlib.decompress(block))
    return zip(words, *map(_ids, columns), strict=True)


def _steps(column: Sequence[int | None]) -> list[int]:
    numbers = [number or 0 for number in column]
    return [numbers[0], *map(sub, numbers[1:], numbers)]


def _ids(steps: list[int]) -> Iterator[int | None]:
    return (number or None for number in accumulate(steps))
