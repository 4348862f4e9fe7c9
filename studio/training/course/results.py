"""The figures that a person wants first of a run, before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.statistics.shares import wilson
from studio.training.course import best
from studio.training.rows.data import Tokenised


def facts_of(splits: Mapping[str, Tokenised]) -> dict[str, Any]:
    """Return what the run trains on."""
    return {
        "train_rows": len(splits["train"].rows),
        "held_out_rows": len(splits["validation"].rows),
        "rows_cut": sum(split.cut for split in splits.values()),
        "rows_too_long": sum(split.dropped for split in splits.values()),
        "rows_not_rendered": sum(len(split.problems) for split in splits.values()),
    }


def summary(after: best.Entry, history: Sequence[best.Entry], held_out_rows: int) -> dict[str, Any]:
    """Return the figures of the weights that are kept, beside those from before; a share with its 95 % interval.

    Args:
        after: the measurement of the weights that are kept.
        history: all that the trainer has logged.
        held_out_rows: how many were measured.
    """
    before = next((entry for entry in history if "eval_loss" in entry), {})
    losses = [entry["loss"] for entry in history if "loss" in entry]
    found: dict[str, Any] = {
        "held_out_loss": after["eval_loss"],
        "held_out_loss_before": before.get("eval_loss"),
        "kept_step": int(after["step"]),
    }
    if losses:
        found |= {"train_loss_first": losses[0], "train_loss_last": losses[-1]}
    if best.REWARD in after:
        found |= {"held_out_reward": after[best.REWARD], "held_out_reward_before": before.get(best.REWARD)}
    return found | _ranking(after, held_out_rows)


def _ranking(measured: best.Entry, rows: int) -> dict[str, Any]:
    accuracy = next((float(measured[name]) for name in best.ACCURACIES if name in measured), None)
    margin = next((measured[name] for name in ("eval_rewards/margins", "eval_margin") if name in measured), None)
    if accuracy is None:
        return {} if margin is None else {"held_out_margin": margin}
    interval = wilson(round(accuracy * rows), rows)
    return {
        "held_out_accuracy": accuracy,
        "held_out_accuracy_95": f"{interval.low:.0%} to {interval.high:.0%}",
        **({} if margin is None else {"held_out_margin": margin}),
    }
