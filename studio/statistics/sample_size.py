"""How many pairs it takes to tell two apart, where some are ties and the judge errs now and then."""

import math
from statistics import NormalDist

from studio.statistics.shares import Z95


def error_rate(self_agreement: float) -> float:
    """Return how often a judge picks the wrong side who agrees with themselves so often.

    Both verdicts on a pair err alike and apart: agreement c = (1 - e)^2 + e^2, so e = (1 - sqrt(2c - 1)) / 2.
    """
    return (1 - math.sqrt(max(0.0, 2 * self_agreement - 1))) / 2


def seen_share(odds: float, self_agreement: float = 1.0) -> float:
    """Return the share of wins that such a judge reports of one that wins by these odds: p(1 - e) + (1 - p)e."""
    share, error = odds / (1 + odds), error_rate(self_agreement)
    return share * (1 - error) + (1 - share) * error


def pairs_needed(odds: float = 2.0, ties: float = 0.0, self_agreement: float = 1.0, power: float = 0.8) -> int | None:
    """Return how many pairs tell such odds from 1 to 1; None where the judge's verdicts are no better than chance.

    The two-sided test of a share against one half at 5 % (Fleiss, Levin and Paik, Statistical Methods for Rates and
    Proportions, 2003, section 2.4): n = [(z / 2 + z_b sqrt(p(1 - p))) / (p - 1/2)]^2 decided pairs, divided by the
    share of pairs that are decided at all.

    Args:
        odds: how many times as often the better one really wins.
        ties: share of pairs that are not decided, from 0 to below 1.
        self_agreement: share of decided repeats with the same winner, measured on oneself.
        power: how likely the difference is found.
    """
    share = seen_share(odds, self_agreement)
    if abs(share - 0.5) < 1e-6 or ties >= 1:
        return None
    reach = Z95 * 0.5 + NormalDist().inv_cdf(power) * math.sqrt(share * (1 - share))
    return math.ceil((reach / (share - 0.5)) ** 2 / (1 - ties))
