"""How numbers are spread: extremes and mean of all, quantiles and a chart of all or, of many, of a fair sample."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import NamedTuple

SAMPLE = 20_000
"""So many numbers are kept; a quantile of such a sample is off by less than a percent of the numbers."""

MOST_BARS = 12
FEW_DIGITS = 4
LARGEST_WHOLE = 1e15
"""Whole numbers are written out up to here."""

TAIL = 0.01
"""The share at each end that may lie far out; it gets bars of its own."""


class Bar(NamedTuple):
    """A bar of a chart: what it stands for, and which share of all numbers that is."""

    label: str
    share: float


@dataclass(frozen=True)
class Spread:
    """A distribution in a few numbers."""

    count: int
    least: float
    lower: float
    """A quarter of the numbers are not above it."""
    median: float
    upper: float
    """A quarter of the numbers are not below it."""
    most: float
    mean: float
    is_sampled: bool
    """Whether the quantiles and the bars are those of a sample."""
    bars: list[Bar]


class Distribution:
    """Numbers as they come."""

    def __init__(self, kept: int = SAMPLE) -> None:
        self._most = kept
        self._kept: list[float] = []
        self._random = Random(0)
        self._weight = 1.0
        self._next = 0
        self.count = 0
        self._sum = 0.0
        self._least, self._greatest = math.inf, -math.inf

    def add(self, number: float) -> None:
        """Take a finite number in."""
        self.count += 1
        self._sum += number
        self._least = min(self._least, number)
        self._greatest = max(self._greatest, number)
        if self.count <= self._most:
            self._kept.append(number)
            if self.count == self._most:
                self._next = self.count
                self._skip()
        elif self.count == self._next:
            self._kept[self._random.randrange(self._most)] = number
            self._skip()

    def _skip(self) -> None:
        """Choose the next number that enters the sample (Li 1994, algorithm L: no random number for each)."""
        self._weight *= math.exp(math.log(1.0 - self._random.random()) / self._most)
        self._next += int(math.log(1.0 - self._random.random()) / math.log1p(-self._weight)) + 1

    def spread(self) -> Spread | None:
        """Return the distribution so far; None where no number came."""
        if not self.count:
            return None
        values = sorted(self._kept)
        lower, median, upper = (quantile(values, share) for share in (0.25, 0.5, 0.75))
        mean = self._sum / self.count
        sampled = self.count > len(values)
        return Spread(self.count, self._least, lower, median, upper, self._greatest, mean, sampled, bars(values))


def quantile(values: list[float], share: float) -> float:
    """Return a quantile of sorted values: one of them."""
    return values[min(int(share * len(values)), len(values) - 1)]


def bars(values: list[float]) -> list[Bar]:
    """Return a chart of sorted values: a bar for each of few numbers, else for ranges between round ones."""
    if len(counts := Counter(values)) <= MOST_BARS:
        numbers = sorted(counts)
        return [
            Bar(words, counts[value] / len(values)) for words, value in zip(words_apart(numbers), numbers, strict=True)
        ]
    whole = all(value == int(value) for value in values)
    edges = _edges(values, whole)
    at = [0, *(bisect_left(values, edge) for edge in edges), len(values)]
    words = words_apart(edges)
    labels = [f"under {words[0]}", *_range_labels(edges, words, whole), f"{words[-1]} and over"]
    shares = [(high - low) / len(values) for low, high in pairwise(at)]
    found = [Bar(label, share) for label, share in zip(labels, shares, strict=True)]
    return found[not shares[0] : len(found) - (not shares[-1])]


def _edges(values: list[float], whole: bool) -> list[float]:
    """Return round numbers from below the values to above them; a few that lie far out are left outside."""
    low, high = quantile(values, TAIL), quantile(values, 1 - TAIL)
    step = _round_step((high - low) / (MOST_BARS - 2) or abs(high) / MOST_BARS or 1.0)
    step = max(step, 1.0) if whole else step
    first, last = math.floor(low / step), math.floor(high / step) + 1
    first -= values[0] < first * step and values[0] >= (first - 1) * step
    last += values[-1] >= last * step and values[-1] < (last + 1) * step
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(number * step, digits) for number in range(first, last + 1)]


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, ... that is not below."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def _range_labels(edges: list[float], words: list[str], whole: bool) -> Iterator[str]:
    for (low, high), (first, last) in zip(pairwise(edges), pairwise(words), strict=True):
        if whole and high - low == 1:
            yield first
        else:
            yield f"{first} to {number_words(high - 1) if whole and high < LARGEST_WHOLE else last}"


def words_apart(values: Sequence[float]) -> list[str]:
    """Return numbers as people write them, with as many digits as it takes to tell them apart."""
    words: list[str] = []
    for digits in (FEW_DIGITS, 7, 10, 13, 17):
        words = [number_words(value, digits) for value in values]
        if len(set(words)) == len(set(values)):
            break
    return words


def number_words(value: float, digits: int = FEW_DIGITS) -> str:
    """Return a number as people write it, long fractions cut."""
    if value == int(value) and abs(value) < LARGEST_WHOLE:
        return f"{int(value):,}"
    if digits == FEW_DIGITS and 1e4 <= abs(value) < LARGEST_WHOLE:
        return f"{value:,.1f}"
    return f"{value:,.{digits}g}"
