"""What the studio makes of TRL's trainers: the recipe's own word holds where TRL's defaults say otherwise."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from studio.training.folder import RunFolder
from studio.training.recipe import Recipe, make_recipe
from studio.training.rows.data import Tokenised
from studio.training.trainer import hardware
from studio.training.trainer.arguments import arguments_of
from studio.training.trainer.hardware import choose
from studio.training.trainer.model import load_model
from studio.training.trainer.trainers import make_trainer

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

ROWS: dict[str, dict[str, Any]] = {
    "sft": {"input_ids": [5, 6, 7, 2], "labels": [-100, 6, 7, 2]},
    "dpo": {"prompt_ids": [5], "chosen_ids": [6, 7, 2], "rejected_ids": [8, 2]},
    "kto": {"prompt_ids": [5], "completion_ids": [6, 7, 2], "label": True},
    "reward": {"chosen_ids": [5, 6, 7, 2], "rejected_ids": [5, 8, 2]},
}


def trainer_of(recipe: Recipe, model_folder: Path, tmp_path: Path, changed: Any = lambda model, folder: None) -> Any:
    """Return a run's own trainer over a few rows."""
    from transformers import AutoTokenizer

    folder = RunFolder(tmp_path / "run")
    AutoTokenizer.from_pretrained(model_folder).save_pretrained(folder.tokenizer)
    rows = [dict(ROWS[recipe.method]) for _ in range(4)]
    if recipe.method == "kto":
        rows[0]["label"] = rows[1]["label"] = False
    model = load_model(str(model_folder), recipe, choose(recipe))
    changed(model, folder)
    given = Tokenised(rows, 0, 0, [])
    return make_trainer(recipe, folder, choose(recipe), model, given, given, None)


@pytest.mark.parametrize(
    ("method", "overrides"),
    [("sft", []), ("sft", ["fast=false"]), ("dpo", []), ("dpo", ["fast=false"]), ("kto", []), ("reward", [])],
)
def test_the_adapter_has_the_dropout_that_the_recipe_says(
    tiny_model: Path, tmp_path: Path, method: str, overrides: list[str]
) -> None:
    same = ["device=cpu", "dtype=fp32", "lora_rank=2", "lora_dropout=0.25", "batch_size=2"]
    trainer = trainer_of(make_recipe(method, [*same, *overrides]), tiny_model, tmp_path)
    found = {
        layer.lora_dropout["default"].p
        for layer in trainer.model.modules()
        if isinstance(getattr(layer, "lora_dropout", None), nn.ModuleDict)
    }
    assert found == {0.25}


@pytest.mark.parametrize(
    ("overrides", "strategy"),
    [(["batch_size=2"], "group_by_length"), (["batch_size=1"], "random"), (["batch_size=2", "fast=false"], "random")],
)
def test_rows_that_are_padded_share_a_batch_with_those_of_their_length(
    tiny_model: Path, tmp_path: Path, overrides: list[str], strategy: str
) -> None:
    def with_a_window(model: Any, _: RunFolder) -> None:
        model.config.sliding_window = 64  # such a model is not trained the fast way

    recipe = make_recipe("sft", ["device=cpu", "dtype=fp32", "lora_rank=2", *overrides])
    trainer = trainer_of(recipe, tiny_model, tmp_path, with_a_window)
    assert trainer.args.train_sampling_strategy == strategy


