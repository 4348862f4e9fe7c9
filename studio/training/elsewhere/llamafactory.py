"""A recipe as LLaMA-Factory's YAML, with the rows in its shapes and the entries that describe them."""

import json
from collections.abc import Iterator
from typing import Any

from studio import formats
from studio.errors import StudioError
from studio.training.elsewhere.material import Material
from studio.training.elsewhere.rows import as_format
from studio.training.elsewhere.trl_settings import best, every, has_reference, named_warmup, note_on_best
from studio.training.elsewhere.written import HERE, Written, comment, lines_of
from studio.training.elsewhere.yaml_text import as_yaml
from studio.training.recipe import Recipe
from studio.training.rows.balance import weights
from studio.training.trainer.names import ATTENTION, OPTIMIZERS, scheduler_of

_STAGES = {"sft": "sft", "distill": "sft", "dpo": "dpo", "kto": "kto", "reward": "rm"}
_LOSSES = ("sigmoid", "hinge", "ipo", "orpo", "simpo")
"""The losses on pairs that LLaMA-Factory has."""


def write(material: Material) -> Written:
    """Return a configuration with the rows and `dataset_info.json`.

    Raises:
        StudioError: LLaMA-Factory has no word for the method or the loss.
    """
    recipe = material.recipe
    if recipe.method not in _STAGES:
        raise StudioError(f"LLaMA-Factory has no {recipe.method}.", "Write it out with --as trl.")
    loss = "sigmoid" if recipe.loss == "robust" else recipe.loss
    if recipe.method == "dpo" and loss not in _LOSSES:
        raise StudioError(f"LLaMA-Factory has no loss {recipe.loss}.", "Write it out with --as trl.")
    shape = formats.to_write(_shape(recipe))
    files: dict[str, bytes] = {}
    entries: dict[str, Any] = {}
    unsaid: list[str] = []
    for split, rows in material.rows.items():
        said, problems = as_format(shape.name, rows)
        unsaid += problems
        files[f"data/{split}.jsonl"] = lines_of(said)
        if shape.companion:
            columns = {column for row in said for column in row}
            entries |= json.loads(shape.companion(f"{split}.jsonl", columns).text)
    files["data/dataset_info.json"] = json.dumps(entries, ensure_ascii=False, indent=2).encode() + b"\n"
    files |= {f"tokenizer/{name}": content for name, content in material.tokenizer.items()}
    notes = [*unsaid, *_notes(recipe)]
    text = f"# {material.name}\n{comment(notes)}\n" + as_yaml(_settings(material))
    folders = {"parent": material.adapter} if material.adapter else {}
    return Written(
        "llamafactory.yaml", text, notes, f"{HERE}: llamafactory-cli train llamafactory.yaml", files, folders
    )


def _shape(recipe: Recipe) -> str:
    return {
        "sft": "sharegpt",
        "distill": "sharegpt",
        "dpo": "llamafactory-ranking",
        "reward": "llamafactory-ranking",
        "kto": "llamafactory-kto",
    }[recipe.method]


def _notes(recipe: Recipe) -> Iterator[str]:
    yield (
        "Where no template is named, LLaMA-Factory reads that of the model's own folder; the one of this run is "
        "tokenizer/chat_template.jinja: put it there where it is another."
    )
    if recipe.loss == "robust" and recipe.method == "dpo":
        yield "The robust loss is not there; dpo_label_smoothing smooths the sigmoid loss instead (cDPO)."
    elif recipe.label_smoothing and recipe.method == "dpo":
        yield "label_smoothing is for the sigmoid loss alone and is left out."
    if recipe.packing:
        yield "packing lets examples see each other; neat_packing prevents that where the version of it allows."
    if recipe.tuning == "lora" and recipe.lora_targets == "attention":
        yield "The layers of attention are named as in most models; change lora_target where yours differ."
    if recipe.method == "reward" and recipe.keep_best:
        yield "Reward models can't keep the best measurement: load_best_model_at_end is refused for them."
    if recipe.early_stopping:
        yield "Early stopping has a word in newer versions only (early_stopping_steps) and is left out."
    if recipe.keep_best and recipe.method != "reward":
        yield from note_on_best(recipe)
    if recipe.fast:
        yield "The studio's fast paths have no word here."


