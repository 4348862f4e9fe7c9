"""What is said while a file of an earlier schema is brought up to date."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Upgrade(NamedTuple):
    """How far it is: the file is copied first, which takes the longest."""

    backup: Path
    """Where the copy goes."""
    size: int
    """Bytes of the file."""
    copied: float | None = None
    """The part that is copied, from 0 to 1; None before it has begun."""


OnUpgrade = Callable[[Upgrade], object]


def silently(_: Upgrade) -> None:
    """Say nothing."""
