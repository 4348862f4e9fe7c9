"""Whether there are enough verdicts, in words."""

from collections.abc import Iterator

from studio.labelling.enough import DPO_GOOD, DPO_TRY, FEWEST_REPEATS, AuthorPair, Enough
from studio.labelling.line import MOST_LINES, Line

FEWEST_EACH = 10
"""Decided pairs for each author, below which strengths are no more than noise."""

MOST_EVIDENCE = 10_000
"""More than that says nothing more."""


def enough_lines(enough: Enough) -> Iterator[Line]:
    """Say of each two authors who is ahead and whether that is certain, and how many more pairs it takes."""
    if not enough.authors:
        yield Line("who is better", "no data", "No two known authors met: compare replies of two models or people.")
    for pair in enough.authors[:MOST_LINES]:
        yield _author_pair(pair)
    if len(enough.authors) > MOST_LINES:
        yield Line("more pairs of authors", f"{len(enough.authors) - MOST_LINES:,}", "See all with --json.")
    decided = sum(pair.won + pair.lost for pair in enough.authors)
    if len(enough.strengths) > 2 and decided >= FEWEST_EACH * len(enough.strengths):
        order = sorted(enough.strengths.items(), key=lambda item: -item[1])
        named = ", ".join(f"{name} {strength:+.2f}" for name, strength in order)
        yield Line(
            "strengths",
            named,
            "Logarithms (Davidson's model): a difference of 0.69 is odds of 2 to 1; no more certain than the pairs.",
        )
    if enough.authors:
        yield _how_many(enough)
    yield _dpo(enough)


def _author_pair(pair: AuthorPair) -> Line:
    verb = "beats" if pair.told_apart else "is ahead of" if pair.won > pair.lost else "is level with"
    undecided = f"{pair.ties:,} {'tie' if pair.ties == 1 else 'ties'}, {pair.both_bad:,} both bad"
    figure = f"{pair.won:,} to {pair.lost:,} ({undecided}), won {pair.win_rate}{_odds(pair)}"
    return Line(f"{pair.better} {verb} {pair.other}", figure, f"{_stopping(pair)}{_how_many_more(pair)}")


def _odds(pair: AuthorPair) -> str:
    if pair.odds is None:
        return f", odds at least {pair.odds_low:.1f}"
    high = "" if pair.odds_high is None else f"{pair.odds_high:.1f}"
    return f", odds {pair.odds:.1f} [{pair.odds_low:.1f}, {high or 'no end'}]"


def _stopping(pair: AuthorPair) -> str:
    value = f"{pair.e_value:.1f}" if pair.e_value < MOST_EVIDENCE else f"over {MOST_EVIDENCE:,}"
    evidence = f"e-value {value} of {pair.e_needed:.0f}"
    if pair.told_apart:
        return f"{evidence}: told apart, however often you looked. You can stop here."
    if pair.futile:
        return f"{evidence}: no difference worth having is likely any more. Stop, and change something."
    decided = pair.won + pair.lost
    line = "" if pair.wins_needed is None else f" ({pair.wins_needed:,} of {decided:,} would do)"
    return f"{evidence}: keep going{line}."


def _how_many_more(pair: AuthorPair) -> str:
    if pair.told_apart or pair.futile or not pair.more:
        return ""
    return f" Plan for about {pair.more:,} more."


def _how_many(enough: Enough) -> Line:
    if enough.pairs_needed is None:
        why = "The agreement with oneself is no better than chance: more pairs do not help. Agree on what is better."
        return Line("pairs needed", "no number is enough", why)
    agreement = (
        f"agreement with oneself taken as 17 in 20, until {FEWEST_REPEATS} repeats have measured it"
        if enough.self_agreement_is_assumed
        else "agreement with oneself as measured"
    )
    several = "" if len(enough.authors) == 1 else f", 20 for each of the {len(enough.authors)} pairs of authors,"
    meaning = (
        f"So many find a difference of 2 to 1 in four of five cases; undecided {enough.undecided}, {agreement}.\n"
        f"The e-value holds whenever you look: {enough.authors[0].e_needed:.0f}{several} leaves a false winner in"
        " at most one of 20 projects. The intervals hold only for who stops at a number fixed before."
    )
    return Line("pairs needed", f"{enough.pairs_needed:,} for each two authors", meaning)


def _dpo(enough: Enough) -> Line:
    dpo = enough.dpo
    figure = f"{dpo.usable:,} pairs with a better side"
    if not dpo.can_be_tried:
        return Line("DPO", figure, f"It can be tried from {DPO_TRY}: {DPO_TRY - dpo.usable} more.")
    if dpo.worth_while:
        return Line("DPO", figure, "Enough, with a steady judge: train with Train (key 4), `studio train dpo`.")
    if dpo.usable < DPO_GOOD:
        return Line("DPO", figure, f"A first try is possible (`studio train dpo`); from {DPO_GOOD} it is worth while.")
    return Line(
        "DPO",
        figure,
        f"Enough to train on (`studio train dpo`). Whether the judge is steady (16 of 20 repeats alike) is not shown:"
        f" at least {FEWEST_REPEATS} repeats tell.",
    )
