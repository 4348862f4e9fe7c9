"""How many steps a run has, and how its rows are parted into batches."""

import math

from studio.errors import StudioError
from studio.training.elsewhere.accelerate import processes
from studio.training.recipe import Recipe


def steps_of(recipe: Recipe, rows: int) -> int:
    """Return how many optimiser steps a run over so many rows has.

    Raises:
        StudioError: it learns by trying, and one step alone would try more prompts than there are.
    """
    together = recipe.batch_size * recipe.gradient_accumulation * processes()
    if recipe.method == "grpo":
        prompts = together // recipe.generations
        if rows < prompts:
            raise StudioError(
                f"Each step tries {prompts} prompts, and there are {rows}.",
                "Lower batch_size or gradient_accumulation, or add prompts.",
            )
        an_epoch = rows // prompts
    else:
        an_epoch = math.ceil(math.ceil(rows / (recipe.batch_size * processes())) / recipe.gradient_accumulation)
    return recipe.max_steps or max(1, math.ceil(an_epoch * recipe.epochs))


def beforehand(recipe: Recipe, rows: int) -> bool:
    """Tell whether DPO and KTO work out the reference of all rows before the first step, and not as they meet them.

    A few steps over many rows don't wait for the rows that they never see. But where DPO trains all weights, the model
    as it was is gone after the first step.
    """
    if recipe.method == "dpo" and recipe.tuning == "full":
        return True
    together = recipe.batch_size * recipe.gradient_accumulation * processes()
    return steps_of(recipe, rows) * together >= rows


def warmup_of(recipe: Recipe, steps: int) -> int:
    """Return in how many of its first steps a run's learning rate rises."""
    return math.ceil(steps * recipe.warmup)


def measured_every(recipe: Recipe, steps: int) -> int:
    """Return after how many steps the held-out rows are measured."""
    return max(1, math.ceil(steps / recipe.evaluations)) if recipe.evaluations else steps


def even_batch(rows: int, most: int) -> int:
    """Return the largest batch up to `most` that divides the rows.

    TRL averages its metrics over batches: with equal batches that is the average over rows.
    """
    return max((n for n in range(1, most + 1) if rows % n == 0), default=1)
