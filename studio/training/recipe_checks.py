"""What values a recipe may have, and which of them do not go together."""

import math
from collections.abc import Iterator
from typing import cast

from studio.errors import StudioError
from studio.training.recipe import METHODS, TYPES_IN_WORDS, Recipe, least_batch, settable

_ABOVE_ZERO = (
    *("epochs", "learning_rate", "batch_size", "gradient_accumulation", "max_length", "max_grad_norm"),
    *("lora_rank", "lora_alpha", "generations", "completion_length", "temperature", "keep_checkpoints"),
)
_NOT_NEGATIVE = (
    *("max_steps", "weight_decay", "beta", "sft_weight", "simpo_gamma", "desirable_weight", "undesirable_weight"),
    *("evaluations", "held_out_rows", "early_stopping", "samples", "sample_tokens", "replay"),
)
SMOOTHED_LOSSES = ("robust", "simpo", "cpo")
"""TRL's other losses don't read it."""
LARGEST_SEED = 2**32 - 1
"""As numpy takes it."""
_SHARES = {"warmup": 1.0, "lora_dropout": 1.0, "label_smoothing": 0.5}
"""Below this, and not below 0."""


def problems(recipe: Recipe) -> Iterator[StudioError]:
    """Yield what is wrong with a recipe, the simplest first."""
    if wrong := list(_types(recipe)):
        # What is of another type can't be looked at any further.
        yield from wrong
        return
    yield from _values(recipe)
    yield from _loss(recipe)
    yield from _together(recipe)


def idle(recipe: Recipe) -> Iterator[StudioError]:
    """Yield what a recipe asks for to no effect: told when it is made, and no reason not to read it."""
    if recipe.method == "dpo" and recipe.label_smoothing and recipe.loss not in SMOOTHED_LOSSES:
        yield StudioError(f"loss={recipe.loss} has no label_smoothing.", "Use loss=robust, or leave label_smoothing=0.")


def _types(recipe: Recipe) -> Iterator[StudioError]:
    if recipe.method not in METHODS:
        yield StudioError(f"There is no method {recipe.method!r}.", f"Known are {', '.join(METHODS)}.")
    for item in settable():
        value, kind = getattr(recipe, item.name), cast("type", item.type)
        fits = isinstance(value, (float, int) if kind is float else kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            yield StudioError(f"{item.name} must be {TYPES_IN_WORDS[kind]}, not {value!r}.")


def _values(recipe: Recipe) -> Iterator[StudioError]:
    for item in settable():
        choices, value = item.metadata.get("choices"), getattr(recipe, item.name)
        if choices and value not in choices:
            yield StudioError(f"{item.name} can't be {value!r}.", f"It is one of {', '.join(choices)}.")
        if isinstance(value, float) and not math.isfinite(value):
            yield StudioError(f"{item.name} must be a finite number, not {value}.")
    for name in _ABOVE_ZERO:
        if getattr(recipe, name) <= 0:
            yield StudioError(f"{name} must be above 0, not {getattr(recipe, name)}.")
    for name in _NOT_NEGATIVE:
        if getattr(recipe, name) < 0:
            yield StudioError(f"{name} can't be below 0; it is {getattr(recipe, name)}.")
    for name, limit in _SHARES.items():
        if not 0 <= getattr(recipe, name) < limit:
            yield StudioError(f"{name} must be from 0 to below {limit:g}, not {getattr(recipe, name)}.")
    if not 0 <= recipe.seed <= LARGEST_SEED:
        yield StudioError(f"seed must be from 0 to {LARGEST_SEED}, not {recipe.seed}.")


def _loss(recipe: Recipe) -> Iterator[StudioError]:
    if recipe.beta == 0 and recipe.method in ("dpo", "kto"):
        yield StudioError(f"beta must be above 0 for {recipe.method}, not 0.")
    if recipe.loss == "robust" and recipe.method == "dpo" and recipe.label_smoothing == 0:
        yield StudioError("The robust loss needs to know how many verdicts are wrong.", "Set label_smoothing=0.1.")
    if recipe.sft_weight and recipe.loss in ("orpo", "cpo"):
        yield StudioError(f"{recipe.loss} has a loss on the chosen answer already.", "Leave sft_weight=0.")


def _together(recipe: Recipe) -> Iterator[StudioError]:
    if recipe.tuning == "full":
        for name in ("use_dora", "use_rslora"):
            if getattr(recipe, name):
                yield StudioError(f"{name} is for LoRA adapters, and tuning=full trains none.", f"Leave {name}=false.")
        if recipe.quantisation != "none":
            yield StudioError("Weights held in 4 bits can't all be trained.", "Use tuning=lora with quantisation=4bit.")
    if recipe.quantisation != "none" and recipe.device == "cpu":
        yield StudioError("quantisation=4bit needs a GPU.", "Use device=cuda, or quantisation=none.")
    if recipe.method == "grpo":
        together = recipe.batch_size * recipe.gradient_accumulation
        if recipe.generations < 2 or together % recipe.generations:
            yield StudioError(
                f"generations={recipe.generations} must divide the effective batch, which is {together}.",
                "Change batch_size or gradient_accumulation; generations is at least 2.",
            )
    if recipe.batch_size < least_batch(recipe.method):
        yield StudioError("kto compares the answers of a batch, so batch_size must be 2 at least.", "Set batch_size=2.")
    if recipe.early_stopping and not recipe.evaluations:
        yield StudioError("early_stopping needs measurements of the held-out rows.", "Set evaluations above 0.")
