"""What to change where a run needs more memory than is free: what costs least comes first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.training.plan.facts import Change, Memory
from studio.training.recipe import Recipe, least_batch

SHORTEST = 256
"""Rows are not cut to fewer tokens than this."""

Estimate = Callable[[Recipe], Memory]


@dataclass(frozen=True)
class _Way:
    """A way to need less memory."""

    why: str
    values: Callable[[Recipe], dict[str, Any]]
    """What it changes of a recipe; nothing where it can't."""


def changes(recipe: Recipe, estimate: Estimate, *, has_4bit: bool, has_smaller: bool = False) -> tuple[Change, ...]:
    """Return changes, each on top of those before it, until the run fits or nothing is left to change.

    Args:
        recipe: as it was asked for.
        estimate: tells how much memory a recipe needs.
        has_4bit: whether a base model can be held in 4 bits here.
        has_smaller: whether it would be computed in numbers that could be half as large.
    """
    made: list[Change] = []
    memory = estimate(recipe)
    for way in _ways(has_4bit=has_4bit, has_smaller=has_smaller):
        tried = recipe
        # What does not help by itself may when it goes on: rows are cut only below the length of the longest.
        while not memory.fits and (values := way.values(tried)):
            tried = replace(tried, **values)
            after = estimate(tried)
            if after.needed < memory.needed:
                made.append(Change(_written(values), way.why, after.needed))
                recipe, memory = tried, after
    return tuple(_merged(made))


def _ways(*, has_4bit: bool, has_smaller: bool) -> Sequence[_Way]:
    ways = [
        _Way("fewer rows at a time, in more passes: the effective batch stays", _smaller_batch),
        _Way("numbers of half the size, with which an older GPU computes more slowly", _smaller_numbers),
        _Way("activations are computed twice rather than kept: about a third slower", _checkpointing),
        _Way("an adapter is trained and not all weights", _adapter),
        _Way("the base model is held in 4 bits (QLoRA)", _in_4_bits),
        _Way("longer rows are cut: look at how many that are", _shorter),
    ]
    out_of_reach = [*([] if has_4bit else [_in_4_bits]), *([] if has_smaller else [_smaller_numbers])]
    return [way for way in ways if way.values not in out_of_reach]


def _smaller_batch(recipe: Recipe) -> dict[str, Any]:
    together = recipe.batch_size * recipe.gradient_accumulation
    smaller = range(recipe.batch_size // 2, least_batch(recipe.method) - 1, -1)
    batch = next((n for n in smaller if together % n == 0), 0)
    return {"batch_size": batch, "gradient_accumulation": together // batch} if batch else {}


def _checkpointing(recipe: Recipe) -> dict[str, Any]:
    return {} if recipe.gradient_checkpointing else {"gradient_checkpointing": True}


def _smaller_numbers(recipe: Recipe) -> dict[str, Any]:
    return {"dtype": "bf16"} if recipe.dtype == "auto" and recipe.tuning == "lora" else {}


def _in_4_bits(recipe: Recipe) -> dict[str, Any]:
    return {"quantisation": "4bit"} if recipe.quantisation == "none" and recipe.tuning == "lora" else {}


def _adapter(recipe: Recipe) -> dict[str, Any]:
    return {"tuning": "lora"} if recipe.tuning == "full" else {}


def _shorter(recipe: Recipe) -> dict[str, Any]:
    shorter = max(SHORTEST, recipe.max_length // 2)
    return {"max_length": shorter} if shorter < recipe.max_length else {}


def _written(values: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items())


def _merged(made: Sequence[Change]) -> list[Change]:
    """Keep of changes for the same reason, such as a batch that is halved twice, the last."""
    by_reason = {change.why: change for change in made}
    return list(by_reason.values())
