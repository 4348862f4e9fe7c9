"""How far verdicts can be relied on: agreement with oneself, the side chosen, pace, and time to read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from store import readings, tallies
from store.gathered import Gathered
from store.readings import Again
from studio.statistics.agreement import Kappa, kappa
from studio.statistics.shares import Share, binomial_p, wilson

IDLE_SECONDS = 120.0
"""A longer time on one pair counts as a pause, not as work."""

MINIMUM_FOR_BIAS = 100
"""Below this many decided pairs a position bias of 60:40 can't be told from chance."""


@dataclass(frozen=True)
class SelfAgreement:
    """How often people said the same again; which response was better, or that neither was."""

    repeats: Kappa
    """All pairs that came back unannounced, against the person's own verdict before."""
    same_sides: Kappa
    """Of these, those with the sides as before."""
    swapped_sides: Kappa
    """Of these, those with the sides the other way round."""
    soon: Kappa
    """Of these, those that came back within a session."""
    later: Kappa
    """Of these, those that came back in a later session."""
    same_texts: Share
    """Texts that the data has more than once in the same order, judged by one person alike each time."""
    texts: Kappa
    """On these, each later verdict against the first."""
    swapped_texts: Share
    """Texts that the data has in both orders, whose verdict went with the texts."""
    decided: Share
    """Of everything judged again, pairs and texts, with a winner both times: those with the same one."""


@dataclass(frozen=True)
class Position:
    """The side that was called better, of decided pairs that were shown here."""

    left: Share
    p: float
    """Exact, two-sided, against one half."""


@dataclass(frozen=True)
class Pace:
    """How long verdicts took, pauses left out."""

    timed: int
    pauses: int
    median_seconds: float | None
    pairs_per_minute: float | None


@dataclass(frozen=True)
class Hasty:
    """Verdicts that came before both answers can have been read."""

    verdicts: Share
    latest_pairs: list[int]
    """Ids of the latest of them."""


def self_agreement(of: Gathered) -> SelfAgreement:
    """Return how often people agree with themselves."""
    again = readings.again(of)
    twins = readings.twins(of)
    pairs = [(winner(each.before), winner(each.after), each.times) for each in again]
    texts = [(winner(each.before), winner(each.after), each.times) for each in readings.twin_answers(of)]
    decided = [each for each in (*pairs, *texts) if "none" not in each[:2]]
    return SelfAgreement(
        repeats=_kappa(again),
        same_sides=_kappa(each for each in again if not each.swapped),
        swapped_sides=_kappa(each for each in again if each.swapped),
        soon=_kappa(each for each in again if each.purpose == "repeat"),
        later=_kappa(each for each in again if each.purpose == "anchor"),
        same_texts=wilson(sum(each.alike for each in twins), sum(each.groups for each in twins)),
        texts=kappa(_table(texts)),
        swapped_texts=wilson(sum(each.mirrored for each in twins), sum(each.swapped for each in twins)),
        decided=wilson(
            sum(times for before, after, times in decided if before == after), sum(times for *_, times in decided)
        ),
    )


def position(of: Gathered) -> Position:
    """Return which side was called better."""
    left, right = tallies.sides(of)
    return Position(wilson(left, left + right), binomial_p(left, left + right))


def pace(of: Gathered) -> Pace:
    """Return how fast people answered."""
    timed, pauses, median, mean = tallies.pace(of, IDLE_SECONDS)
    return Pace(timed, pauses, median, 60 / mean if mean else None)


def hasty(of: Gathered, options: Mapping[str, Any]) -> Hasty:
    """Return the verdicts that came too fast by the thresholds of `studio.lint.options`."""
    fast, timed, latest = tallies.hasty(
        of, shortest=float(options["shortest_decision"]), speed=float(options["reading_speed"])
    )
    return Hasty(wilson(fast, timed), latest)


def winner(answer: str) -> str:
    """Return which of two an answer calls better, `none` where neither."""
    return "none" if answer in ("tie", "both_bad") else answer


def _kappa(again: Iterable[Again]) -> Kappa:
    return kappa(_table((winner(each.before), winner(each.after), each.times) for each in again))


def _table(counted: Iterable[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    table: Counter[tuple[str, str]] = Counter()
    for before, after, times in counted:
        table[before, after] += times
    return table
