"""Checks of all examples together."""

from studio.lint.check import OfSet
from studio.lint.sets import (
    authors,
    balance,
    contradictions,
    held_out,
    leaks,
    lengths,
    near_labels,
    numbers,
    phrasing,
    raters,
    repeats,
    sources,
)

CHECKS: tuple[OfSet, ...] = (
    *leaks.CHECKS,
    *repeats.CHECKS,
    *near_labels.CHECKS,
    *balance.CHECKS,
    *numbers.CHECKS,
    *lengths.CHECKS,
    *phrasing.CHECKS,
    *authors.CHECKS,
    *contradictions.CHECKS,
    *raters.CHECKS,
    *held_out.CHECKS,
    *sources.CHECKS,
)
