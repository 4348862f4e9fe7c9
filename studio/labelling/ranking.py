"""Ranking three or more replies by few comparisons: each is inserted into those before it by halving."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from store import journal
from store.database import Store
from store.pairs import Verdict


class Outcome(NamedTuple):
    """What was said of two responses, named by id."""

    left: int
    right: int
    verdict: Verdict

    @property
    def two(self) -> frozenset[int]:
        """The two responses, whichever was on the left."""
        return frozenset((self.left, self.right))

    @property
    def winner(self) -> int | Verdict:
        """The better one's id, or the verdict that names none."""
        return {"left": self.left, "right": self.right}.get(self.verdict, self.verdict)


Groups = list[list[int]]
"""Best first; those of one group have equal rank."""


def outcomes_of(store: Store, example_id: int, *, rater: str) -> list[Outcome]:
    """Return what a rater said of the replies to a prompt, the latest of each pair, nothing that only follows."""
    latest = {
        entry.pair_id: entry
        for entry in journal.standing_verdicts_of(store, example_id, rater=rater)
        if entry.purpose not in (*journal.NOT_COUNTED, "implied")
    }
    return [outcome(entry) for entry in latest.values()]


def outcome(entry: journal.Entry) -> Outcome:
    """Return what a verdict of the journal says of the two that were shown."""
    assert entry.left_id is not None
    assert entry.right_id is not None
    assert entry.verdict is not None
    return Outcome(entry.left_id, entry.right_id, entry.verdict)


def next_pair(candidates: Sequence[int], known: Iterable[Outcome]) -> tuple[int, int] | None:
    """Return the two responses to compare next; None when all that can be placed are.

    Args:
        candidates: the responses in the order in which they are inserted.
        known: what was said, in any order; ties and both bad give equal rank, and a skipped pair is not asked again.
    """
    return _Insertion(candidates, known).asked


def estimate(candidates: Sequence[int], known: Iterable[Outcome]) -> int:
    """Return how many comparisons are left at most, as long as none is skipped."""
    insertion = _Insertion(candidates, known)
    left = _halvings(insertion.gap)
    return left + sum(_halvings(len(insertion.ranked) + waiting) for waiting in range(1, insertion.waiting + 1))


def implied(known: Iterable[Outcome]) -> list[Outcome]:
    """Return what follows from what was said, for pairs of which nothing was said.

    Better follows through better and ties, a tie through ties only, both bad where each was called bad. Where the
    verdicts run in a circle nothing follows.
    """
    said = list(known)
    order = _Order(outcome for outcome in said if outcome.verdict in ("left", "right", "tie"))
    told = {outcome.two for outcome in said}
    bad = {each for outcome in said if outcome.verdict == "both_bad" for each in outcome.two}
    found = []
    for first, second in combinations(sorted(frozenset().union(*told)), 2):
        verdict = order.verdict(first, second) or ("both_bad" if {first, second} <= bad else None)
        if verdict and {first, second} not in told:
            found.append(Outcome(first, second, verdict))
    return found


class _Order:
    """Who is better than whom, through any number of others."""

    def __init__(self, known: Iterable[Outcome]) -> None:
        self._steps: dict[int, set[tuple[int, bool]]] = {}
        for left, right, verdict in known:
            if verdict != "right":
                self._steps.setdefault(left, set()).add((right, verdict == "left"))
            if verdict != "left":
                self._steps.setdefault(right, set()).add((left, verdict == "right"))
        self._reached = {start: self._reach(start) for start in self._steps}

    def verdict(self, left: int, right: int) -> Verdict | None:
        """Return what follows for two responses; None where nothing does, or the verdicts contradict each other."""
        down, up = self._reached.get(left, {}).get(right), self._reached.get(right, {}).get(left)
        if down and up is None:
            return "left"
        if up and down is None:
            return "right"
        return "tie" if down is False and up is False else None

    def in_circle(self, left: int, right: int) -> bool:
        """Tell whether each is better than the other, through others."""
        return left in self._reached.get(right, {}) and right in self._reached.get(left, {})

    def _reach(self, start: int) -> dict[int, bool]:
        """Return those that are no better than one, and whether any way there passes a real difference."""
        found: dict[int, bool] = {}
        ways = [(start, False)]
        while ways:
            here, better = ways.pop()
            for there, differs in self._steps.get(here, ()):
                strictly = better or differs
                if there not in found or (strictly and not found[there]):
                    found[there] = strictly
                    ways.append((there, strictly))
        return found


class _Insertion:
    """Where the insertion stands: what is ranked, and the comparison that it waits for."""

    def __init__(self, candidates: Sequence[int], known: Iterable[Outcome]) -> None:
        said = list(known)
        self._skipped = {outcome.two for outcome in said if outcome.verdict == "skip"}
        self._order = _Order(
            outcome._replace(verdict="tie") if outcome.verdict == "both_bad" else outcome
            for outcome in said
            if outcome.verdict != "skip"
        )
        self.ranked: Groups = []
        self.asked: tuple[int, int] | None = None
        self.gap = 0
        """Groups among which the one that is asked for may yet lie."""
        self.waiting = 0
        """Candidates that were not looked at yet."""
        for place, candidate in enumerate(candidates):
            self._insert(candidate)
            if self.asked:
                self.waiting = len(candidates) - place - 1
                return

    def _insert(self, candidate: int) -> None:
        low, high = 0, len(self.ranked)
        for place, group in enumerate(self.ranked):
            verdicts = {self._order.verdict(candidate, other) for other in group}
            if "tie" in verdicts or any(self._order.in_circle(candidate, other) for other in group):
                group.append(candidate)
                return
            if "right" in verdicts:
                low = place + 1
            elif "left" in verdicts:
                high = min(high, place)
        if low == high:
            self.ranked.insert(low, [candidate])
            return
        self.gap = high - low
        self.asked = self._nearest_to_the_middle(candidate, low, high)

    def _nearest_to_the_middle(self, candidate: int, low: int, high: int) -> tuple[int, int] | None:
        """Return a comparison that halves the gap; None where all were skipped, so that one stays unranked."""
        middle = (low + high - 1) / 2
        for place in sorted(range(low, high), key=lambda each: abs(each - middle)):
            for other in self.ranked[place]:
                if frozenset((candidate, other)) not in self._skipped:
                    return other, candidate
        return None


def _halvings(groups: int) -> int:
    """Return how many comparisons find the place among so many groups: log2 of the places, rounded up."""
    return groups.bit_length()
