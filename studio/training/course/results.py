"""The figures that a person wants first of a run, before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.statistics.shares import wilson
from studio.training.course import best
from studio.training.plan.facts import Rows
from studio.training.plan.lengths import too_long
from studio.training.recipe import Recipe
from studio.training.rows.data import Tokenised


def facts_of(recipe: Recipe, splits: Mapping[str, Tokenised]) -> dict[str, Any]:
    """Return what the run trains on, with a warning where much of it is lost."""
    train, held_out = splits["train"], splits["validation"]
    found: dict[str, Any] = {
        "train_rows": len(train.rows),
        "held_out_rows": len(held_out.rows),
        "rows_cut": train.cut + held_out.cut,
        "rows_too_long": train.dropped + held_out.dropped,
        "rows_not_rendered": len(train.problems) + len(held_out.problems),
    }
    rows = Rows(
        train=len(train.rows) + train.dropped + len(train.problems),
        held_out=len(held_out.rows),
        left_out={},
        kept=len(train.rows),
        cut=train.cut,
        dropped=train.dropped,
    )
    if lost := too_long(recipe, rows):
        found["rows_warning"] = f"{lost.sentence} {lost.hint}"
    return found


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
