"""What the journal of comparisons says about the labels and the labeller."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from store import journal, pairs, responses
from store.database import Store
from store.journal import Entry
from studio.statistics.shares import Share, binomial_p, wilson

MINIMUM_FOR_BIAS = 100
"""Below this many decided pairs a position bias of 60:40 can't be told from chance."""

IDLE_SECONDS = 120.0
"""A longer time on one pair counts as a pause, not as work."""


@dataclass(frozen=True)
class LabellingReport:
    """The state of the labels; shares carry 95 % Wilson intervals."""

    pairs: int
    unjudged: int
    verdicts: dict[str, int]
    usable: int
    """Pairs that training can use: one side was called better."""
    left_share: Share
    """Decided verdicts given here that went to the left side."""
    left_p: float
    """Exact two-sided p-value of the left share against one half."""
    agreement: Share
    """Pairs judged more than once by the same person with the same winner each time."""
    median_seconds: float | None
    """Time from showing a pair to its verdict, pauses left out."""
    pairs_per_minute: float | None
    longer_won: Share
    """Decided pairs in which the longer response was called better."""
    authors: dict[str, Share] = field(default_factory=dict)
    """Each author's wins among the decided pairs that it took part in."""

    @property
    def position_sentence(self) -> str:
        """What the left share means, in words."""
        if self.left_share.of < MINIMUM_FOR_BIAS:
            return f"left chosen {self.left_share}: too few to tell a bias ({MINIMUM_FOR_BIAS} needed)"
        verdict = "a bias" if self.left_p < 0.05 else "no bias seen"
        return f"left chosen {self.left_share}: {verdict} (p = {self.left_p:.3f})"


def report(store: Store) -> LabellingReport:
    """Read the journal and sum it up."""
    counts = pairs.counts(store)
    total = counts.pop("pairs")
    current = list(journal.current_verdicts(store))
    decided = [e for e in current if e.chosen_and_rejected]
    shown_here = [e for e in decided if e.shown_at]
    left = sum(e.verdict == "left" for e in shown_here)
    seconds = _seconds(current)
    median = statistics.median(seconds) if seconds else None
    lengths, authors = _responses(store)
    return LabellingReport(
        pairs=total,
        unjudged=total - sum(counts.values()),
        verdicts=counts,
        usable=counts.get("left", 0) + counts.get("right", 0),
        left_share=wilson(left, len(shown_here)),
        left_p=binomial_p(left, len(shown_here)),
        agreement=_agreement(journal.standing_verdicts(store)),
        median_seconds=median,
        pairs_per_minute=60 / statistics.fmean(seconds) if seconds else None,
        longer_won=_longer_won(decided, lengths),
        authors=_wins(decided, authors),
    )


def recent_seconds(store: Store, *, rater: str, limit: int = 50) -> list[float]:
    """Return how long a person looked at each of the pairs answered last, newest first, pauses left out."""
    return _seconds(journal.latest_verdicts(store, rater=rater, limit=limit))


def _seconds(entries: Iterable[Entry]) -> list[float]:
    spans = [
        (datetime.fromisoformat(e.answered_at) - datetime.fromisoformat(e.shown_at)).total_seconds()
        for e in entries
        if e.shown_at
    ]
    return [span for span in spans if 0 < span <= IDLE_SECONDS]


def _agreement(standing: Iterable[Entry]) -> Share:
    winners: dict[tuple[int, str], list[int | None]] = defaultdict(list)
    for entry in standing:
        if entry.verdict != "skip":
            decision = entry.chosen_and_rejected
            winners[entry.pair_id, entry.rater].append(decision[0] if decision else None)
    repeated = [found for found in winners.values() if len(found) > 1]
    return wilson(sum(len(set(found)) == 1 for found in repeated), len(repeated))


def _responses(store: Store) -> tuple[dict[int, int], dict[int, str]]:
    lengths, authors = {}, {}
    for response in responses.all_of_project(store):
        lengths[response.id] = sum(len(m.get("content") or "") for m in response.messages)
        authors[response.id] = response.author
    return lengths, authors


def _longer_won(decided: Iterable[Entry], lengths: dict[int, int]) -> Share:
    won, of = 0, 0
    for entry in decided:
        chosen, rejected = entry.chosen_and_rejected or (0, 0)
        if lengths[chosen] != lengths[rejected]:
            of += 1
            won += lengths[chosen] > lengths[rejected]
    return wilson(won, of)


def _wins(decided: Iterable[Entry], authors: dict[int, str]) -> dict[str, Share]:
    won: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for entry in decided:
        chosen, rejected = entry.chosen_and_rejected or (0, 0)
        if authors[chosen] and authors[rejected] and authors[chosen] != authors[rejected]:
            won[authors[chosen]] += 1
            of.update((authors[chosen], authors[rejected]))
    return {name: wilson(won[name], of[name]) for name in sorted(of)}
