"""Learning to score answers as the pairs do (a reward model), over rows that are token ids already."""

from typing import Any

from trl import RewardConfig, RewardTrainer

from studio.training.methods import dropout
from studio.training.recipe import Recipe


def make(recipe: Recipe, common: dict[str, Any], arguments: dict[str, Any]) -> Any:
    """Return the trainer over rows with `chosen_ids` and `rejected_ids`, each with its prompt."""
    _choose_padding(common)
    trainer = RewardTrainer(args=RewardConfig(**arguments), **common)
    dropout.keep(trainer.model, recipe)
    return trainer


def _choose_padding(common: dict[str, Any]) -> None:
    """Let the padding be what the model's own files say, or else a token that no row has.

    The score is read at the last token that is no padding. TRL pads with the token that ends an answer where a
    tokenizer names none, and would read the score before it; who loads the model then reads it there.
    """
    tokenizer = common["processing_class"]
    padding = common["model"].config.get_text_config().pad_token_id
    if padding is None:
        used = {token for name in ("train_dataset", "eval_dataset") for row in common[name] for token in _tokens(row)}
        if tokenizer.pad_token_id is not None and tokenizer.pad_token_id not in used:
            return
        padding = next(token for token in range(len(tokenizer)) if token not in used)
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(padding)


def _tokens(row: dict[str, list[int]]) -> list[int]:
    return row["chosen_ids"] + row["rejected_ids"]
