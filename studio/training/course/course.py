"""The course of a run: load the model, train it, take its best weights, measure, save."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import set_seed

from studio.training import watching
from studio.training.course import best, keeping, proving, resuming, saving
from studio.training.course.agreeing import see_one_folder
from studio.training.course.ready import Ready, get_ready
from studio.training.course.report import Reporter, ReportingCallback
from studio.training.course.results import summary
from studio.training.faults import memory
from studio.training.faults.numbers import NumberGuard
from studio.training.folder import RunFolder
from studio.training.recipe import Recipe
from studio.training.trainer.model import load_model
from studio.training.trainer.trainers import make_trainer
from studio.training.watching import forgetting


def go_through(folder: RunFolder, reporter: Reporter) -> bool:
    """Train the run from its newest checkpoint or its start; tell whether it came to its end.

    Raises:
        RanOutError: memory ran out where less of it may do.
    """
    reporter.doing("loading the libraries")
    ready = get_ready(folder, reporter)
    trainer = _trainer(ready, reporter)
    before = _general_loss_before(ready, trainer, reporter)
    if not _train(ready, trainer, reporter):
        return False
    history = trainer.state.log_history
    kept = keeping.take_best(trainer, folder.checkpoints) if ready.recipe.keep_best else best.measurements(history)[-1]
    reporter.found(summary(kept, history, len(trainer.eval_dataset)))
    reporter.doing("saving what was learnt")
    saving.save(trainer, ready)
    if before is not None:
        reporter.doing("measuring what was forgotten")
        after = _general_loss(ready, trainer)
        reporter.found(forgetting.facts(before, after) if after is not None else {})
    # The proof loads the model anew, and may need the memory.
    del trainer
    gc.collect()
    if ready.hardware.device == "cuda":
        torch.cuda.empty_cache()
    proving.after_training(folder, reporter)
    return True


def _trainer(ready: Ready, reporter: Reporter) -> Any:
    """Return the trainer with all that looks on."""
    hardware, recipe = ready.hardware, ready.recipe
    reporter.doing(f"loading {ready.description.base_model} on the {hardware.name} in {hardware.dtype_name}")
    # Before the model, which may get a new head.
    set_seed(recipe.seed)
    model = load_model(str(ready.base.folder), recipe, hardware)
    see_one_folder(ready.folder, on_cpu=hardware.device == "cpu")

    def referred_to(done: int, of: int) -> None:
        reporter.doing(f"computing the base model's log-probabilities, {done:,} of {of:,} rows")

    with _memory_watched(reporter, recipe):
        train, held_out = ready.splits.pop("train"), ready.splits.pop("validation")
        parent = ready.parent_adapter
        trainer = make_trainer(recipe, ready.folder, hardware, model, train, held_out, parent, on_reference=referred_to)
    # In the order in which they hear of a step: the first adds to what the second writes, the third may end the run.
    for each in watching.callbacks(recipe, ready.folder, ready.tokenizer, hardware, trainer, reporter):
        trainer.add_callback(each)
    trainer.add_callback(ReportingCallback(reporter, trainer.accelerator))
    trainer.add_callback(NumberGuard(trainer, lambda: ready.rendered("train")))
    return trainer


def _train(ready: Ready, trainer: Any, reporter: Reporter) -> bool:
    """Train; tell whether it came to its end."""
    clock = keeping.Clock()
    trainer.add_callback(keeping.CheckpointKeeper(ready.recipe, ready.folder.checkpoints, clock, trainer.accelerator))
    reporter.doing("training")
    with _memory_watched(reporter, ready.recipe):
        resumed_from = resuming.train(trainer, ready.recipe, ready.folder.checkpoints, clock)
    step = trainer.state.global_step
    reporter.found({"seconds": round(clock.seconds, 1), "steps": step, "resumed_from": resumed_from})
    if reporter.stop_requested and step < trainer.state.max_steps:
        return False
    # A stop that came in the last step has nothing left to stop.
    reporter.stop_requested = False
    return True


def _general_loss_before(ready: Ready, trainer: Any, reporter: Reporter) -> float | None:
    """Return the loss on general text before anything was learnt; None where it is not measured by this process."""
    is_shared_out = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    if not ready.recipe.general_text or ready.recipe.method == "reward" or is_shared_out or not reporter.is_main:
        return None
    known = (reporter.status.result or {}).get("general_loss_before")
    if known is None and ready.folder.latest_checkpoint() is None:
        reporter.doing("measuring the loss on general text")
        known = _general_loss(ready, trainer)
        reporter.found({"general_loss_before": known} if known is not None else {})
    return known


def _general_loss(ready: Ready, trainer: Any) -> float | None:
    model = trainer.accelerator.unwrap_model(trainer.model)
    try:
        return forgetting.measure(model, ready.tokenizer, ready.hardware)
    except Exception as error:  # a run must not end of being watched
        sys.stdout.write(f"the loss on general text is not measured: {type(error).__name__}: {error}\n")
        return None


@contextmanager
def _memory_watched(reporter: Reporter, recipe: Recipe) -> Iterator[None]:
    """Tell memory that runs out here, where smaller passes may help, from other errors."""
    try:
        yield
    except Exception as error:
        if not memory.is_out_of_memory(error):
            raise
        status = reporter.status
        when = f"after step {status.step}" if status.status == "running" else f"while {status.doing}"
        raise memory.RanOutError(when, recipe) from error
