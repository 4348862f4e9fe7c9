"""Tokens and operations that go through a model, counted against what they must be."""

from pathlib import Path
from typing import Any

import pytest
import torch

from studio.training.trainer.hardware import Hardware
from studio.training.watching.counting import Counter, lengths
from studio.training.watching.peaks import peak_of

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

LAYERS, WIDTH, VOCABULARY = 2, 32, 49152
LINEAR = LAYERS * (WIDTH * WIDTH * 2 + 2 * WIDTH * WIDTH // 2 + 3 * WIDTH * 64)
"""Weights of the layers: queries and output, keys and values of one head of two, and three of the perceptron."""
HEAD = WIDTH * VOCABULARY
ATTENTION = 4 * WIDTH * LAYERS


@pytest.fixture
def model(tiny_model: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model)


def test_a_training_step_of_all_weights_costs_six_for_each(model: Any) -> None:
    counter = Counter(model)
    model(input_ids=torch.ones(1, 10, dtype=torch.long))
    work = counter.take()
    assert work.tokens == 10
    assert work.flops == 6 * 10 * (LINEAR + HEAD) + 3 * ATTENTION * 55
    assert counter.take().tokens == 0


def test_weights_that_only_pass_on_cost_four(model: Any) -> None:
    from peft import LoraConfig, get_peft_model

    counter = Counter(get_peft_model(model, LoraConfig(r=4, target_modules="all-linear")))
    model(input_ids=torch.ones(1, 10, dtype=torch.long))
    adapter = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert counter.take().flops == 10 * (4 * (LINEAR + HEAD) + 6 * adapter) + 3 * ATTENTION * 55


def test_padding_is_not_counted_and_packed_texts_do_not_see_each_other(model: Any) -> None:
    ids = torch.ones(2, 6, dtype=torch.long)
    mask = torch.tensor([[0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1]])
    counter = Counter(model)
    model(input_ids=ids, attention_mask=mask)
    assert counter.take().tokens == 9
    assert [float(n) for n in lengths((2, 6), mask, None)] == [9, 6 + 21]
    assert [float(n) for n in lengths((1, 5), None, torch.tensor([[0, 1, 2, 0, 1]]))] == [5, 6 + 3]


def test_what_is_not_learnt_from_costs_but_is_no_training_token(model: Any) -> None:
    counter = Counter(model)
    with torch.no_grad():
        model(input_ids=torch.ones(1, 10, dtype=torch.long), logits_to_keep=3)
    work = counter.take()
    assert work.tokens == 0
    assert work.flops == 2 * 10 * LINEAR + 2 * 3 * HEAD + ATTENTION * 55


def test_a_loss_that_takes_the_backbone_alone_is_counted_too(model: Any) -> None:
    counter = Counter(model)
    hidden = model.model(input_ids=torch.ones(1, 10, dtype=torch.long)).last_hidden_state
    model.lm_head(hidden[:, -2:])
    assert counter.take().flops == 6 * (10 * LINEAR + 2 * HEAD) + 3 * ATTENTION * 55


@pytest.mark.parametrize("with_adapter", [False, True])
def test_the_head_of_the_fast_way_is_counted(model: Any, with_adapter: bool) -> None:
    from peft import LoraConfig, get_peft_model

    from studio.training.fast import batches
    from studio.training.fast.able import make_fast

    assert make_fast(model) == ""
    row = {"input_ids": list(range(100, 110)), "labels": [-100] * 7 + [107, 108, 109]}
    whole = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear")) if with_adapter else model
    counter = Counter(whole)
    whole(**batches.given(batches.texts([row])))
    adapter = sum(weight.numel() for weight in model.parameters() if weight.requires_grad) if with_adapter else 0
    each = 4 if with_adapter else 6
    assert counter.take().flops == each * (10 * LINEAR + 3 * HEAD) + 6 * 10 * adapter + 3 * ATTENTION * 55


@pytest.mark.parametrize(
    ("name", "tera"),
    [
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H200", 989),
        ("NVIDIA L4", 121),
        ("NVIDIA A10G", 70),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA RTX A4000", None),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", None),
    ],
)
def test_a_gpu_is_known_by_its_name_or_not_at_all(name: str, tera: float | None) -> None:
    peak = peak_of(Hardware("cuda", torch.bfloat16, name))
    assert (peak.flops / 1e12 if peak else None) == tera


def test_a_processor_is_measured_and_leaves_chance_alone() -> None:
    before = torch.get_rng_state()
    peak = peak_of(Hardware("cpu", torch.float32, "processor, 2 threads"))
    assert peak is not None
    assert peak.flops > 1e8
    assert "measured here" in peak.source
    assert torch.equal(before, torch.get_rng_state())
