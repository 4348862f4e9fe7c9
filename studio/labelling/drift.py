"""Whether the measure changes while one judges: what came back from earlier sessions, early and late answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from store import readings, tallies
from store.gathered import Gathered
from store.readings import Again
from studio.labelling.honesty import winner
from studio.statistics.agreement import holm, mcnemar_p
from studio.statistics.shares import Share, wilson


@dataclass(frozen=True)
class Change:
    """How often a yes became a no, and a no a yes, on the same pairs."""

    lost: int
    gained: int
    p: float
    """Exact (McNemar), held for all changes that are looked at together (Holm)."""


@dataclass(frozen=True)
class Anchors:
    """Pairs of earlier sessions that came back, with the verdicts then and now."""

    pairs: int
    since: str
    """The day of the oldest of the first verdicts, as 2026-11-03; empty without any."""
    until: str
    """The day of the newest of them."""
    other_winner: int
    """Pairs whose winner is another one now, or is none now, or was none then."""
    good_enough: Change
    """At least one response was good enough then (not both bad), and now: `lost` is stricter, `gained` milder."""
    decided: Change
    """One was better then, and now."""


@dataclass(frozen=True)
class Half:
    """The earlier or the later half of what each person answered here."""

    left: Share
    undecided: Share
    """Ties and both bad."""
    both_bad: Share


@dataclass(frozen=True)
class Drift:
    """Signs that the measure changed."""

    anchors: Anchors
    earlier: Half
    later: Half


def drift(of: Gathered) -> Drift:
    """Return what changed over time."""
    halves = {half.number: half for half in tallies.halves(of)}
    return Drift(
        _anchors([each for each in readings.again(of) if each.purpose == "anchor"]),
        _half(halves.get(1)),
        _half(halves.get(2)),
    )


def day_words(day: str) -> str:
    """Return a day as people write it, with the year where it is another than this one."""
    when = date.fromisoformat(day)
    words = f"{when.day} {when:%b}"
    return words if when.year == date.today().year else f"{words} {when.year}"


def _anchors(again: list[Again]) -> Anchors:
    strict = _changes(again, lambda answer: answer != "both_bad")
    decided = _changes(again, lambda answer: winner(answer) != "none")
    p_values = holm([mcnemar_p(*strict), mcnemar_p(*decided)])
    days = sorted(each.day for each in again)
    return Anchors(
        pairs=sum(each.times for each in again),
        since=days[0] if days else "",
        until=days[-1] if days else "",
        other_winner=sum(each.times for each in again if winner(each.before) != winner(each.after)),
        good_enough=Change(*strict, p_values[0]),
        decided=Change(*decided, p_values[1]),
    )


def _changes(again: list[Again], holds: Callable[[str], bool]) -> tuple[int, int]:
    lost = sum(each.times for each in again if holds(each.before) and not holds(each.after))
    gained = sum(each.times for each in again if holds(each.after) and not holds(each.before))
    return lost, gained


def _half(half: tallies.Half | None) -> Half:
    if half is None:
        return Half(wilson(0, 0), wilson(0, 0), wilson(0, 0))
    decided = half.left + half.right
    answered = decided + half.ties + half.both_bad
    return Half(
        wilson(half.left, decided), wilson(half.ties + half.both_bad, answered), wilson(half.both_bad, answered)
    )
