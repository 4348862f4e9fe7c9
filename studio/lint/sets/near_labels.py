"""Short inputs that say nearly the same, but are in different classes."""

from collections import defaultdict
from collections.abc import Iterator
from textwrap import shorten

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.features import Features
from studio.lint.noted import Noted
from studio.lint.sets.near_inputs import figures, near_inputs

MOST_NAMED = 3
"""Other examples that are named beside one."""
EXCERPT = 100
"""Characters of theirs that are shown."""


def conflicting_labels(noted: Noted, context: Context) -> Iterator[Found]:
    """Find the inputs of classification that nearly say what one of another class says."""
    for task, near in near_inputs(noted, context):
        others: dict[int, list[Features]] = defaultdict(list)
        conflicts = [
            (one, other) for one, other in near.pairs if one.answer != other.answer and figures(one) == figures(other)
        ]
        for one, other in conflicts:
            others[one.id].append(other)
            others[other.id].append(one)
        for row in task.rows:
            if row.id in others:
                yield Found(row.id, _said_of(row, others[row.id]))
        if conflicts:
            yield Found(None, _sum(len(conflicts), len(near.pairs), near.unseen))


def _said_of(row: Features, others: list[Features]) -> str:
    named = "; ".join(
        f"example {other.id} is '{other.answer}': {shorten(other.short_prompt, EXCERPT, placeholder=' ...')}"
        for other in others[:MOST_NAMED]
    )
    return f"is '{row.answer}', {named}"


def _sum(conflicts: int, pairs: int, unseen: int) -> str:
    bounded = f" {unseen:,} comparisons were left out because there are so many inputs." if unseen else ""
    return (
        f"{conflicts:,} of {pairs:,} pairs of nearly equal inputs are in two different classes. Decide which class is"
        f" right, or say in the prompt what tells them apart.{bounded}"
    )


CHECKS = (
    OfSet(
        Check(
            "conflicting-labels",
            "nearly equal inputs in different classes",
            "Either one of the two is labelled wrongly, or the classes overlap. The model can learn neither, and"
            " a measure by these rows is partly chance.",
            "warning",
        ),
        conflicting_labels,
    ),
)
