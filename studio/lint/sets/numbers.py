"""Numbers to learn: whether they were rounded, cut off at a limit, or can't be."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted
from studio.statistics.shares import at_least_p

BASES = (5, 10, 50, 100)
FEWEST = 50
"""Fewer numbers than these say nothing about how they are spread."""
FEWEST_DIFFERENT = 20
"""Fewer different ones are a scale or classes, not measurements."""
CERTAIN = 0.001
"""The p-value below which a surplus is no chance."""
SMALLEST = 20
"""Nobody rounds smaller numbers than these, and 0 is a multiple of everything."""
LIMIT_TIMES = 5
"""Times that a limit must come as often as any other number."""
PLACEHOLDERS = frozenset({-1.0, -99.0, -999.0, -9999.0, 999.0, 9999.0, 99999.0, 999999.0})
"""Numbers that people and programs write for "unknown"."""
_RANGE = re.compile(r"(?:(?P<name>.+?)\s*:\s*)?(?P<low>-?\d+(?:\.\d+)?)\s+to\s+(?P<high>-?\d+(?:\.\d+)?)")


class Target(NamedTuple):
    """One kind of number that answers are."""

    name: str
    values: list[tuple[int, float]]
    """The example and its number."""

    @property
    def finite(self) -> list[float]:
        """The numbers themselves, less those that are none."""
        return [value for _, value in self.values if math.isfinite(value)]


def targets(noted: Noted) -> list[Target]:
    """Return the kinds of numbers in the answers: the answers themselves, and each number field of JSON answers."""
    by_name: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row_id, numbers in noted.with_numbers:
        for name, value in numbers:
            by_name[name].append((row_id, float(value)))
    return [Target(name, values) for name, values in by_name.items()]


def roundness(values: Sequence[float], base: int) -> float:
    """Return how many numbers are multiples of `base`, where 100 is what an even spread of whole numbers gives.

    Whipple's index of age heaping (Shryock and Siegel, The Methods and Materials of Demography, 1976), for any base.
    """
    return 100 * base * sum(value % base == 0 for value in values) / len(values)


def heaping(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell where there are far more round numbers than an even spread has."""
    for target in targets(noted):
        values = [value for value in target.finite if abs(value) >= SMALLEST]
        if len(values) < FEWEST or len(set(values)) < FEWEST_DIFFERENT:
            continue
        said = []
        for base in BASES:
            index = roundness(values, base)
            round_ones = sum(value % base == 0 for value in values)
            if index >= context.options["roundness"] and at_least_p(round_ones, len(values), 1 / base) < CERTAIN:
                said.append(f"{round_ones / len(values):.0%} of {base} ({1 / base:.0%} by chance: index {index:.0f})")
        if said:
            yield Found(
                None,
                f"{_name(target)}, {len(values):,} numbers of {SMALLEST} or more: multiples are {', '.join(said)}."
                " Prices and made up sums may be round by nature; estimates that people rounded are learnt as rounded."
                " Look for exact values, or compare what the model answers with them in mind.",
            )


def limits(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell where many numbers are the very lowest or the very highest one."""
    for target in targets(noted):
        times = Counter(target.finite)
        total = times.total()
        if total < FEWEST or len(times) < FEWEST_DIFFERENT:
            continue
        low, high = min(times), max(times)
        for limit, word in ((low, "lowest"), (high, "highest")):
            others = max(count for value, count in times.items() if value != limit)
            if times[limit] >= max(context.options["limit_share"] * total, LIMIT_TIMES * others):
                yield Found(
                    None,
                    f"{_name(target)}: {times[limit]:,} of {total:,} are {limit:g}, the {word} one, and no other number"
                    f" comes more than {others:,} times. They may have been cut off there, or stand for unknown.",
                )


def impossible(noted: Noted, context: Context) -> Iterator[Found]:
    """Find numbers that are none, are outside the declared range, or stand for unknown."""
    ranges = dict(declared_ranges(context.options["ranges"]))
    for target in targets(noted):
        unknown = _placeholders(target)
        allowed = ranges.get(target.name)
        for row_id, value in target.values:
            if not math.isfinite(value):
                yield Found(row_id, f"{_name(target)}: {value} is no number")
            elif allowed and not allowed[0] <= value <= allowed[1]:
                yield Found(row_id, f"{_name(target)}: {value:g} is not within {allowed[0]:g} to {allowed[1]:g}")
            elif value in unknown:
                yield Found(row_id, f"{_name(target)}: {value:g} stands apart from all others, as a sign for unknown")


def declared_ranges(texts: Sequence[str]) -> Iterator[tuple[str, tuple[float, float]]]:
    """Read the texts of `lint.ranges`; one that says no range is passed over."""
    for text in texts:
        if match := _RANGE.fullmatch(text.strip()):
            yield match["name"] or "", (float(match["low"]), float(match["high"]))


def _placeholders(target: Target) -> set[float]:
    """Return the numbers that stand for unknown: well known as such, and far from all the others."""
    times: Mapping[float, int] = Counter(target.finite)
    others = [value for value in times if value not in PLACEHOLDERS]
    if len(target.values) < FEWEST or len(others) < FEWEST_DIFFERENT:
        return set()
    low, high = min(others), max(others)
    return {value for value in PLACEHOLDERS & set(times) if (value < 0 <= low) or value > 3 * max(high, 0) > 0}


def _name(target: Target) -> str:
    return f"'{target.name}'" if target.name else "answers"


CHECKS = (
    OfSet(
        Check(
            "round-numbers",
            "numbers that are rounder than chance",
            "Where people estimated or rounded, a model learns the rounding: it will answer 50 for 47.",
            "warning",
        ),
        heaping,
    ),
    OfSet(
        Check(
            "number-at-limit",
            "numbers that pile up at a limit",
            "Values that were cut off, or set to a limit where nothing was known, teach the model to answer the limit.",
            "info",
        ),
        limits,
    ),
    OfSet(
        Check(
            "impossible-number",
            "numbers that can't be",
            "Not a number, outside the declared range (lint.ranges), or a sign for unknown such as -1 or 9999: the"
            " model would learn it as a value.",
            "warning",
        ),
        impossible,
    ),
)
