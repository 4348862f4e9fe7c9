"""What the figures mean: within bounds, worse, or broken; and which type to take, with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from studio.inference.quantising.report import CheckChange, Report, Test
from studio.inference.quantising.types import FULL
from studio.sizes import size_in_words

Level = Literal["full", "good", "worse", "broken", "untested"]

# llama.cpp's own tables have Llama 3 8B at a perplexity 0.04 % higher in Q8_0, 0.3 % in Q6_K, 2.8 % in Q4_K_M, which
# most people run and few can tell from the full model, and 56 % in Q2_K, which everybody can.
MOST_MEAN_KL = 0.05
"""Nats a token. Above it answers begin to part in a few words; Llama 3 8B has 0.03 in Q4_K_M, 0.1 in Q3_K_M."""
LEAST_SAME_TOP = 0.90
"""Of ten tokens at most one is another; it is the likeliest answer, so more would be another answer."""
MOST_PERPLEXITY_RISE = 0.05
"""A twentieth: Q4_K_M commonly costs 1 to 3 %."""

BREAKING_MEAN_KL = 0.3
BREAKING_SAME_TOP = 0.75
"""Of four tokens one is another: no sentence stays the same."""
BREAKING_PERPLEXITY_RISE = 0.25
BREAKING_FALL = 0.2
"""In the share of prompts that pass a check, where the interval leaves no doubt that it fell."""

FEW_TOKENS = 1000
"""With fewer, a worst place or two decide the means."""
AS_LARGE = 1.02
"""Sizes that differ by less are the same: the closer one is taken."""


@dataclass(frozen=True)
class Verdict:
    """What the figures of one type mean."""

    level: Level
    reasons: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The level for a table."""
        return {"full": "full", "good": "good", "worse": "worse", "broken": "BROKEN", "untested": "not tested"}[
            self.level
        ]


@dataclass(frozen=True)
class Recommendation:
    """Which type to take; none where all that were tested cost too much."""

    type: str | None
    why: str


def judge(report: Report) -> Verdict:
    """Say whether what quantising costs is within bounds."""
    if report.type == FULL:
        return Verdict("full")
    test = report.test
    if test is None:
        return Verdict("untested")
    if breaking := _breaking(test):
        return Verdict("broken", tuple(breaking))
    beyond = _beyond(test)
    return Verdict("worse" if beyond else "good", tuple(beyond))


def sentence(report: Report) -> str:
    """Say the verdict and its reasons."""
    verdict = judge(report)
    why = "; ".join(verdict.reasons)
    match verdict.level:
        case "broken":
            return f"{report.type} breaks this model: {why}."
        case "worse":
            return f"{report.type} costs more than the bounds allow: {why}."
        case "good":
            return f"{report.type} is within all bounds: {_costs(report.test)}."
        case "full":
            return "F16 is what the others are held against."
        case "untested":
            return f"{report.type} was not tested."


def recommend(reports: Sequence[Report]) -> Recommendation:
    """Choose the smallest whose measured loss is within bounds."""
    tested = [report for report in reports if report.test is not None]
    if not tested:
        return Recommendation(None, "Nothing was tested yet, so nothing can be recommended.")
    good = [report for report in tested if judge(report).level == "good"]
    if not good:
        return Recommendation(
            None, "None that was tested is within bounds: try a larger type, or stay with 16-bit floats."
        )
    smallest = min(report.bytes for report in good)
    best = min((r for r in good if r.bytes <= smallest * AS_LARGE), key=lambda r: r.test.mean_kl if r.test else 0.0)
    return Recommendation(best.type, f"{best.type}: {_why(best, tested)}{_thin(best.test)}")


def _why(best: Report, tested: Sequence[Report]) -> str:
    words = [f"the smallest within bounds, {size_in_words(best.bytes)} of {size_in_words(best.bytes_before)}"]
    words.append(_costs(best.test))
    smaller = [f"{r.type} {_short(r)}" for r in tested if r.bytes < best.bytes and judge(r).level != "good"]
    if smaller:
        words.append(f"smaller ones are not: {', '.join(smaller)}")
    return "; ".join(words) + "."


def _short(report: Report) -> str:
    return "breaks the model" if judge(report).level == "broken" else f"({judge(report).reasons[0]})"


def _costs(test: Test | None) -> str:
    if test is None:
        return "not tested"
    rise = f"perplexity {100 * test.perplexity_rise:+.1f} %"
    return f"{rise}, mean KL {test.mean_kl:.4f}, the same likeliest token at {_percent(test.same_top)} of places"


def _thin(test: Test | None) -> str:
    if test is None or test.tokens >= FEW_TOKENS:
        return ""
    return f" Measured on {test.tokens:,} tokens only, which is little: hold out more examples to be surer."


def _breaking(test: Test) -> list[str]:
    found = []
    if test.same_top < BREAKING_SAME_TOP:
        found.append(f"the likeliest token is another at {_percent(1 - test.same_top)} of places")
    if test.perplexity_rise > BREAKING_PERPLEXITY_RISE:
        found.append(f"perplexity rises from {short(test.perplexity_before)} to {short(test.perplexity)}")
    if test.mean_kl > BREAKING_MEAN_KL:
        found.append(f"mean KL is {test.mean_kl:.2f}, where {MOST_MEAN_KL} is the bound")
    return found + [_fall(check) for check in test.checks if check.has_fallen and -check.change >= BREAKING_FALL]


def _beyond(test: Test) -> list[str]:
    found = []
    if test.mean_kl > MOST_MEAN_KL:
        found.append(f"mean KL {test.mean_kl:.3f} is over {MOST_MEAN_KL}")
    if test.same_top < LEAST_SAME_TOP:
        found.append(f"the likeliest token is the same at only {_percent(test.same_top)} of places")
    if test.perplexity_rise > MOST_PERPLEXITY_RISE:
        found.append(f"perplexity rises by {100 * test.perplexity_rise:.1f} %")
    return found + [_fall(check) for check in test.checks if check.has_fallen]


def short(perplexity: float) -> str:
    """Return a perplexity as its size deserves: a broken model's can have hundreds of digits."""
    return f"{perplexity:.2f}" if perplexity < 10_000 else f"{perplexity:.0e}"


def _fall(check: CheckChange) -> str:
    return (
        f"'{check.name}' passes {check.passed:,} of {check.of:,} prompts instead of {check.passed_before:,}"
        f" ({_points(check.change)} points, 95 % between {_points(check.low)} and {_points(check.high)})"
    )


def _points(change: float) -> str:
    return f"{100 * change:+.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
