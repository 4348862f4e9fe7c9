"""Rows that are longer than a run's max_length: when that is worth a word, and when it stands in the run's way."""

from studio.training.plan.facts import Finding, Level, Rows
from studio.training.recipe import Recipe

SOME = 0.1
MOST_CUT = 0.5
"""Where more than this share of the rows loses its end, something is wrong with max_length."""


def too_long(recipe: Recipe, rows: Rows) -> Finding | None:
    """Return what is to be said of rows that are cut or left out; None where they are few."""
    lost = rows.cut + rows.dropped
    if not rows.kept or lost <= SOME * rows.train:
        return None
    level: Level = "blocks" if lost > MOST_CUT * rows.train else "warns"
    sentence = f"{lost:,} of {rows.train:,} rows are longer than max_length={recipe.max_length}"
    lose = f"{rows.cut:,} lose their end, {rows.dropped:,} are left out"
    return Finding(level, f"{sentence}: {lose}.", hint_too_long(recipe), rows=lost)


def hint_too_long(recipe: Recipe) -> str:
    """Return what to do about them."""
    return f"Raise max_length above {recipe.max_length}, or shorten the rows."
