"""Small trainers by the studio's own code, and what is learnt by them, to be held against each other."""

import random
from pathlib import Path
from typing import Any

import pytest

from studio.training.recipe import Recipe, make_recipe

torch = pytest.importorskip("torch")


SAME = {"rtol": 1e-4, "atol": 1e-6}
"""Sums of other orders: all that may differ in fp32."""


def some_ids(chance: random.Random, most: int) -> list[int]:
    return [chance.randrange(100, 500) for _ in range(chance.randint(3, most))]


def pairs_of(number: int) -> list[dict[str, list[int]]]:
    chance = random.Random(5)
    names = ("prompt_ids", "chosen_ids", "rejected_ids")
    return [{name: some_ids(chance, 24) for name in names} for _ in range(number)]


def texts_of(number: int) -> list[dict[str, list[int]]]:
    rows = pairs_of(number)
    return [
        {
            "input_ids": row["prompt_ids"] + row["chosen_ids"],
            "labels": [-100] * len(row["prompt_ids"]) + row["chosen_ids"],
        }
        for row in rows
    ]


def trainer_of(
    recipe: Recipe,
    model_folder: Path,
    tmp_path: Path,
    rows: list[dict[str, Any]],
    *,
    packed: bool = False,
    parent: Path | None = None,
    **more: Any,
) -> Any:
    """Return a trainer by the studio's own code, with an adapter that has learnt something already."""
    from datasets import Dataset
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
    from trl import pack_dataset

    from studio.training.methods import pairs, texts
    from studio.training.methods.processes import measure_all_rows
    from studio.training.trainer.model import adapter_config

    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="sdpa")
    model.config.use_cache = False
    if parent:
        model = PeftModel.from_pretrained(model, parent, is_trainable=True)
    data = Dataset.from_list(rows)
    common = {
        "model": model,
        "train_dataset": pack_dataset(data, 64, "bfd") if packed else data,
        "eval_dataset": data.select(range(2)),
        "processing_class": PreTrainedTokenizerFast.from_pretrained(model_folder),
        "peft_config": None if parent or recipe.tuning == "full" else adapter_config(recipe),
    }
    arguments = {
        "output_dir": str(tmp_path / "out"),
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": 2,
        "activation_checkpointing": recipe.gradient_checkpointing,
        "use_cpu": True,
        "bf16": recipe.dtype == "bf16",
        "report_to": "none",
        "disable_tqdm": True,
        **more,
    }
    if recipe.method == "dpo":
        trainer = pairs.make(recipe, common, arguments, with_reference=True)
    else:
        trainer = texts.make(recipe, common, arguments)
    measure_all_rows(trainer)
    torch.manual_seed(7)
    for name, weight in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    return trainer


def gradients(trainer: Any, rows: list[Any]) -> tuple[float, dict[str, Any]]:
    """Return the loss of rows as one batch, and each trained weight's gradient."""
    batch = trainer._prepare_inputs(trainer.data_collator(rows))
    trainer.model.train()
    trainer.model.zero_grad()
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    found = {name: weight.grad for name, weight in trainer.model.named_parameters() if weight.grad is not None}
    return loss.item(), found


def assert_same(one: tuple[float, dict[str, Any]], other: tuple[float, dict[str, Any]]) -> None:
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    assert one[1].keys() == other[1].keys()
    assert any(grad.abs().max() > 1e-4 for grad in one[1].values()), "something is learnt"
    for name, grad in one[1].items():
        scale = other[1][name].abs().max()
        assert torch.allclose(grad / scale, other[1][name] / scale, rtol=1e-4, atol=1e-4), name


def learnt_by(trainer: Any) -> Any:
    """Return all numbers that are trained, in a row."""
    return torch.cat([each.detach().flatten() for each in trainer.model.parameters() if each.requires_grad])


def lora(method: str, *overrides: str) -> Recipe:
    return make_recipe(method, ["device=cpu", "dtype=fp32", "lora_rank=4", "lora_alpha=8", "batch_size=4", *overrides])
