"""Which measurement is the best, and when none better is waited for any more."""

from typing import Any

import pytest

from studio.training.course import best


def measured(*values: dict[str, Any] | float) -> list[dict[str, Any]]:
    """Return a history with a measurement before the first step and one after each second step."""
    entries = [value if isinstance(value, dict) else {"eval_loss": value} for value in values]
    history: list[dict[str, Any]] = []
    for number, entry in enumerate(entries):
        history += [{"step": 2 * number, "loss": 9.0}, {"step": 2 * number, **entry}]
    return history


def pair(accuracy: float, loss: float) -> dict[str, float]:
    return {"eval_rewards/accuracies": accuracy, "eval_loss": loss}


@pytest.mark.parametrize(
    ("history", "step"),
    [
        (measured(0.1, 3.0, 2.0, 2.5), 4),  # what was measured before the first step is nobody's weights
        (measured(9.0, 2.0, 2.0), 2),
        (measured(9.0, float("nan"), 3.0), 4),
        (measured(pair(0.9, 1.0), pair(0.6, 0.5), pair(0.8, 0.9), pair(0.8, 0.7), pair(0.7, 0.1)), 6),
        (measured(9.0, {"eval_accuracy": 0.5, "eval_loss": 0.1}, {"eval_accuracy": 0.7, "eval_loss": 0.9}), 4),
        (measured(9.0, {"eval_reward": 0.2, "eval_loss": 0.0}, {"eval_reward": 0.4, "eval_loss": 0.5}), 4),
    ],
)
def test_the_best_measurement(history: list[dict[str, Any]], step: int) -> None:
    found = best.best(history)
    assert found is not None
    assert found["step"] == step


def test_nothing_is_best_before_anything_was_learnt() -> None:
    assert best.best(measured(1.0)) is None
    assert not best.is_exhausted(measured(1.0), 1)


def test_patience_is_counted_from_the_best() -> None:
    worse = measured(9.0, 2.0, 3.0, 3.0)
    assert best.is_exhausted(worse, 2)
    assert not best.is_exhausted(worse, 3)
    assert not best.is_exhausted(worse, 0)
    assert not best.is_exhausted([*worse, {"step": 8, "eval_loss": 1.0}], 2)
    # A step that is measured again after a resume counts once.
    assert not best.is_exhausted([*worse, *worse[-1:]], 3)
