"""The change of a share between two readings of the same things, with its interval."""

import math
from dataclasses import dataclass

from studio.statistics.shares import wilson


@dataclass(frozen=True)
class Change:
    """A change of a share, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:+.0f} points [{100 * self.low:+.0f}, {100 * self.high:+.0f}]"


def paired_change(both: int, only_before: int, only_after: int, neither: int) -> Change:
    """Return how a share changed from one reading to the next (Newcombe, Statistics in Medicine 17, 1998, method 10).

    It joins the score intervals of both shares, with their correlation taken off; so it does not shrink to nothing
    where nothing changed.

    Args:
        both: how many pass before and after.
        only_before: how many pass before only.
        only_after: how many pass after only.
        neither: how many never pass.
    """
    n = both + only_before + only_after + neither
    if not n:
        return Change(0.0, -1.0, 1.0)
    before, after = wilson(both + only_before, n), wilson(both + only_after, n)
    value = after.value - before.value
    phi = _correlation(both, only_before, only_after, neither)
    down = _joined(after.value - after.low, before.high - before.value, phi)
    up = _joined(after.high - after.value, before.value - before.low, phi)
    return Change(value, max(-1.0, value - down), min(1.0, value + up))


def _joined(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(0.0, first * first - 2 * phi * first * second + second * second))


def _correlation(both: int, only_before: int, only_after: int, neither: int) -> float:
    n = both + only_before + only_after + neither
    margins = (both + only_before) * (only_after + neither) * (both + only_after) * (only_before + neither)
    if not margins:
        return 0.0
    product = both * neither - only_before * only_after
    # Method 10's correction for continuity, of a correlation above 0.
    corrected = max(product - n / 2, 0.0) if product > 0 else float(product)
    return corrected / math.sqrt(margins)
