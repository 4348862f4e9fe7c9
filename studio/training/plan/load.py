"""What one forward pass holds at most: by the longest rows, and by how a method lays out its batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.training.plan.sampled import learnt_of, tokens_of
from studio.training.recipe import Recipe

FAST_METHODS = ("sft", "distill", "dpo")


@dataclass(frozen=True)
class Load:
    """The size of a forward pass."""

    tokens: int
    """Tokens that are computed on at once, padding among them."""
    scored: int
    """Positions whose next token is predicted."""
    longest: int
    """Tokens of the longest sequence."""


def load_of(recipe: Recipe, longest: Sequence[dict[str, Any]], *, fast: bool) -> Load:
    """Return the size of the largest pass of a run, by its longest rows."""
    rows = [_cut(longest[place % len(longest)], recipe.max_length) for place in range(recipe.batch_size)]
    sequences = [length for row in rows for length in _sequences(row)]
    if recipe.method == "grpo":
        answer = recipe.completion_length
        return Load(recipe.batch_size * (max(sequences) + answer), recipe.batch_size * answer, max(sequences) + answer)
    learnt = sum(map(learnt_of, rows))
    if recipe.packing:
        tokens = recipe.batch_size * recipe.max_length
        return Load(tokens, tokens * learnt // max(1, sum(map(tokens_of, rows))), max(sequences))
    if fast:
        return Load(sum(map(tokens_of, rows)), learnt, max(sequences))
    padded = len(sequences) * max(sequences)
    return Load(padded, 0 if recipe.method == "reward" else padded, max(sequences))


def _cut(row: dict[str, Any], most: int) -> dict[str, Any]:
    """Return a row as a smaller max_length would leave it."""
    room = most - min(len(row.get("prompt_ids", ())), most - 1)
    return {
        name: value[: most - 1] if name == "prompt_ids" else value[:room] if isinstance(value, list) else value
        for name, value in row.items()
    }


def _sequences(row: dict[str, Any]) -> list[int]:
    """Return how long the sequences are that a row becomes where nothing is shared."""
    prompt = len(row.get("prompt_ids", ()))
    answers = [len(ids) for name, ids in row.items() if name.endswith("_ids") and name != "prompt_ids"]
    return [prompt + answer for answer in answers] or [prompt]
