"""TRL's trainers set up from a recipe; rows arrive rendered, so TRL never templates anything again."""

import math
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer, pack_dataset

from studio.errors import StudioError
from studio.training.data import Tokenised
from studio.training.folder import RunFolder
from studio.training.hardware import Hardware
from studio.training.recipe import Recipe


class RenderedDPOTrainer(DPOTrainer):  # type: ignore[misc]
    """TRL's DPO over rows that are token ids already; TRL's SFT recognises such rows by itself."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset


def load_model(folder: str, hardware: Hardware) -> Any:
    """Load the base model in the number format that the hardware trains in."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=hardware.torch_dtype, attn_implementation="sdpa")
    model.config.use_cache = False
    return model.to(hardware.device)


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
) -> Any:
    """Return the method's trainer, ready to train; without DPO's reference where only its batches are wanted."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder.tokenizer)
    if parent_adapter:
        model = PeftModel.from_pretrained(model, parent_adapter, is_trainable=True)
    rows = _data_set(recipe, train)
    common = {
        "model": model,
        "train_dataset": rows,
        "eval_dataset": Dataset.from_list(held_out.rows),
        "processing_class": tokenizer,
        "peft_config": None if parent_adapter else _lora(recipe),
    }
    arguments = _arguments(recipe, folder, hardware, len(rows), len(held_out.rows))
    if recipe.method == "dpo":
        dpo = {"beta": recipe.beta, "loss_type": [recipe.loss], "precompute_ref_log_probs": with_reference}
        return RenderedDPOTrainer(args=DPOConfig(**arguments, **dpo), **common)
    if not recipe.packing:
        return SFTTrainer(args=SFTConfig(**arguments), **common)
    # The rows are packed here already, since the number of steps hangs on how many they become.
    packed = {"packing": True, "eval_packing": False, "dataset_kwargs": {"skip_prepare_dataset": True}}
    trainer = SFTTrainer(args=SFTConfig(**arguments, **packed), **common)
    _refuse_leak(trainer)
    return trainer


def _data_set(recipe: Recipe, train: Tokenised) -> Dataset:
    rows = Dataset.from_list(train.rows)
    return pack_dataset(rows, recipe.max_length, "bfd") if recipe.packing else rows


def _refuse_leak(trainer: Any) -> None:
    """Raise a StudioError where the model lets an example see another that is packed before it."""
    model, tail = trainer.model, [1, 2, 3, 4]
    was_training = model.training
    model.eval()
    ends = []
    with torch.no_grad():
        for head in ([5] * 4, [6] * 4):
            packed = {"input_ids": head + tail, "labels": head + tail, "seq_lengths": [len(head), len(tail)]}
            batch = {name: _to(value, model.device) for name, value in trainer.data_collator([packed]).items()}
            ends.append(model(**batch).logits[0, len(head) :])
    model.train(was_training)
    if not torch.allclose(*ends, rtol=1e-3, atol=1e-3):
        raise StudioError("This model lets packed examples see each other.", "Train it with packing=false.")


def _to(value: Any, device: Any) -> Any:
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _lora(recipe: Recipe) -> LoraConfig:
    return LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _arguments(
    recipe: Recipe, folder: RunFolder, hardware: Hardware, train_rows: int, held_out_rows: int
) -> dict[str, Any]:
    steps_an_epoch = math.ceil(math.ceil(train_rows / recipe.batch_size) / recipe.gradient_accumulation)
    steps = max(1, math.ceil(steps_an_epoch * recipe.epochs))
    every = max(1, math.ceil(steps / recipe.evaluations)) if recipe.evaluations > 0 else steps
    return {
        "output_dir": str(folder.checkpoints),
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "warmup_steps": math.ceil(steps * recipe.warmup),
        "lr_scheduler_type": recipe.scheduler,
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": even_batch(held_out_rows, recipe.batch_size),
        "gradient_accumulation_steps": recipe.gradient_accumulation,
        "max_length": recipe.max_length,
        "max_grad_norm": recipe.max_grad_norm,
        "weight_decay": recipe.weight_decay,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "activation_checkpointing": recipe.gradient_checkpointing,
        "use_cpu": hardware.device == "cpu",
        "bf16": hardware.torch_dtype == torch.bfloat16,
        "eval_strategy": "steps",
        "eval_steps": every,
        "eval_on_start": True,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 2,
        "logging_steps": 1,
        # Else a loss that is no number is logged as 0, and a ruined model passes for a perfect one.
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": hardware.device == "cuda",
    }


def even_batch(rows: int, most: int) -> int:
    """Return the largest batch up to `most` that divides the rows.

    TRL averages its metrics over batches: with equal batches that is the average over rows.
    """
    return max((n for n in range(1, most + 1) if rows % n == 0), default=1)
