"""The process that trains: `python -m studio.training.worker runs/RUN`.

It knows only the run's folder and the prepared base model, so that it can be started anywhere.
"""

import faulthandler
import math
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.statistics.shares import wilson
from studio.training.folder import Description, RunFolder, read_description
from studio.training.recipe import Recipe, read_recipe
from studio.training.report import Reporter, ReportingCallback, StopRequested

if TYPE_CHECKING:
    from studio.training.data import Tokenised

NICENESS = 5
"""The trainer gives way to the screen, which shares the processor with it."""


def main() -> None:
    """Train the run whose folder is named, and say through it how that ended."""
    faulthandler.enable()
    folder = RunFolder(Path(sys.argv[1]).resolve())
    reporter = Reporter(folder)
    os.nice(NICENESS)
    try:
        reporter.listen_for_stop()
        is_finished = train(folder, reporter)
    except StopRequested:
        reporter.ended("stopped")
    except StudioError as error:
        reporter.ended("failed", error=str(error))
        sys.exit(1)
    except BaseException as error:
        traceback.print_exc()
        reporter.ended("failed", error=explain(error))
        sys.exit(1)
    else:
        reporter.ended("done" if is_finished else "stopped")


def explain(error: BaseException) -> str:
    """Return one sentence on what went wrong and what may help."""
    text = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text.lower():
        return f"{text}. Not enough memory: try batch_size=1, max_length=512 or gradient_checkpointing=true."
    if "no space left" in text.lower():
        return f"{text}. The disk is full: free some space, then resume the run."
    return text


def train(folder: RunFolder, reporter: Reporter) -> bool:
    """Prepare, prove the tokens, train, measure, save; tell whether it came to its end."""
    description, recipe = read_description(folder), read_recipe(folder.recipe)
    reporter.doing("loading the libraries")
    from studio.rendering import ChatTokenizer
    from studio.training import hardware as hardware_module
    from studio.training.data import load_rows, tokenise
    from studio.training.trainers import load_model, make_trainer

    hardware = hardware_module.choose(recipe)
    model_folder = prepared_model(description, reporter)
    reporter.doing("rendering the data")
    tokenizer = ChatTokenizer.load(folder.tokenizer)
    splits = {
        name: tokenise(tokenizer, recipe.method, load_rows(folder.data / f"{name}.jsonl"), recipe.max_length)
        for name in ("train", "validation")
    }
    for name, split in splits.items():
        for problem in split.problems:
            sys.stdout.write(f"left out of {name}: {problem}\n")
        if not split.rows:
            raise _no_rows(name, split, recipe)
    reporter.found({"parity": prove(folder, description, reporter)})
    reporter.doing(f"loading {description.base_model} on the {hardware.name} in {hardware.dtype_name}")
    model = load_model(model_folder, hardware)
    if recipe.method == "dpo":
        reporter.doing("computing the base model's log-probabilities")
    parent = description.parent_adapter and str(folder.path.parent / description.parent_adapter)
    trainer = make_trainer(recipe, folder, hardware, model, splits["train"], splits["validation"], parent)
    trainer.add_callback(ReportingCallback(reporter))
    seconds = run_trainer(trainer, folder, reporter)
    facts = {
        "device": hardware.name,
        "dtype": hardware.dtype_name,
        "seconds": round(seconds, 1),
        "steps": trainer.state.global_step,
        "train_rows": len(splits["train"].rows),
        "held_out_rows": len(splits["validation"].rows),
        "rows_cut": sum(split.cut for split in splits.values()),
        "rows_too_long": sum(split.dropped for split in splits.values()),
        "rows_not_rendered": sum(len(split.problems) for split in splits.values()),
        "tokens_an_epoch": splits["train"].tokens,
    }
    reporter.found(facts)
    if reporter.stop_requested and trainer.state.global_step < trainer.state.max_steps:
        return False
    # A stop that came in the last step has nothing left to stop.
    reporter.stop_requested = False
    finish(trainer, folder, description, recipe, reporter)
    return True


def _no_rows(name: str, split: "Tokenised", recipe: Recipe) -> StudioError:
    if split.problems:
        return StudioError(f"No {name} row can be rendered; the first is {split.problems[0]}")
    return StudioError(f"No {name} row fits into max_length={recipe.max_length} tokens.", "Raise max_length.")


def prepared_model(description: Description, reporter: Reporter) -> str:
    """Return the folder of the base model, preparing it where this machine has not yet."""
    from studio.models import check_unchanged, prepare, resolve

    base = resolve(description.base_model)
    check_unchanged(base, description.base_hash)
    prepare(base, "weights", on_progress=reporter.doing)
    return str(base.folder)


def run_trainer(trainer: Any, folder: RunFolder, reporter: Reporter) -> float:
    """Train from the newest checkpoint or from the start; return the seconds it took."""
    reporter.doing("training")
    checkpoint = folder.latest_checkpoint()
    begun = time.monotonic()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return time.monotonic() - begun


def finish(trainer: Any, folder: RunFolder, description: Description, recipe: Recipe, reporter: Reporter) -> None:
    """Measure the held-out rows and save the adapter in both forms."""
    from studio.inference.gguf import adapter_to_gguf
    from studio.models import gguf_of, resolve

    reporter.doing("measuring the held-out rows")
    measured = {k: float(v) for k, v in trainer.evaluate().items() if k.startswith("eval_")}
    if not math.isfinite(measured["eval_loss"]):
        raise FloatingPointError(f"the held-out loss became {measured['eval_loss']}; try a smaller learning_rate")
    reporter.found(summary(measured, trainer.state.log_history, recipe, len(trainer.eval_dataset)))
    reporter.doing("saving the adapter")
    trainer.model.save_pretrained(folder.adapter, selected_adapters=["default"])
    base_gguf = gguf_of(resolve(description.base_model))
    if base_gguf is not None:
        adapter_to_gguf(folder.adapter, base_gguf, folder.adapter_gguf)


def summary(
    measured: dict[str, float], history: list[dict[str, Any]], recipe: Recipe, held_out_rows: int
) -> dict[str, Any]:
    """Return the figures that a person wants first, before and after; a share comes with its 95 % interval."""
    losses = [entry["loss"] for entry in history if "loss" in entry]
    first_eval = next((entry for entry in history if "eval_loss" in entry), {})
    result: dict[str, Any] = {
        "held_out_loss": measured["eval_loss"],
        "held_out_loss_before": first_eval.get("eval_loss"),
    }
    if losses:
        result |= {"train_loss_first": losses[0], "train_loss_last": losses[-1]}
    if recipe.method == "dpo":
        accuracy = measured["eval_rewards/accuracies"]
        interval = wilson(round(accuracy * held_out_rows), held_out_rows)
        result["held_out_accuracy"] = accuracy
        result["held_out_accuracy_95"] = f"{interval.low:.0%} to {interval.high:.0%}"
        result["held_out_margin"] = measured["eval_rewards/margins"]
    return result


def prove(folder: RunFolder, description: Description, reporter: Reporter) -> str:
    """Compare the tokens with llama.cpp's before any time is spent on them; say in a sentence what was found."""
    from studio.inference.engine import EngineError
    from studio.inference.parity import check_run_folder
    from studio.models import gguf_of, resolve

    base_gguf = gguf_of(resolve(description.base_model))
    if base_gguf is None:
        return "not checked: the base model has no GGUF to compare with"
    reporter.doing("comparing the tokens with llama.cpp's")
    try:
        return check_run_folder(folder.path, base_gguf).sentence
    except EngineError as error:
        return f"not checked: {error}"


if __name__ == "__main__":
    main()
