"""Python's garbage collector, while rows pass in great numbers."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

ALLOCATIONS = 500_000
"""Objects made between two looks for cycles; Python's own 700 is for other programs."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let Python look for cycles seldom: rows make many objects and no cycles, and looking doubles the time."""
    before = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
