"""Learning to score answers as the pairs do (a reward model), over rows that are token ids already."""

from typing import Any

from trl import RewardConfig, RewardTrainer

from studio.training.recipe import Recipe


def make(_recipe: Recipe, common: dict[str, Any], arguments: dict[str, Any]) -> Any:
    """Return the trainer over rows with `chosen_ids` and `rejected_ids`, each with its prompt."""
    return RewardTrainer(args=RewardConfig(**arguments), **common)
