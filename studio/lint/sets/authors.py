"""Who wrote the answers of pairs, and whether that decides them."""

from collections import Counter
from collections.abc import Iterator

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted
from studio.statistics.shares import wilson

FEWEST_PAIRS = 20
MOST_NAMED = 5


def one_author_wins(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell which authors win, or lose, nearly all of their pairs against others."""
    won: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for (better, worse), times in noted.authors.items():
        if better and worse and better != worse:
            won[better] += times
            lost[worse] += times
    most = context.options["author_wins"]
    for author in sorted(won.keys() | lost.keys()):
        of = won[author] + lost[author]
        wins, losses = wilson(won[author], of), wilson(lost[author], of)
        if of < FEWEST_PAIRS or max(wins.low, losses.low) < most - 0.1 or max(wins.value, losses.value) < most:
            continue
        verb, share = ("wins", wins) if wins.value >= losses.value else ("loses", losses)
        only = " It is on one side only." if share.part == of else ""
        yield Found(
            None,
            f"'{author}' {verb} {share} of its pairs against others.{only} The model can learn that author's manner"
            " instead of what is better: add pairs of two answers by the same author, or in which the other wins.",
        )


def who_wrote_them(noted: Noted, _context: Context) -> Iterator[Found]:
    """Tell whose answers are compared, where most say it: whether the model to be trained is among them."""
    authors: Counter[str] = Counter()
    for pair, times in noted.authors.items():
        for author in pair:
            authors[author] += times
    total = authors.total()
    named = total - authors[""]
    if total < 2 * FEWEST_PAIRS or 2 * named < total:
        return
    parts = [f"{author or 'not said'} {count / total:.0%}" for author, count in authors.most_common(MOST_NAMED)]
    rest = f" and {len(authors) - MOST_NAMED:,} others" if len(authors) > MOST_NAMED else ""
    yield Found(
        None,
        f"the {total:,} answers in decided pairs are by {', '.join(parts)}{rest}. Pairs of answers that the model to be"
        " trained wrote itself (on-policy) teach it more than those of other models.",
    )


CHECKS = (
    OfSet(
        Check(
            "one-author-wins",
            "authors that win or lose nearly always",
            "Where the author tells which answer is better, training learns to tell authors apart.",
            "warning",
        ),
        one_author_wins,
    ),
    OfSet(
        Check(
            "answers-by",
            "whose answers are compared",
            "Preference training works best on answers of the very model that is trained; others' are so far from what"
            " it would say that their difference teaches little.",
            "info",
        ),
        who_wrote_them,
    ),
)
