"""Training from the start or from the newest whole checkpoint, so that the end is the same as without a break."""

from pathlib import Path
from typing import Any

from transformers import TrainerState

from studio.training.course import best, checkpoints
from studio.training.course.agreeing import of_main
from studio.training.course.keeping import Clock
from studio.training.course.order import EpochTeller, make_repeatable
from studio.training.recipe import Recipe


def train(trainer: Any, recipe: Recipe, folder: Path, clock: Clock) -> int | None:
    """Train to the end of the run, or to where it is stopped; return the step that it went on from."""
    if trainer.accelerator.is_main_process:
        checkpoints.clear_broken(folder)
    trainer.accelerator.wait_for_everyone()
    make_repeatable(trainer)
    trainer.add_callback(EpochTeller())
    # A disk that several machines share may show each of them another state of it.
    newest = of_main(latest.name if (latest := checkpoints.latest(folder)) else "")
    checkpoint = folder / newest if newest else None
    sealed = checkpoints.read_seal(checkpoint) if checkpoint else None
    clock.start(sealed.seconds if sealed else 0.0)
    if checkpoint:
        _go_on(trainer, recipe, checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return sealed.step if sealed else None


def _go_on(trainer: Any, recipe: Recipe, checkpoint: Path) -> None:
    # The model of that step was measured before it was saved.
    trainer.args.eval_on_start = False
    state = TrainerState.load_from_json(str(checkpoint / checkpoints.STATE))
    tokens = [entry["num_tokens"] for entry in state.log_history if "num_tokens" in entry]
    if tokens and hasattr(trainer, "_total_train_tokens"):
        # TRL counts anew in each process, and its count is a curve of the run.
        trainer._total_train_tokens = tokens[-1]
    if state.global_step >= state.max_steps or best.is_exhausted(state.log_history, recipe.early_stopping):
        # Nothing is left to do but to load: the trainer itself would make one more step before it looks.
        trainer._run_epoch = _no_epoch


def _no_epoch(**_: Any) -> None:
    return
