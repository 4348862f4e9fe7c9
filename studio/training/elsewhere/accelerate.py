"""Runs over several processes: what each of them computes on, and the settings for `accelerate launch`."""

import os
from dataclasses import replace
from pathlib import Path

from studio.errors import StudioError
from studio.training.recipe import Recipe, least_batch

CONFIGS = Path(__file__).parent / "configs"
"""Settings for `accelerate launch --config_file`, of which each names its own way to spread a run."""

WAYS = {
    "ddp": "each GPU holds the whole model and computes its share of each batch",
    "fsdp2": "the GPUs share weights, gradients and optimiser state between them (PyTorch's FSDP2)",
    "zero2": "the GPUs share gradients and optimiser state between them (DeepSpeed ZeRO-2)",
    "zero3": "the GPUs share weights too (DeepSpeed ZeRO-3)",
    "cpu": "several processes on processors, over gloo",
}
"""The settings that ship, by name."""


def config_of(way: str) -> Path:
    """Return the file of one of `WAYS`."""
    return CONFIGS / f"{way}.yaml"


def processes() -> int:
    """Return how many processes the launcher started for this run; one without a launcher."""
    return max(1, int(os.environ.get("WORLD_SIZE", "1")))


def share_of(recipe: Recipe, processes: int) -> Recipe:
    """Return the recipe for one of several processes, which together compute on the effective batch that it names.

    Raises:
        StudioError: that batch can't be divided over them.
    """
    if processes == 1:
        return recipe
    together = recipe.batch_size * recipe.gradient_accumulation
    if together % processes:
        raise StudioError(
            f"The effective batch of {together} rows can't be divided over {processes} processes.",
            f"Set gradient_accumulation so that batch_size times it is a multiple of {processes}.",
        )
    share = together // processes
    batch = next(n for n in range(min(recipe.batch_size, share), 0, -1) if share % n == 0)
    if batch < (least := least_batch(recipe.method)):
        raise StudioError(
            f"{recipe.method} needs {least} rows in each process's batch, and of {together} each gets {batch}.",
            f"Set batch_size={least} and gradient_accumulation to a multiple of {processes}.",
        )
    return replace(recipe, batch_size=batch, gradient_accumulation=share // batch)