def _settings(material: Material) -> dict[str, Any]:
    recipe, rows = material.recipe, len(material.rows["train"])
    return {
        "model_name_or_path": material.model,
        **({"adapter_name_or_path": "parent"} if material.adapter else {}),
        **(_reference(material) if material.adapter and has_reference(recipe) else {}),
        **({"quantization_bit": 4, "quantization_method": "bnb"} if recipe.quantisation == "4bit" else {}),
        "stage": _STAGES[recipe.method],
        "do_train": True,
        **_tuning(recipe),
        **_of_method(recipe, [row["label"] for row in material.rows["train"] if "label" in row]),
        "dataset_dir": "data",
        "dataset": "train",
        "eval_dataset": "validation",
        "cutoff_len": recipe.max_length,
        "output_dir": "out",
        "num_train_epochs": recipe.epochs,
        **({"max_steps": recipe.max_steps} if recipe.max_steps else {}),
        "per_device_train_batch_size": recipe.batch_size,
        "gradient_accumulation_steps": recipe.gradient_accumulation,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": scheduler_of(recipe),
        **named_warmup(recipe, rows),
        "optim": OPTIMIZERS[recipe.optimizer],
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "seed": recipe.seed,
        **({"bf16": True} if recipe.dtype != "fp32" and recipe.device != "cpu" else {}),
        "disable_gradient_checkpointing": not recipe.gradient_checkpointing,
        "flash_attn": "sdpa",
        "logging_steps": 1,
        "report_to": "none",
        **_watching(recipe, rows),
    }


def _reference(material: Material) -> dict[str, Any]:
    """Return what the model is held against: where none is named, that is the base model without the parent."""
    is_4bit = material.recipe.quantisation == "4bit"
    named = {"ref_model": material.model, "ref_model_adapters": "parent"}
    return {**named, **({"ref_model_quantization_bit": 4} if is_4bit else {})}


def _tuning(recipe: Recipe) -> dict[str, Any]:
    if recipe.tuning == "full":
        return {"finetuning_type": "full"}
    return {
        "finetuning_type": "lora",
        "lora_rank": recipe.lora_rank,
        "lora_alpha": recipe.lora_alpha,
        "lora_dropout": recipe.lora_dropout,
        "lora_target": "all" if recipe.lora_targets == "all-linear" else ",".join(ATTENTION),
        **({"use_dora": True} if recipe.use_dora else {}),
        **({"use_rslora": True} if recipe.use_rslora else {}),
    }


def _of_method(recipe: Recipe, labels: list[bool]) -> dict[str, Any]:
    match recipe.method:
        case "sft" | "distill":
            whole, last = recipe.loss_on == "conversation", recipe.loss_on == "completion"
            return {
                **({"train_on_prompt": True} if whole else {}),
                **({"mask_history": True} if last else {}),
                **({"packing": True} if recipe.packing else {}),
            }
        case "kto":
            good, bad = weights(recipe, labels)
            return {"pref_beta": recipe.beta, "kto_chosen_weight": good, "kto_rejected_weight": bad}
        case "dpo":
            found: dict[str, Any] = {"pref_beta": recipe.beta}
            found["pref_loss"] = "sigmoid" if recipe.loss == "robust" else recipe.loss
            if recipe.loss == "robust":
                found["dpo_label_smoothing"] = recipe.label_smoothing
            if recipe.loss == "simpo":
                found["simpo_gamma"] = recipe.simpo_gamma
            if recipe.sft_weight:
                found["pref_ftx"] = recipe.sft_weight
            return found
    return {}


def _watching(recipe: Recipe, rows: int) -> dict[str, Any]:
    if not recipe.evaluations:
        return {"eval_strategy": "no", "save_strategy": "epoch"}
    measured = every(recipe, rows)
    found: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": measured, "save_steps": measured}
    found |= {"per_device_eval_batch_size": recipe.batch_size, "save_total_limit": recipe.keep_checkpoints}
    if recipe.keep_best and recipe.method != "reward":
        found |= best(recipe)
    return found
