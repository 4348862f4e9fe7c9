"""What of a trainer's settings the fast ways change."""

import sys
from importlib.util import find_spec
from typing import Any

from studio.training.recipe import Recipe


def fitting(recipe: Recipe, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a trainer whose model is computed the fast way."""
    changed = kernels(arguments)
    if recipe.tuning == "lora" and recipe.quantisation == "none" and arguments.get("bf16"):
        # The base model's numbers are bf16 themselves: to convert before each operation would convert nothing.
        changed |= {"bf16": False}
    return {**arguments, **changed}


def plain(recipe: Recipe, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a trainer that pads: rows of about one length share a batch."""
    if not recipe.fast:
        return arguments
    changed = kernels(arguments)
    if recipe.batch_size > 1 and recipe.method != "dpo" and not recipe.packing:
        changed |= {"train_sampling_strategy": "group_by_length"}
    return {**arguments, **changed}


def kernels(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that take Liger's kernels for layers where they are, which is on GPUs only."""
    if arguments.get("use_cpu") or find_spec("liger_kernel") is None or find_spec("triton") is None:
        return {}
    return {"use_liger_kernel": True, "liger_kernel_config": {"fused_linear_cross_entropy": False}}


def say(reason: str) -> None:
    """Tell the run's log why it goes the plain way."""
    sys.stdout.write(f"Not the fast way: {reason}.\n")
