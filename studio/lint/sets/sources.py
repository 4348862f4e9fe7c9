"""Sources that are much worse than the others."""

from collections import Counter
from collections.abc import Iterator

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted
from studio.statistics.shares import wilson

FEWEST_EXAMPLES = 30
TIMES = 2
"""How many times the share of the others a source's must be."""
LEAST = 0.05


def uneven(noted: Noted, _context: Context) -> Iterator[Found]:
    """Tell which sources have findings far more often than the others have."""
    examples = Counter(noted.column("source"))
    worse = Counter(source for source, problems in noted.columns("source", "problems") if problems)
    for source, count in sorted(examples.items()):
        others = len(noted) - count
        if min(count, others) < FEWEST_EXAMPLES:
            continue
        here, elsewhere = wilson(worse[source], count), wilson(worse.total() - worse[source], others)
        # The intervals must be apart, not only the shares.
        if here.value >= LEAST and here.value >= TIMES * elsewhere.value and here.low > elsewhere.high:
            yield Found(
                None,
                f"'{source}' has findings in {here} of its examples, all others together in {elsewhere}. Look at how"
                " it was made or read.",
            )


CHECKS = (
    OfSet(
        Check(
            "uneven-sources",
            "sources with far more findings than others",
            "What goes wrong in one file only was most often made wrong or read wrong as a whole: mend it there.",
            "info",
        ),
        uneven,
    ),
)
