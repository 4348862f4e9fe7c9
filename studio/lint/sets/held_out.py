"""Whether what is held out can measure anything."""

import math
from collections.abc import Iterator

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted
from studio.statistics.shares import Z95

FEWEST_EXAMPLES = 30
"""A project that has fewer examples than these is only begun."""


def too_small(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell which held-out split is empty, or has too few different prompts, where there is something to train on."""
    prompts = noted.asked_in
    if "train" not in prompts or len(noted) < FEWEST_EXAMPLES:
        return
    if "validation" not in prompts and "test" not in prompts:
        yield Found(
            None,
            "nothing is held out: no example is in validation or test, so nothing can show whether training helped."
            " Move some examples there, or import with splits.",
        )
    for split in ("validation", "test"):
        count = len(prompts.get(split, ()))
        if 0 < count < context.options["held_out"]:
            # The half of a 95 % interval at a share of one half, where it is widest.
            points = 100 * Z95 * math.sqrt(0.25 / count)
            yield Found(
                None,
                f"{split} has {count:,} different prompts: a share measured there is known to {points:.0f} percentage"
                f" points up or down. Hold out {context.options['held_out']:,} or more.",
            )


CHECKS = (
    OfSet(
        Check(
            "small-held-out",
            "too little is held out",
            "What training brings is measured on prompts that it never saw. On few of them a real gain can't be told"
            " from chance.",
            "warning",
        ),
        too_small,
    ),
)
