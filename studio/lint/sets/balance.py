"""How evenly examples are spread over their classes."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted
from studio.lint.sets.tasks import Task, tasks

MOST_NAMED = 8


def effective_classes(counts: Iterable[int]) -> float:
    """Return how many equal classes would be as uncertain: exp of Shannon's entropy (Hill, Ecology 54, 1973)."""
    known = [count for count in counts if count]
    total = sum(known)
    return math.exp(-sum(count / total * math.log(count / total) for count in known)) if total else 0.0


def in_training(task: Task) -> Counter[str]:
    """Return how often each class comes in training; in all of the data where nothing is in training."""
    training = Counter(row.answer for row in task.rows if row.split == "train")
    return training or Counter(row.answer for row in task.rows)


def imbalance(noted: Noted, context: Context) -> Iterator[Found]:
    """Tell where the largest class is many times as large as the smallest."""
    for task in tasks(noted, context):
        counts = in_training(task)
        (largest, most), (smallest, least) = counts.most_common(1)[0], min(counts.items(), key=lambda item: item[1])
        if most < context.options["imbalance"] * least:
            continue
        yield Found(
            None,
            f"'{largest}' has {most:,} rows, '{smallest}' {least:,}: {most / least:.1f} times as many. The"
            f" {len(counts):,} classes tell as much as {effective_classes(counts.values()):.1f} of equal size. Add rows"
            " of the small ones, leave out some of the large ones, or measure each class by itself.",
        )


def rare_classes(noted: Noted, context: Context) -> Iterator[Found]:
    """Name the classes that have too few rows to be learnt."""
    needed = int(context.options["rows_of_class"])
    for task in tasks(noted, context):
        counts = in_training(task)
        rare = sorted((counts[label], label) for label in task.labels if counts[label] < needed)
        if rare:
            named = ", ".join(f"'{label}' {count}" for count, label in rare[:MOST_NAMED])
            rest = f" and {len(rare) - MOST_NAMED:,} more" if len(rare) > MOST_NAMED else ""
            yield Found(
                None,
                f"{len(rare):,} of {len(task.labels):,} classes have fewer than {needed} rows: {named}{rest}. Add rows"
                " of them, or join them with others.",
            )


CHECKS = (
    OfSet(
        Check(
            "class-imbalance",
            "classes of very different size",
            "A model guesses large classes too often, and the share of right answers hides what it does with small"
            " ones.",
            "warning",
        ),
        imbalance,
    ),
    OfSet(
        Check(
            "rare-class",
            "classes with too few rows",
            "From a handful of rows a class is learnt by heart, not understood; with none it is never answered.",
            "warning",
        ),
        rare_classes,
    ),
)
