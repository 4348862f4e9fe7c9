"""Several people on the same pairs: how far they agree, and what they disagree on."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from store import readings
from store.gathered import Gathered
from store.readings import Disagreement
from studio.labelling.honesty import winner
from studio.statistics.agreement import Kappa, kappa

MOST_SHOWN = 100
"""Disagreements whose pairs are named."""


@dataclass(frozen=True)
class TwoPeople:
    """Two people on the pairs that both judged."""

    rater: str
    other: str
    agreement: Kappa


@dataclass(frozen=True)
class Others:
    """How people agree with each other."""

    people: list[TwoPeople]
    """Those with the most pairs together come first."""
    disagreements: int
    """Pairs that people judged differently, which nobody settled."""
    disputed: list[Disagreement]
    """The first hundred of them, with what each person said."""


def others(of: Gathered) -> Others:
    """Return how people agree with each other."""
    tables: dict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for each in readings.both(of):
        tables[each.rater, each.other][winner(each.answer), winner(each.others_answer)] += each.times
    people = [TwoPeople(*names, kappa(table)) for names, table in tables.items()]
    people.sort(key=lambda two: (-two.agreement.n, two.rater, two.other))
    return Others(people, *readings.disagreements(of, MOST_SHOWN))
