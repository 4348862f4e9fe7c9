"""Saying now and then how far work on many rows has come."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

SECONDS = 1.0

Row = TypeVar("Row")
Say = Callable[[int], None]
"""Told how many rows are done."""


def silently(*_: int) -> None:
    """Tell nobody."""


def told(rows: Iterable[Row], say: Say) -> Iterator[Row]:
    """Yield rows, and say about once a second how many are done."""
    last = time.monotonic()
    for done, row in enumerate(rows):
        if time.monotonic() - last > SECONDS:
            say(done)
            last = time.monotonic()
        yield row
