"""Looking after every verdict without fooling oneself: when two are told apart, when there is nothing to find."""

import math

from studio.statistics.shares import at_least_p

ENOUGH = 20.0
"""An e-value that says "told apart": where both are as good it comes about once in 20 journals, however often
one looks (Ville's inequality)."""

PRIOR = 3.0
"""Both parameters of the beta distribution that wins are weighed by; 3 is best at differences of about 2 to 1."""

WORTH_HAVING = 1.2
"""Odds below which a difference is not worth more verdicts."""

UNLIKELY = 0.05


def e_value(wins: int, losses: int) -> float:
    """Return the evidence against "each wins as often", valid at any time of looking.

    The beta-binomial mixture martingale (Robbins, Annals of Mathematical Statistics 41, 1970; Ramdas et al.,
    Statistical Science 38, 2023): log E = log B(a + W, a + L) - log B(a, a) + (W + L) log 2 with a = 3.
    """
    log_e = _log_beta(PRIOR + wins, PRIOR + losses) - _log_beta(PRIOR, PRIOR) + (wins + losses) * math.log(2)
    return math.exp(min(log_e, 700.0))


def wins_needed(decided: int, enough: float = ENOUGH) -> int | None:
    """Return the fewest wins of so many decided pairs by which two are told apart; None where none are enough."""
    if e_value(decided, 0) < enough:
        return None
    low, high = (decided + 1) // 2, decided
    while low < high:
        middle = (low + high) // 2
        if e_value(middle, decided - middle) >= enough:
            high = middle
        else:
            low = middle + 1
    return low


def futile(wins: int, losses: int) -> bool:
    """Tell whether neither side can well be better by odds that are worth having.

    With the even prior Beta(1, 1) on the share of wins, odds above 1.2 must be below 5 % likely for either side.
    P(share > x) of Beta(1 + W, 1 + L) is the binomial tail P(at least L + 1 of W + L + 1 at 1 - x).
    """
    share = WORTH_HAVING / (1 + WORTH_HAVING)
    decided = wins + losses
    return all(at_least_p(other + 1, decided + 1, 1 - share) < UNLIKELY for other in (wins, losses))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
