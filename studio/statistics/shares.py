"""Intervals and tests for small counts, exact where that is cheap."""

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The two-sided 95 % point of the standard normal distribution."""
MOST_EXACT = 20_000
"""Larger counts are not worked out in whole numbers, which takes seconds."""


@dataclass(frozen=True)
class Share:
    """A share of a count, with its 95 % Wilson interval."""

    part: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself; 0 where there is nothing to share."""
        return self.part / self.of if self.of else 0.0

    def __str__(self) -> str:
        if not self.of:
            return "no data"
        return f"{self.part}/{self.of} = {self.value:.0%} [{self.low:.0%}, {self.high:.0%}]"


def wilson(part: int, of: int) -> Share:
    """Return a share with its 95 % score interval (Wilson, JASA 22, 1927)."""
    if not of:
        return Share(part, of, 0.0, 1.0)
    p, z2 = part / of, Z95**2
    centre = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 / (1 + z2 / of) * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return Share(part, of, max(0.0, centre - half), min(1.0, centre + half))


def binomial_p(part: int, of: int) -> float:
    """Return the exact two-sided p-value of a share against one half; of large counts to nine digits."""
    if of > MOST_EXACT:
        return min(1.0, 2 * at_least_p(max(part, of - part), of, 0.5))
    outcomes = tail = 1
    # Each binomial coefficient from the one before it: math.comb anew for each takes minutes at 100 000.
    for k in range(min(part, of - part)):
        outcomes = outcomes * (of - k) // (k + 1)
        tail += outcomes
    return min(1.0, 2 * tail / (1 << of))


def at_least_p(part: int, of: int, expected: float) -> float:
    """Return how likely so many or more are where each is one with the chance `expected` (binomial, one-sided).

    The terms of the tail are added from `part` on, away from the mean, until they add nothing any more.
    """
    if part <= of * expected:
        return 1.0
    odds = math.log(expected) - math.log1p(-expected)
    log_term = (
        math.lgamma(of + 1) - math.lgamma(part + 1) - math.lgamma(of - part + 1) + part * odds
    ) + of * math.log1p(-expected)
    term = tail = math.exp(log_term)
    for k in range(part, of):
        term *= (of - k) / (k + 1) * math.exp(odds)
        tail += term
        if term <= tail * 1e-17:
            break
    return min(1.0, tail)
