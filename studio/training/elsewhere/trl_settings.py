"""A recipe in TRL's own words: which classes train it, and with which arguments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from studio.training.course.best import ACCURACIES, REWARD
from studio.training.recipe import EXPERIMENTAL_LOSSES, Recipe
from studio.training.rows.balance import weights
from studio.training.trainer.names import ATTENTION, OPTIMIZERS, scheduler_of
from studio.training.trainer.steps import beforehand, measured_every, steps_of, warmup_of

ALL = 0.999
"""The share that is every step: 1 would be taken for the first step."""

_LOSS = "eval_loss"


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


def steps(recipe: Recipe, rows: int) -> int | None:
    """Return the optimiser steps of a run over so many rows; None where only the tool knows, since it packs them."""
    if recipe.packing and not recipe.max_steps:
        return None
    # Of a run that has too few rows yet it is one.
    return steps_of(recipe, max(rows, recipe.batch_size * recipe.gradient_accumulation))


def warmup(recipe: Recipe, rows: int) -> float:
    """Return in how many steps the learning rate rises, or below 1 in which share of steps that nobody knows yet."""
    known = steps(recipe, rows)
    return recipe.warmup if known is None else warmup_of(recipe, known)


def named_warmup(recipe: Recipe, rows: int) -> dict[str, float]:
    """Return the same for tools that have a name of its own for the share."""
    name = "warmup_ratio" if steps(recipe, rows) is None else "warmup_steps"
    return {name: warmup(recipe, rows)}


def every(recipe: Recipe, rows: int) -> float:
    """Return after how many steps the held-out rows are measured, or below 1 after which share of unknown ones."""
    known = steps(recipe, rows)
    return min(1 / recipe.evaluations, ALL) if known is None else measured_every(recipe, known)


def best(recipe: Recipe) -> dict[str, Any]:
    """Return by which measurement a run keeps its best weights, or stops early: the studio's own."""
    if not (recipe.evaluations and (recipe.keep_best or recipe.early_stopping)):
        return {}
    measure = _measure(recipe)
    wanted = {"metric_for_best_model": measure, "greater_is_better": measure != _LOSS}
    return {"load_best_model_at_end": recipe.keep_best, **wanted}


def note_on_best(recipe: Recipe) -> Iterator[str]:
    """Say what differs in which weights are kept."""
    if best(recipe) and _measure(recipe) != _LOSS:
        yield "Of weights that measure the same the first count as the best; in the studio those with the lower loss."


def notes_on_trl(recipe: Recipe, *, has_parent: bool) -> Iterator[str]:
    """Say what TRL's trainers do differently, whoever starts them."""
    yield from note_on_best(recipe)
    if best(recipe) and _measure(recipe) != _LOSS:
        yield f"Which weights are the best is told by {_measure(recipe)}, which TRL can do from 1.5.0 on."
    if has_parent and has_reference(recipe):
        yield "Older versions of TRL hold the model against the bare base model, and not against parent/."
    if classes(recipe).module != "trl":
        yield "TRL ends each answer with the end token where the chat template does not, and it is learnt."


def has_reference(recipe: Recipe) -> bool:
    """Tell whether the loss holds the model against what it went on from."""
    if recipe.method == "dpo":
        return recipe.loss not in EXPERIMENTAL_LOSSES
    return recipe.method == "kto" or (recipe.method == "grpo" and recipe.beta > 0)


def _measure(recipe: Recipe) -> str:
    return {"dpo": ACCURACIES[0], "reward": ACCURACIES[1], "grpo": REWARD}.get(recipe.method, _LOSS)


def arguments(recipe: Recipe, train: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the arguments of the config class, but for the number format, which hangs on the machine."""
    rows = len(train)
    return {
        "num_train_epochs": recipe.epochs,
        **({"max_steps": recipe.max_steps} if recipe.max_steps else {}),
        "learning_rate": recipe.learning_rate,
        "warmup_steps": warmup(recipe, rows),
        "lr_scheduler_type": scheduler_of(recipe),
        "optim": OPTIMIZERS[recipe.optimizer],
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": recipe.batch_size,
        "gradient_accumulation_steps": recipe.gradient_accumulation,
        "max_grad_norm": recipe.max_grad_norm,
        "weight_decay": recipe.weight_decay,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "activation_checkpointing": recipe.gradient_checkpointing,
        # Else TRL switches the adapter's off too.
        **({"disable_dropout": False} if recipe.lora_dropout and recipe.method in ("dpo", "kto", "reward") else {}),
        **(_watching(recipe, rows) if recipe.evaluations else {"eval_strategy": "no", "save_strategy": "epoch"}),
        "logging_steps": 1,
        "report_to": "none",
        **_of_method(recipe, train),
    }


def _watching(recipe: Recipe, rows: int) -> dict[str, Any]:
    measured = {"eval_strategy": "steps", "eval_steps": every(recipe, rows), "eval_on_start": True}
    kept = {"save_strategy": "steps", "save_steps": every(recipe, rows), "save_total_limit": recipe.keep_checkpoints}
    return {**measured, **kept, **best(recipe)}


def _of_method(recipe: Recipe, train: Sequence[dict[str, Any]]) -> dict[str, Any]:
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
        desirable, undesirable = weights(recipe, [row["label"] for row in train])
        found |= {"beta": recipe.beta, "desirable_weight": desirable, "undesirable_weight": undesirable}
    elif recipe.method == "dpo":
        found |= _of_pairs(recipe, len(train))
    return found


def _of_pairs(recipe: Recipe, rows: int) -> dict[str, Any]:
    found: dict[str, Any] = {"beta": recipe.beta}
    match recipe.loss:
        case "orpo":
            return found
        case "simpo":
            simpo = {"loss_type": "simpo", "cpo_alpha": recipe.sft_weight, "simpo_gamma": recipe.simpo_gamma}
            return {**found, **simpo, "label_smoothing": recipe.label_smoothing}
        case "cpo":
            return {**found, "loss_type": "sigmoid", "label_smoothing": recipe.label_smoothing}
    found["loss_type"] = [recipe.loss]
    if recipe.sft_weight:
        found |= {"loss_type": [recipe.loss, "sft"], "loss_weights": [1.0, recipe.sft_weight]}
    if recipe.label_smoothing:
        found["label_smoothing"] = recipe.label_smoothing
    # Of all rows once before training, with the adapter off: the base model's own; or of each as it comes.
    found["precompute_ref_log_probs"] = beforehand(recipe, rows)
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
