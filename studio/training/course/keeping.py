"""What is kept of a run in its course and at its end: whole checkpoints, the best of them, the trained weights."""

import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from studio.training.course import best, checkpoints
from studio.training.course.agreeing import any_process, of_main
from studio.training.recipe import Recipe

SAVE_SECONDS = 15 * 60.0
SAVES_TAKE = 50
"""A checkpoint is due after so long, or after so many times what the last one took, if that is longer."""


class Clock:
    """Counts the seconds that a run has trained, its earlier parts with it."""

    def __init__(self) -> None:
        self._before, self._since = 0.0, time.monotonic()

    def start(self, before: float) -> None:
        """Go on from what earlier parts took."""
        self._before, self._since = before, time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds until now."""
        return self._before + time.monotonic() - self._since


class CheckpointKeeper(TrainerCallback):  # type: ignore[misc]
    """Seals each checkpoint, removes those that are not wanted any more, and ends a run that learns no more."""

    def __init__(self, recipe: Recipe, folder: Path, clock: Clock, accelerator: Any) -> None:
        self._recipe, self._folder, self._clock, self._accelerator = recipe, folder, clock, accelerator
        self._saved_at = self._began = time.monotonic()
        self._took = 0.0

    def on_train_begin(self, _args: Any, _state: TrainerState, _control: Any, **_: Any) -> None:
        """Begin to count the time since the last checkpoint."""
        self._saved_at = time.monotonic()

    def on_step_end(self, _args: Any, _state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Save where the last checkpoint is long ago, so that a kill or a power cut costs little of a long run."""
        self._began = time.monotonic()
        is_due = self._began - self._saved_at > max(SAVE_SECONDS, SAVES_TAKE * self._took)
        if any_process(self._accelerator, is_due):
            control.should_save = True

    def on_evaluate(self, _args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Stop where no measurement has been better for as long as the recipe waits."""
        self._began = time.monotonic()
        if state.global_step and best.is_exhausted(state.log_history, self._recipe.early_stopping):
            control.should_save = control.should_training_stop = True

    def on_save(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Seal the checkpoint once every process has written its part."""
        self._accelerator.wait_for_everyone()
        if state.is_world_process_zero:
            checkpoints.seal(self._folder / f"checkpoint-{state.global_step}", self._clock.seconds)
            found = best.best(state.log_history) if self._recipe.keep_best else None
            checkpoints.prune(self._folder, self._recipe.keep_checkpoints, int(found["step"]) if found else None)
        self._saved_at = time.monotonic()
        self._took = self._saved_at - self._began


def take_best(trainer: Any, folder: Path) -> best.Entry:
    """Give the model the weights of the best measurement that a checkpoint is left of; return that measurement."""
    measured = best.measurements(trainer.state.log_history)
    last = measured[-1]
    left = [entry for entry in measured if entry is last or checkpoints.of_step(folder, int(entry["step"]))]
    found = of_main(best.best(left) or last)
    if found["step"] != last["step"]:
        trainer.state.best_model_checkpoint = str(checkpoints.of_step(folder, int(found["step"])))
        trainer._load_best_model()
    return found
