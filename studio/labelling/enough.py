"""Whether there are enough verdicts: who is better, how sure that is at any time of looking, how many more it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from store import tallies
from store.database import Store
from store.gathered import Gathered
from store.tallies import Meeting
from studio.statistics.agreement import holm
from studio.statistics.sample_size import pairs_needed
from studio.statistics.sequential import ENOUGH, e_value, futile, wins_needed
from studio.statistics.shares import Share, binomial_p, wilson
from studio.statistics.strengths import davidson

FEWEST_REPEATS = 20
"""Repeats with a winner both times, below which the agreement with oneself is taken as `ASSUMED` instead."""

ASSUMED = 0.85
"""The agreement with oneself that careful people reach on replies of language models."""

ODDS = 2.0
"""The difference that is planned for: one of two wins twice as often as the other."""

DPO_TRY, DPO_GOOD, DPO_AGREEMENT = 50, 200, 0.8
"""Pairs with a better side from which DPO can be tried, from which it is worth while, and the self-agreement for it."""


@dataclass(frozen=True)
class AuthorPair:
    """Two authors whose replies met; the better one comes first."""

    better: str
    other: str
    won: int
    lost: int
    ties: int
    both_bad: int
    win_rate: Share
    """Of decided pairs; its interval holds only for who stops at a number fixed before."""
    odds: float | None
    odds_low: float
    odds_high: float | None
    p: float
    """Exact, two-sided, against one half."""
    p_holm: float
    """The same, held for all pairs of authors together."""
    e_value: float
    """Evidence that one is better, valid however often one looks."""
    e_needed: float
    """How much says "told apart": 20 times the pairs of authors that met."""
    wins_needed: int | None
    """How many wins, of as many decided pairs, would tell them apart."""
    told_apart: bool
    futile: bool
    """No difference worth having is likely any more."""
    more: int | None
    """How many more pairs tell odds of 2 to 1 from 1 to 1, ties and self-agreement as seen; 0 where there are enough,
    None where no number is enough."""


@dataclass(frozen=True)
class Dpo:
    """Whether training on the verdicts can be tried."""

    usable: int
    """Pairs with a better side in the project."""
    can_be_tried: bool
    worth_while: bool
    """Enough pairs, and a self-agreement that was measured and is high enough."""


@dataclass(frozen=True)
class Enough:
    """Who is better, and whether that is certain."""

    authors: list[AuthorPair]
    """Those who met most come first."""
    strengths: dict[str, float]
    """The logarithm of each author's strength (Davidson's model); they sum to 0."""
    undecided: Share
    """Ties and both bad among the pairs of two authors."""
    self_agreement: float
    """What the number of pairs is worked out with."""
    self_agreement_is_assumed: bool
    pairs_needed: int | None
    """For one pair of authors at odds of 2 to 1, with 80 % power at 5 %."""
    dpo: Dpo


def enough(of: Gathered, decided_again: Share, usable: int) -> Enough:
    """Return whether there are enough verdicts.

    Args:
        of: the verdicts.
        decided_again: how often people agree with themselves, where both verdicts had a winner.
        usable: the project's pairs with a better side.
    """
    met = tallies.meetings(of)
    compared = [each for each in met if each.first_won + each.second_won]
    ties = sum(each.ties + each.both_bad for each in met)
    undecided = wilson(ties, ties + sum(each.first_won + each.second_won for each in met))
    assumed = decided_again.of < FEWEST_REPEATS
    agreement = ASSUMED if assumed else decided_again.value
    needed = pairs_needed(ODDS, undecided.value, agreement)
    return Enough(
        authors=_author_pairs(compared, needed),
        strengths=davidson((each.first, each.second, each.first_won, each.second_won, each.ties) for each in met),
        undecided=undecided,
        self_agreement=agreement,
        self_agreement_is_assumed=assumed,
        pairs_needed=needed,
        dpo=Dpo(
            usable,
            usable >= DPO_TRY,
            usable >= DPO_GOOD and not assumed and decided_again.value >= DPO_AGREEMENT,
        ),
    )


def short(store: Store, task: str, rater: str) -> str:
    """Say in 40 characters how far the two authors who met most are from being told apart; blind, so without names."""
    most = tallies.most_met(store, task=task, rater=rater)
    if most is None:
        return ""
    stand = f"{most.won:,} to {most.lost:,}"
    needed = ENOUGH * most.met
    if e_value(most.won, most.lost) >= needed:
        return f"told apart: {stand}"
    if futile(most.won, most.lost):
        return f"no difference: {stand}"
    line = wins_needed(most.won + most.lost, needed)
    return "" if line is None else f"{stand}, told apart at {line:,}"


def _author_pairs(met: Sequence[Meeting], needed: int | None) -> list[AuthorPair]:
    p_values = [binomial_p(each.first_won, each.first_won + each.second_won) for each in met]
    adjusted = holm(p_values)
    return [
        _author_pair(each, p, p_holm, ENOUGH * len(met), needed)
        for each, p, p_holm in zip(met, p_values, adjusted, strict=True)
    ]


def _author_pair(met: Meeting, p: float, p_holm: float, e_needed: float, needed: int | None) -> AuthorPair:
    won, lost = max(met.first_won, met.second_won), min(met.first_won, met.second_won)
    first_is_better = met.first_won >= met.second_won
    share, evidence = wilson(won, won + lost), e_value(won, lost)
    judged = won + lost + met.ties + met.both_bad
    return AuthorPair(
        better=met.first if first_is_better else met.second,
        other=met.second if first_is_better else met.first,
        won=won,
        lost=lost,
        ties=met.ties,
        both_bad=met.both_bad,
        win_rate=share,
        odds=_odds(share.value),
        odds_low=_odds(share.low) or 0.0,
        odds_high=_odds(share.high),
        p=p,
        p_holm=p_holm,
        e_value=evidence,
        e_needed=e_needed,
        wins_needed=wins_needed(won + lost, e_needed),
        told_apart=evidence >= e_needed,
        futile=futile(won, lost),
        more=None if needed is None else max(0, needed - judged),
    )


def _odds(share: float) -> float | None:
    return None if share >= 1 - 1e-12 else share / (1 - share)
