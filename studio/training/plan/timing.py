"""A few real steps of a run: how long they take and how much memory they hold, by the run's own trainer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback

from studio.free_memory import peak_memory
from studio.training.folder import RunFolder
from studio.training.plan.facts import Timed
from studio.training.plan.sampled import Sampled, tokens_of
from studio.training.recipe import Recipe
from studio.training.rows.data import Tokenised
from studio.training.trainer.hardware import Hardware
from studio.training.trainer.model import load_model
from studio.training.trainer.steps import beforehand
from studio.training.trainer.trainers import make_trainer

WARM_STEPS = 2
"""Steps over the longest rows: the first sets up the optimiser, the second holds the most memory."""
STEPS = 3
"""Typical steps, which are timed."""
MOST_PASSES = 2
"""Forward passes of a timed step; of more accumulated ones the rest is reckoned."""
HELD_OUT_ROWS = 4


@dataclass(frozen=True)
class Course:
    """What the whole run has to go through."""

    steps: int
    tokens_a_step: float
    train_rows: int
    held_out_rows: int


class _Clock(TrainerCallback):  # type: ignore[misc]
    """Times the steps of a trainer, and their forward and backward passes by themselves."""

    def __init__(self, trainer: Any) -> None:
        self.steps: list[float] = []
        self.passes: list[float] = []
        self.tokens: list[int] = []
        self._begun = 0.0
        self._step = trainer.training_step
        trainer.training_step = self._timed
        trainer.add_callback(self)

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Note when."""
        self._begun = _now()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note how long it took."""
        self.steps.append(_now() - self._begun)

    def _timed(self, model: Any, inputs: Any, *given: Any, **named: Any) -> Any:
        self.tokens.append(inputs["input_ids"].numel() if "input_ids" in inputs else 0)
        begun = _now()
        found = self._step(model, inputs, *given, **named)
        self.passes.append(_now() - begun)
        return found


@dataclass(frozen=True)
class Given:
    """The run whose steps are timed."""

    recipe: Recipe
    folder: RunFolder
    hardware: Hardware
    model_folder: Path
    parent_adapter: str | None
    train: Sampled
    held_out: Tokenised


def time_steps(given: Given, course: Course, steps: int = STEPS) -> Timed:
    """Take a few real steps, after some over the longest rows, and reckon what the whole run takes."""
    begun = _now()
    recipe = _short(given.recipe, steps)
    rows = _rows(given.train, recipe, steps)
    few = replace(given.held_out, rows=given.held_out.rows[:HELD_OUT_ROWS])
    train = replace(given.train.typical, rows=_as_given(recipe, rows))
    model = load_model(str(given.model_folder), recipe, given.hardware)
    trainer = make_trainer(recipe, given.folder, given.hardware, model, train, few, given.parent_adapter)
    trainer.args.eval_on_start = False
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    trainer.args.train_sampling_strategy = "sequential"
    clock = _Clock(trainer)
    loaded = _now() - begun
    trainer.train()
    measuring = _now()
    trainer.evaluate()
    a_held_out_row = (_now() - measuring) / max(1, len(few.rows))
    a_step = _a_step(given.recipe, clock, rows, course, steps)
    parts = [("loading", loaded), ("training", a_step * course.steps)]
    # At the start, and where nothing else is asked for at the end.
    times = max(1, given.recipe.evaluations) + 1
    parts.append(("measuring the held-out rows", times * course.held_out_rows * a_held_out_row))
    if given.recipe.method in ("dpo", "kto"):
        scored = _referred_to(given.recipe, course) + course.held_out_rows
        parts.append(("the base model's log-probabilities", scored * a_held_out_row))
    return Timed(steps, a_step, course.tokens_a_step / a_step, tuple(parts), peak())


def _referred_to(recipe: Recipe, course: Course) -> int:
    """Return of how many rows that are trained on the reference is worked out."""
    if beforehand(recipe, course.train_rows):
        return course.train_rows
    return course.steps * recipe.batch_size * recipe.gradient_accumulation


def _short(recipe: Recipe, steps: int) -> Recipe:
    """Return the recipe of the few steps."""
    # Of GRPO an optimiser step is what answers are compared in.
    passes = recipe.gradient_accumulation
    passes = passes if recipe.method == "grpo" else min(MOST_PASSES, passes)
    return replace(recipe, gradient_accumulation=passes, max_steps=WARM_STEPS + steps, evaluations=0)


def _rows(train: Sampled, recipe: Recipe, steps: int) -> list[dict[str, Any]]:
    """Return the longest rows for the first steps and then typical ones, in the order of the steps."""
    a_step = recipe.batch_size * recipe.gradient_accumulation
    if recipe.method == "grpo":
        a_step //= recipe.generations
    longest = _repeated(train.longest, WARM_STEPS * a_step, recipe.batch_size)
    return longest + _repeated(train.typical.rows, steps * a_step, steps * a_step)


def _as_given(recipe: Recipe, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows so that the trainer takes them in their order: that of KTO settles its batches by a shuffle."""
    if recipe.method != "kto":
        return rows
    taken = Dataset.from_dict({"place": range(len(rows))}).shuffle(seed=recipe.seed)["place"]
    by_place = dict(zip(taken, rows, strict=True))
    return [by_place[place] for place in range(len(rows))]


def _repeated(rows: Sequence[dict[str, Any]], wanted: int, different: int) -> list[dict[str, Any]]:
    few = rows[:different]
    return [few[place % len(few)] for place in range(wanted)]


def _a_step(recipe: Recipe, clock: _Clock, rows: list[dict[str, Any]], course: Course, steps: int) -> float:
    """Return how long a typical step takes: its passes by their tokens, and the optimiser's own time."""
    if recipe.method == "grpo":
        return sum(clock.steps[-steps:]) / steps
    a_step = len(clock.passes) // len(clock.steps)
    passes = sum(clock.passes[-steps * a_step :])
    tokens = sum(clock.tokens[-steps * a_step :])
    if not recipe.packing:
        # Padding is not counted, so that its cost is a part of what a token takes.
        tokens = sum(map(tokens_of, rows[-steps * (len(rows) // len(clock.steps)) :]))
    update = max(0.0, sum(clock.steps[-steps:]) - passes) / steps
    return passes / tokens * course.tokens_a_step + update


def peak() -> int:
    """Return the most memory that this process has held, in bytes; on a GPU that of the GPU."""
    if torch.cuda.is_available() and torch.cuda.max_memory_reserved():
        return int(torch.cuda.max_memory_reserved())
    return peak_memory()


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
