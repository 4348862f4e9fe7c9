"""Which measurement of the held-out rows was the best, told from the trainer's history alone.

Pairs are judged by the share of them that is ranked right, since their loss may grow while ever more are right, and
by the loss where that share is equal; learning by trying by its reward; everything else by the loss.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

ACCURACIES = ("eval_rewards/accuracies", "eval_accuracy")
"""The share of pairs ranked right, as DPO and its kin call it, and as the reward model does."""

REWARD = "eval_reward"

Entry = Mapping[str, Any]


def measurements(history: Iterable[Entry]) -> list[Entry]:
    """Return the measurements after the first step, one a step, in their order."""
    by_step = {int(entry["step"]): entry for entry in history if "eval_loss" in entry and entry.get("step")}
    return [by_step[step] for step in sorted(by_step)]


def best(history: Iterable[Entry]) -> Entry | None:
    """Return the best measurement, the earliest of equal ones."""
    sound = [entry for entry in measurements(history) if math.isfinite(entry["eval_loss"])]
    return min(sound, key=_badness, default=None)


def is_exhausted(history: Iterable[Entry], patience: int) -> bool:
    """Tell whether so many measurements have gone by since the best one; a patience of 0 never ends."""
    measured = measurements(history)
    found = best(measured)
    if not patience or not measured or found is None:
        return False
    since: int = sum(entry["step"] > found["step"] for entry in measured)
    return since >= patience


def _badness(entry: Entry) -> tuple[float, float]:
    loss = float(entry["eval_loss"])
    if REWARD in entry:
        return -float(entry[REWARD]), loss
    accuracy = next((float(entry[name]) for name in ACCURACIES if name in entry), 0.0)
    return -accuracy, loss
