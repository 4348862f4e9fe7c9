"""A recipe in TRL's own words: which classes train it, and with which arguments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.training.recipe import Recipe
from studio.training.rows.balance import weights
from studio.training.trainer.names import ATTENTION, OPTIMIZERS
from studio.training.trainer.steps import measured_every, steps_of, warmup_of


@dataclass(frozen=True)
class Classes:
    """The classes of TRL that train a method."""

    module: str
    trainer: str
    config: str


def classes(recipe: Recipe) -> Classes:
    """Return who trains this; losses without a reference have trainers of their own, marked as experimental."""
    if recipe.method == "dpo" and recipe.loss in ("simpo", "cpo"):
        return Classes("trl.experimental.cpo", "CPOTrainer", "CPOConfig")
    if recipe.method == "dpo" and recipe.loss == "orpo":
        return Classes("trl.experimental.orpo", "ORPOTrainer", "ORPOConfig")
    stem = {"sft": "SFT", "distill": "SFT", "dpo": "DPO", "kto": "KTO", "reward": "Reward", "grpo": "GRPO"}
    return Classes("trl", f"{stem[recipe.method]}Trainer", f"{stem[recipe.method]}Config")


def steps(recipe: Recipe, rows: int) -> int:
    """Return the optimiser steps of a run over so many rows, before any packing; of one that has too few yet, one."""
    return steps_of(recipe, max(rows, recipe.batch_size * recipe.gradient_accumulation))


def warmup(recipe: Recipe, rows: int) -> int:
    """Return the steps in which the learning rate rises."""
    return warmup_of(recipe, steps(recipe, rows))


def every(recipe: Recipe, rows: int) -> int:
    """Return after how many steps the held-out rows are measured."""
    return measured_every(recipe, steps(recipe, rows))


def arguments(recipe: Recipe, train: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the arguments of the config class, but for the number format, which hangs on the machine."""
    rows = len(train)
    measured = {"eval_strategy": "steps", "eval_steps": every(recipe, rows), "eval_on_start": True}
    kept = {"save_strategy": "steps", "save_steps": every(recipe, rows), "save_total_limit": recipe.keep_checkpoints}
    best = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}
    return {
        "num_train_epochs": recipe.epochs,
        **({"max_steps": recipe.max_steps} if recipe.max_steps else {}),
        "learning_rate": recipe.learning_rate,
        "warmup_steps": warmup(recipe, rows),
        "lr_scheduler_type": recipe.scheduler,
        "optim": OPTIMIZERS[recipe.optimizer],
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": recipe.batch_size,
        "gradient_accumulation_steps": recipe.gradient_accumulation,
        "max_grad_norm": recipe.max_grad_norm,
        "weight_decay": recipe.weight_decay,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "activation_checkpointing": recipe.gradient_checkpointing,
        **(measured if recipe.evaluations else {"eval_strategy": "no"}),
        **(kept if recipe.evaluations else {"save_strategy": "epoch"}),
        **(best if recipe.evaluations and recipe.keep_best else {}),
        "logging_steps": 1,
        "report_to": "none",
        **_of_method(recipe, [row["label"] for row in train if "label" in row]),
    }


def _of_method(recipe: Recipe, labels: list[bool]) -> dict[str, Any]:
    if recipe.method == "grpo":
        return {
            "num_generations": recipe.generations,
            "num_generations_eval": 1,
            "max_completion_length": recipe.completion_length,
            "temperature": recipe.temperature,
            "beta": recipe.beta,
        }
    found: dict[str, Any] = {"max_length": recipe.max_length}
    if recipe.method in ("sft", "distill"):
        found["packing"] = recipe.packing
        if recipe.packing:
            found["eval_packing"] = False
        if recipe.loss_on == "assistant":
            found["assistant_only_loss"] = True
    elif recipe.method == "kto":
        desirable, undesirable = weights(recipe, labels)
        found |= {"beta": recipe.beta, "desirable_weight": desirable, "undesirable_weight": undesirable}
    elif recipe.method == "dpo":
        found |= _of_pairs(recipe)
    return found


def _of_pairs(recipe: Recipe) -> dict[str, Any]:
    found: dict[str, Any] = {"beta": recipe.beta}
    match recipe.loss:
        case "orpo":
            return found
        case "simpo":
            simpo = {"loss_type": "simpo", "cpo_alpha": 0.0, "simpo_gamma": recipe.simpo_gamma}
            return {**found, **simpo, "label_smoothing": recipe.label_smoothing}
        case "cpo":
            return {**found, "loss_type": "sigmoid", "label_smoothing": recipe.label_smoothing}
    found["loss_type"] = [recipe.loss]
    if recipe.sft_weight:
        found |= {"loss_type": [recipe.loss, "sft"], "loss_weights": [1.0, recipe.sft_weight]}
    if recipe.label_smoothing:
        found["label_smoothing"] = recipe.label_smoothing
    # Worked out once before training, with the adapter off: the base model's own.
    found["precompute_ref_log_probs"] = True
    return found


def lora(recipe: Recipe) -> dict[str, Any]:
    """Return the arguments of PEFT's LoraConfig."""
    return {
        "r": recipe.lora_rank,
        "lora_alpha": recipe.lora_alpha,
        "lora_dropout": recipe.lora_dropout,
        "target_modules": "all-linear" if recipe.lora_targets == "all-linear" else ATTENTION,
        "use_dora": recipe.use_dora,
        "use_rslora": recipe.use_rslora,
        "task_type": "SEQ_CLS" if recipe.method == "reward" else "CAUSAL_LM",
    }
