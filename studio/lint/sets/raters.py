"""How verdicts were given here: on which side, and how fast."""

from collections import defaultdict
from collections.abc import Iterator

from studio.labelling.honesty import MINIMUM_FOR_BIAS
from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.features import Decision
from studio.lint.noted import Noted
from studio.statistics.shares import binomial_p, wilson

CERTAIN = 0.01
FEWEST_TIMED = 20
HASTY_SHARE = 0.2


def one_side(noted: Noted, _context: Context) -> Iterator[Found]:
    """Tell who chose one side of the screen more often than chance would."""
    for rater, given in sorted(_given_here(noted).items()):
        left = sum(decision.verdict == "left" for decision, _ in given)
        decided = left + sum(decision.verdict == "right" for decision, _ in given)
        if decided < MINIMUM_FOR_BIAS:
            continue
        share, p = wilson(left, decided), binomial_p(left, decided)
        if p < CERTAIN:
            yield Found(
                None,
                f"{rater or 'somebody'} chose the left answer in {share} (p = {p:.2g}). Sides are drawn by lot, so the"
                " place decided some of these verdicts: judge a part of them again.",
            )


def hasty_raters(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell who gave many verdicts faster than anybody reads."""
    shortest, speed = context.options["shortest_decision"], context.options["reading_speed"]
    for rater, given in sorted(_given_here(noted).items()):
        times = [(decision.seconds or 0.0, max(shortest, size / speed)) for decision, size in given]
        hasty = sum(seconds < needed for seconds, needed in times)
        if len(times) >= FEWEST_TIMED and hasty >= HASTY_SHARE * len(times):
            yield Found(
                None,
                f"{rater or 'somebody'} gave {wilson(hasty, len(times))} of the verdicts in less time than skimming"
                " both answers takes. See them with finding:hasty-verdict, and judge them again.",
            )


def _given_here(noted: Noted) -> dict[str, list[tuple[Decision, int]]]:
    """Return each rater's verdicts that were given in the studio, with the characters that were to be read."""
    given: dict[str, list[tuple[Decision, int]]] = defaultdict(list)
    for each in noted.judged_here:
        sizes = {candidate.id: candidate.length for candidate in each.candidates}
        for decision in each.decisions:
            if decision.seconds is not None and decision.verdict != "skip":
                size = sizes.get(decision.left_id, 0) + sizes.get(decision.right_id, 0)
                given[decision.rater].append((decision, size))
    return given


CHECKS = (
    OfSet(
        Check(
            "side-bias",
            "verdicts that go to one side of the screen",
            "Which side an answer is shown on is chance. Verdicts that follow it are noise in the training data.",
            "warning",
        ),
        one_side,
    ),
    OfSet(
        Check(
            "hasty-rater",
            "people who judge faster than they can read",
            "One verdict at a glance can be right; many are a habit, and make the rest doubtful.",
            "warning",
        ),
        hasty_raters,
    ),
)
