"""Lengths that are off: of single answers, and of the chosen ones against the rejected."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted
from studio.statistics.shares import Share, binomial_p, wilson

FEWEST_ANSWERS = 50
FEWEST_PAIRS = 30
MOST_OUTLIERS = 0.01
"""A larger share than this is how the lengths are spread, and no outliers."""
CERTAIN = 0.01


@dataclass(frozen=True)
class LengthBias:
    """How the chosen answers compare with the rejected ones."""

    longer: Share
    """Pairs in which the chosen answer is longer, of those whose lengths differ."""
    p: float
    """Of the sign test, two-sided."""


def outliers(noted: Noted, context: Context) -> Iterator[Found]:
    """Find answers whose logarithmic length is far from the median of their source.

    The distance is the modified z-score of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993).
    """
    by_source: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row_id, source, size in noted.columns("id", "source", "answer_length"):
        if size:
            by_source[source].append((row_id, size))
    for rows in by_source.values():
        lengths = [math.log(size) for _, size in rows]
        middle = statistics.median(lengths)
        spread = statistics.median(abs(length - middle) for length in lengths) / 0.6745
        if len(rows) < FEWEST_ANSWERS or not spread:
            continue
        far = [(row, (length - middle) / spread) for row, length in zip(rows, lengths, strict=True)]
        found = [(row, z) for row, z in far if abs(z) > context.options["length_distance"]]
        if len(found) > MOST_OUTLIERS * len(rows):
            continue
        for (row_id, size), z in found:
            which = "long" if z > 0 else "short"
            yield Found(row_id, f"{size:,} characters; {math.exp(middle):,.0f} are usual here, so {which}")


def length_bias(noted: Noted) -> LengthBias | None:
    """Compare the lengths of the two sides of all decided pairs; None where there is nothing to compare."""
    sides = [(better, worse) for _, better, _, worse in noted.sides]
    longer = sum(chosen > rejected for chosen, rejected in sides)
    differing = sum(chosen != rejected for chosen, rejected in sides)
    if not differing:
        return None
    return LengthBias(wilson(longer, differing), binomial_p(longer, differing))


def longer_chosen(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell where the chosen answer is nearly always the longer one."""
    bias = length_bias(noted)
    if not bias or bias.longer.of < FEWEST_PAIRS or bias.p >= CERTAIN:
        return
    if bias.longer.value >= context.options["longer_chosen"]:
        ratio = statistics.median((chosen + 1) / (rejected + 1) for _, chosen, _, rejected in noted.sides)
        yield Found(
            None,
            f"the chosen answer is the longer one in {bias.longer} of the pairs (sign test p = {bias.p:.2g}), at the"
            f" median {ratio:.2f} times as long. A model trained on them answers at greater length: add pairs in"
            " which the shorter answer wins, or leave out some of the longest.",
        )


CHECKS = (
    OfSet(
        Check(
            "length-outlier",
            "answers of unusual length",
            "Far longer or shorter than the others of their file: often two rows in one, a log, or a cut text.",
            "info",
        ),
        outliers,
    ),
    OfSet(
        Check(
            "longer-chosen",
            "chosen answers longer than rejected ones",
            "Preference training learns length as quality where the two go together, and answers grow with it.",
            "warning",
        ),
        longer_chosen,
    ),
)
