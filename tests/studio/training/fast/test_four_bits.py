"""QLoRA learns what LoRA on the same weights learns. On a processor, for want of a GPU: `pip install bitsandbytes`."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from studio.training.folder import RunFolder
from studio.training.recipe import make_recipe
from tests.studio.training.fast.small_trainers import gradients, pairs_of, texts_of

torch = pytest.importorskip("torch")
bitsandbytes = pytest.importorskip("bitsandbytes")


@pytest.fixture(autouse=True)
def processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a processor stand for the GPU that is asked for."""
    from studio.training.trainer import model

    monkeypatch.setattr(model, "_check_4bit", lambda _: None)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: "cpu")


def trainer_of(small: Path, tmp_path: Path, method: str, *overrides: str, parent: Path | None = None) -> Any:
    """Return the studio's own trainer, with an adapter that has learnt something already, or its parent's."""
    from studio.training.rows.data import Tokenised
    from studio.training.trainer.hardware import Hardware
    from studio.training.trainer.model import load_model
    from studio.training.trainer.trainers import make_trainer

    quick = ("quantisation=4bit", "device=auto", "lora_rank=4", "lora_alpha=8", "batch_size=4")
    recipe = make_recipe(method, [*quick, *overrides])
    hardware = Hardware("cpu", torch.bfloat16, "processor")
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(small, folder.tokenizer, dirs_exist_ok=True)
    rows = Tokenised(texts_of(4) if method == "sft" else pairs_of(4), cut=0, dropped=0)
    torch.manual_seed(3)
    model = load_model(str(small), recipe, hardware)
    for layer in model.modules():
        if isinstance(layer, bitsandbytes.nn.Linear4bit):
            # What bitsandbytes 0.50 packs for its own quick way on processors gives wrong gradients afterwards.
            layer.support_avx512bf16_for_cpu = False
    trainer = make_trainer(recipe, folder, hardware, model, rows, rows, str(parent) if parent else None)
    if parent:
        return trainer
    torch.manual_seed(7)
    for name, weight in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    return trainer


def unpack(trainer: Any) -> None:
    """Hold the same weights in fp32, and compute in it."""
    layers = dict(trainer.model.named_modules())
    for name, layer in layers.items():
        if isinstance(layer, bitsandbytes.nn.Linear4bit):
            weight = bitsandbytes.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
            whole = torch.nn.Linear(layer.in_features, layer.out_features, bias=False)
            whole.weight = torch.nn.Parameter(weight.float(), requires_grad=False)
            parent, _, own = name.rpartition(".")
            setattr(layers[parent], own, whole)
    trainer.model.float()
    trainer.accelerator.native_amp = False


@pytest.mark.parametrize("method", ["sft", "dpo"])
@pytest.mark.parametrize(
    "overrides",
    [["fast=true"], ["fast=true", "gradient_checkpointing=true"], ["fast=false"]],
    ids=" ".join,
)
def test_gradients_are_those_of_the_same_weights_in_fp32(
    small: Path, tmp_path: Path, method: str, overrides: list[str]
) -> None:
    trainer = trainer_of(small, tmp_path, method, *overrides)
    trained = {weight.dtype for weight in trainer.model.parameters() if weight.requires_grad}
    assert trained == {torch.float32}
    assert trainer.model.get_output_embeddings().weight.dtype == torch.bfloat16
    rows = list(trainer.train_dataset)
    loss, found = gradients(trainer, rows)
    unpack(trainer)
    exact_loss, exact = gradients(trainer, rows)
    assert loss == pytest.approx(exact_loss, rel=2e-3)
    assert found.keys() == exact.keys()
    for name, slope in found.items():
        near = torch.nn.functional.cosine_similarity(slope.flatten(), exact[name].flatten(), dim=0)
        assert near > 0.995, name
        assert slope.norm() == pytest.approx(exact[name].norm(), rel=0.05), name


def test_a_run_in_4_bits_learns(small: Path, tmp_path: Path) -> None:
    overrides = ("max_steps=6", "learning_rate=0.01", "gradient_accumulation=1", "scheduler=constant")
    trainer = trainer_of(small, tmp_path, "sft", *overrides)
    trainer.args.save_strategy = "no"
    trainer.train()
    losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert losses[-1] < losses[0] - 0.05


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_a_child_in_4_bits_begins_where_its_parent_ended(small: Path, tmp_path: Path, method: str) -> None:
    def learnt(trainer: Any) -> dict[str, Any]:
        return {name: weight.data for name, weight in trainer.model.named_parameters() if weight.requires_grad}

    first = trainer_of(small, tmp_path, "sft")
    first.model.save_pretrained(tmp_path / "parent", selected_adapters=["default"])
    ended, begun = learnt(first), learnt(trainer_of(small, tmp_path, method, parent=tmp_path / "parent"))
    assert begun.keys() == ended.keys()
    for name, weight in begun.items():
        assert weight.dtype == torch.float32
        assert torch.equal(weight, ended[name]), name
