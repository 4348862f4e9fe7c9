"""Where a recipe starts: by method, by how many rows there are, and by whether all weights are trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FEW = 40
"""Training rows: what is left of fifty when a fifth is held out."""
SOME = 500
MANY = 5_000


@dataclass(frozen=True)
class Preset:
    """What differs from the defaults, and for whom it is meant."""

    name: str
    values: dict[str, Any]


_METHODS: dict[str, dict[str, Any]] = {
    "sft": {"learning_rate": 2e-4},
    "dpo": {"learning_rate": 1e-4},
    "kto": {"learning_rate": 1e-4, "batch_size": 4, "gradient_accumulation": 2},
    "reward": {"learning_rate": 1e-4},
    "grpo": {
        "learning_rate": 5e-5,
        "epochs": 1.0,
        "batch_size": 4,
        "gradient_accumulation": 2,
        "beta": 0.0,
        "max_length": 512,
    },
    "distill": {"learning_rate": 2e-4},
}

_LOSSES: dict[str, dict[str, Any]] = {
    # Without a reference these stand on the answer's own probability, so that other scales fit.
    "simpo": {"beta": 2.0, "learning_rate": 5e-5},
    "orpo": {"learning_rate": 5e-5},
    "cpo": {"learning_rate": 5e-5},
    # The squared distance from 1 / (2 beta), by token: a larger beta keeps it in reach of a few epochs.
    "ipo": {"beta": 0.3},
}

FULL_SHARE = 0.1
"""All weights are trained with a tenth of an adapter's learning rate."""


def preset(method: str, rows: int | None, changes: Mapping[str, Any] | None = None) -> Preset:
    """Return the preset of a method for so many training rows; without a number, that of 50 to 500.

    Args:
        method: what is done.
        rows: how many rows there are to train on.
        changes: what the user set, for what follows from a loss or from training all weights.
    """
    changes = changes or {}
    name, by_size = _by_size(rows)
    values = {**_METHODS[method], **({} if method == "grpo" else by_size)}
    if method == "dpo":
        values |= _LOSSES.get(str(changes.get("loss", "")), {})
    if changes.get("tuning") == "full":
        values["learning_rate"] *= FULL_SHARE
    return Preset(f"{method}, {name}", values)


def _by_size(rows: int | None) -> tuple[str, dict[str, Any]]:
    if rows is not None and rows < FEW:
        return f"under {FEW} rows", {"epochs": 4.0, "gradient_accumulation": 2}
    if rows is None or rows <= SOME:
        return f"{FEW} to {SOME} rows", {"epochs": 3.0}
    if rows <= MANY:
        return f"{SOME:,} to {MANY:,} rows", {"epochs": 2.0, "gradient_accumulation": 8}
    return f"over {MANY:,} rows", {"epochs": 1.0, "gradient_accumulation": 16, "evaluations": 10}
