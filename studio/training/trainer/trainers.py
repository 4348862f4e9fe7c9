"""TRL's trainers set up from a recipe; rows arrive rendered, so TRL never templates anything again."""

from typing import Any

from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedTokenizerFast
from trl import pack_dataset

from studio.training.fast.reference import OnReference
from studio.training.folder import RunFolder
from studio.training.methods import pairs, scoring, texts, trying, unpaired
from studio.training.methods.processes import measure_all_rows
from studio.training.recipe import Recipe
from studio.training.rows.data import Tokenised
from studio.training.rows.telling import silently
from studio.training.trainer.arguments import arguments_of
from studio.training.trainer.hardware import Hardware
from studio.training.trainer.model import adapter_config, keep_exact


def make_trainer(
    recipe: Recipe,
    folder: RunFolder,
    hardware: Hardware,
    model: Any,
    train: Tokenised,
    held_out: Tokenised,
    parent_adapter: str | None,
    *,
    with_reference: bool = True,
    on_reference: OnReference = silently,
) -> Any:
    """Return the method's trainer, ready to train.

    Args:
        recipe: the run's, as it holds in this process.
        folder: the run's.
        hardware: what it computes on.
        model: the base model, on that hardware.
        train: the rows that it learns.
        held_out: the rows that it is measured with.
        parent_adapter: the folder of the adapter that it goes on from.
        with_reference: false where only batches are wanted, so that DPO needs no reference.
        on_reference: told of how many rows the reference is worked out, and of how many it has to be.
    """
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder.tokenizer)
    if parent_adapter:
        model = PeftModel.from_pretrained(model, parent_adapter, is_trainable=True)
    rows = _data_set(recipe, train)
    common = {
        "model": model,
        "train_dataset": rows,
        "eval_dataset": Dataset.from_list(held_out.rows),
        "processing_class": tokenizer,
        "peft_config": None if parent_adapter or recipe.tuning == "full" else adapter_config(recipe),
    }
    arguments = arguments_of(recipe, folder, hardware, len(rows), len(held_out.rows))
    reference: Any = {"with_reference": with_reference, "on_reference": on_reference}
    match recipe.method:
        case "dpo":
            trainer = pairs.make(recipe, common, arguments, **reference)
        case "kto":
            trainer = unpaired.make(recipe, common, arguments, **reference)
        case "reward":
            trainer = scoring.make(recipe, common, arguments)
        case "grpo":
            trainer = trying.make(recipe, common, arguments, folder)
        case _:
            trainer = texts.make(recipe, common, arguments)
    if recipe.quantisation == "4bit" or recipe.method == "reward":
        keep_exact(trainer.model, parent_adapter)
    measure_all_rows(trainer)
    return trainer


def _data_set(recipe: Recipe, train: Tokenised) -> Dataset:
    rows = Dataset.from_list(train.rows)
    return pack_dataset(rows, recipe.max_length, "bfd") if recipe.packing else rows