def test_the_head_that_scores_is_learnt_in_full_precision(tiny_model: Path, tmp_path: Path) -> None:
    recipe = make_recipe("reward", ["device=cpu", "dtype=bf16", "lora_rank=2"])
    trainer = trainer_of(recipe, tiny_model, tmp_path)
    learnt = {name: weight.dtype for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    assert any("score" in name for name in learnt)
    assert set(learnt.values()) == {torch.float32}
    assert trainer.model.dtype == torch.bfloat16


def test_the_score_is_read_where_who_loads_the_model_reads_it(tiny_model: Path, tmp_path: Path) -> None:
    """A model whose files name no padding, under a tokenizer that pads with what ends an answer."""

    def without_padding(model: Any, _: RunFolder) -> None:
        model.config.pad_token_id = None

    recipe = make_recipe("reward", ["device=cpu", "dtype=fp32", "lora_rank=2"])
    trainer = trainer_of(recipe, tiny_model, tmp_path, without_padding)
    row = ROWS["reward"]
    batch = trainer.data_collator([dict(row)])
    with torch.no_grad():
        together = trainer.model.eval()(**{name: batch[name] for name in ("input_ids", "attention_mask")}).logits
        trainer.model.config.pad_token_id = None
        alone = [trainer.model(torch.tensor([row[side]])).logits[0] for side in ("chosen_ids", "rejected_ids")]
    assert torch.allclose(together, torch.stack(alone), atol=1e-6)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["scheduler=constant"], "constant_with_warmup"),
        (["scheduler=constant", "warmup=0"], "constant"),
        (["scheduler=cosine"], "cosine"),
    ],
)
def test_a_learning_rate_that_stays_rises_first(tmp_path: Path, overrides: list[str], named: str) -> None:
    recipe = make_recipe("sft", ["device=cpu", *overrides])
    assert arguments_of(recipe, RunFolder(tmp_path), choose(recipe), 40, 4)["lr_scheduler_type"] == named


@pytest.mark.parametrize(("generation", "taken"), [(7, "fp32"), (8, "bf16")])
def test_bf16_is_taken_where_a_gpu_computes_in_it(monkeypatch: pytest.MonkeyPatch, generation: int, taken: str) -> None:
    told = {
        "is_available": lambda: True,
        "set_device": lambda _: None,
        "current_device": lambda: 0,
        "get_device_properties": lambda _: SimpleNamespace(major=generation),
        # An older GPU holds such numbers, and computes with them by way of others.
        "_check_bf16_tensor_supported": lambda _: True,
        "get_device_name": lambda: "a GPU",
    }
    for name, answer in told.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    assert choose(make_recipe("dpo", [])).dtype_name == taken
    assert choose(make_recipe("dpo", ["dtype=bf16"])).dtype_name == "bf16"


@pytest.mark.parametrize(
    ("told", "is_able"),
    [
        ("model name\t: x\nflags\t\t: fpu avx512f avx512_bf16 amx_tile", True),
        ("model name\t: x\nflags\t\t: fpu avx512f", False),
        ("BogoMIPS\t: 2100.00\nFeatures\t: fp asimd sve i8mm bf16 dgh", True),
        ("BogoMIPS\t: 2100.00\nFeatures\t: fp asimd", False),
        ("", False),
    ],
)
def test_a_processor_that_multiplies_bf16_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, is_able: bool
) -> None:
    monkeypatch.setattr(hardware, "PROCESSOR", tmp_path / "cpuinfo")
    assert not hardware.processor_has_bf16()
    (tmp_path / "cpuinfo").write_text(told)
    assert hardware.processor_has_bf16() == is_able


def test_answers_are_tried_in_parts_where_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import GRPOTrainer

    from studio.training.methods.trying import RenderedGRPOTrainer

    asked: list[int] = []

    def answer(_: Any, prompts: list[list[int]], *__: Any) -> tuple[list[list[int]], None]:
        asked.append(len(prompts))
        if len(prompts) > room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return [[*prompt, 0] for prompt in prompts], None

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", answer)
    trainer = RenderedGRPOTrainer.__new__(RenderedGRPOTrainer)
    trainer.model = nn.Linear(1, 1)
    trainer.is_fsdp_enabled = trainer.is_deepspeed_enabled = False
    prompts, room = [[number] for number in range(7)], 2
    for _ in range(2):
        assert trainer._generate_single_turn(prompts, None, {}, 2) == ([[number, 0] for number in range(7)], None)
    assert asked == [7, 4, 2, 2, 2, 1, 2, 2, 2, 1], "what was found out once holds from then on"
    room = 0
    with pytest.raises(RuntimeError, match="out of memory"):
        trainer._generate_single_turn(prompts, None, {}, 2)
