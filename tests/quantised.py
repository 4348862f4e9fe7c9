"""Reports of quantised files as a test may leave them, for tests that need no model."""

from dataclasses import replace
from typing import Any

from studio.inference.quantising import report as reports
from studio.inference.quantising.making import Fallback
from studio.inference.quantising.places import Place
from studio.inference.quantising.report import CheckChange, Regression, Report, Test

TESTED = Test(
    key="k",
    texts=40,
    tokens=5000,
    skipped=0,
    own_answers=False,
    perplexity=10.1,
    perplexity_before=10.0,
    mean_kl=0.01,
    worst_kl=0.5,
    same_top=0.96,
    speed=120.0,
    speed_before=80.0,
    speed_ratio=1.5,
)
"""A test whose figures are all within bounds."""


def of_type(type_: str, megabytes: float, **changed: Any) -> Report:
    """A report of a type whose test is good but for what is changed."""
    return Report(type_, "hash", int(megabytes * 1e6), 270_000_000, 5.0, test=replace(TESTED, **changed))


def check(before: int, after: int, change: float, low: float, high: float) -> CheckChange:
    """How a check named 'polite' changed over a hundred prompts."""
    return CheckChange("polite", 100, before, after, change, low, high, 0.01)


def leave(place: Place, *found: Report) -> None:
    """Write reports, each beside a file that stands for its model."""
    place.folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        place.gguf(one.type).write_bytes(b"GGUF")
        reports.write(place, one)


BROKEN = replace(
    of_type(
        "Q2_K",
        88,
        mean_kl=0.6,
        same_top=0.6,
        perplexity=31.0,
        checks=(check(80, 45, -0.35, -0.45, -0.24),),
        regressions=(
            Regression(7, "Where is [b]my[/b] book?", "On its way.", "book book\x1b[31m book", 1.2, ("polite",)),
        ),
    ),
    fallbacks=(Fallback(30, 576, 256, "q2_K", "q4_0"),),
)
"""A type that breaks the model, with a hostile answer."""
