"""Answers that all begin, or end, in the same words."""

from collections import Counter
from collections.abc import Iterator

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted

FEWEST_ANSWERS = 50


def same_ends(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell which three words begin, or end, a large share of the answers that are sentences."""
    rows = noted.columns("opening", "closing", "numbers")
    answers = [(opening, closing) for opening, closing, numbers in rows if (opening or closing) and not numbers]
    if len(answers) < FEWEST_ANSWERS:
        return
    ends = (
        ("begin", Counter(opening for opening, _ in answers if opening)),
        ("end", Counter(closing for _, closing in answers if closing)),
    )
    for verb, times in ends:
        for words, count in times.most_common(3):
            if count >= context.options["same_ends"] * len(answers):
                yield Found(
                    None,
                    f"{count:,} of {len(answers):,} answers ({count / len(answers):.0%}) {verb} with '{words}'.",
                )


CHECKS = (
    OfSet(
        Check(
            "same-ends",
            "answers that begin or end alike",
            "Set phrases are the first thing that is learnt: vary them, or cut what says nothing. Where they are"
            " wanted, all is well.",
            "info",
        ),
        same_ends,
    ),
)
