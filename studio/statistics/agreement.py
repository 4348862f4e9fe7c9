"""Agreement of two readings of the same things, beyond what chance gives; and whether they moved one way."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from studio.statistics.shares import Share, binomial_p, wilson

First = TypeVar("First", bound=Hashable)
Second = TypeVar("Second", bound=Hashable)


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa with its 95 % interval, and the plain agreement that it corrects for chance."""

    value: float | None
    """1 is full agreement, 0 what chance gives; None where both only ever said one thing, which tells nothing."""
    low: float
    high: float
    observed: Share
    """How many were read alike."""
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "no data"
        kappa = "not defined" if self.value is None else f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"
        return f"{self.observed}, kappa {kappa}"


def kappa(table: Mapping[tuple[First, Second], int]) -> Kappa:
    """Return Cohen's kappa (Educational and Psychological Measurement 20, 1960): (po - pe) / (1 - pe).

    Its interval carries the Wilson interval of the agreement po over, with pe taken as known as in Cohen's own
    standard error sqrt(po(1 - po) / (n(1 - pe)^2)); so it does not shrink to nothing where all agree.

    Args:
        table: how often the first reading was a and the second b, by (a, b).
    """
    n = sum(table.values())
    observed = wilson(sum(count for (a, b), count in table.items() if a == b), n)
    if not n:
        return Kappa(None, -1.0, 1.0, observed, 0)
    first: Counter[Hashable] = Counter()
    second: Counter[Hashable] = Counter()
    for (a, b), count in table.items():
        first[a] += count
        second[b] += count
    chance = sum(count * second[name] for name, count in first.items()) / (n * n)
    if chance >= 1:
        return Kappa(None, -1.0, 1.0, observed, n)
    value, low, high = ((share - chance) / (1 - chance) for share in (observed.value, observed.low, observed.high))
    return Kappa(value, max(-1.0, low), min(1.0, high) if high < 1 - 1e-12 else 1.0, observed, n)


def mcnemar_p(one_way: int, other_way: int) -> float:
    """Return the exact p-value of so many changes one way and so many the other (McNemar, Psychometrika 12, 1947).

    Under "no drift" each change goes either way as often: 2 P(Bin(b + c, 1/2) <= min(b, c)).
    """
    return binomial_p(one_way, one_way + other_way)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that hold for all tests together (Holm, Scandinavian Journal of Statistics 6, 1979)."""
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, (len(p_values) - rank) * p_values[at])
        adjusted[at] = min(1.0, highest)
    return adjusted
