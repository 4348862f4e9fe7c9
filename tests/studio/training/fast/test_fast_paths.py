"""The fast ways of training give the losses and gradients of TRL's own: fp32, random weights, relative to 1e-4."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.training.recipe import EXPERIMENTAL_LOSSES, settings
from tests.studio.training.fast.small_trainers import (
    SAME,
    assert_same,
    gradients,
    learnt_by,
    lora,
    pairs_of,
    texts_of,
    trainer_of,
)

torch = pytest.importorskip("torch")

LOSSES = next(each.choices for each in settings("dpo") if each.name == "loss")


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["tuning=full"],
        ["use_dora=true", "gradient_checkpointing=true"],
    ],
    ids=" ".join,
)
def test_pairs_with_a_shared_prompt_learn_as_two_padded_rows_do(
    small: Path, tmp_path: Path, overrides: list[str]
) -> None:
    from studio.training.methods.pairs import FastDPOTrainer

    rows = pairs_of(4)
    found = []
    for fast in (True, False):
        trainer = trainer_of(replace(lora("dpo", *overrides), fast=fast), small, tmp_path, rows)
        assert isinstance(trainer, FastDPOTrainer) == fast
        found.append(gradients(trainer, list(trainer.train_dataset)))
    assert_same(*found)


def test_all_losses_are_those_of_padded_rows(small: Path, tmp_path: Path) -> None:
    rows = pairs_of(4)
    both = [trainer_of(lora("dpo", f"fast={fast}"), small, tmp_path, rows) for fast in ("true", "false")]
    for loss, weight in [*((loss, 0.0) for loss in LOSSES), ("ipo", 0.5), ("sigmoid", 0.5), ("simpo", 0.5)]:
        for trainer in both:
            trainer.recipe = replace(trainer.recipe, loss=loss, simpo_gamma=0.3, sft_weight=weight)
            is_ours = loss in EXPERIMENTAL_LOSSES
            trainer.loss_types = ["sigmoid"] if is_ours else [loss] + ["sft"] * bool(weight)
            trainer.loss_weights = [1.0, weight][: len(trainer.loss_types)]
            trainer.label_smoothing = 0.2 if loss == "robust" else 0.0
        assert_same(*(gradients(trainer, list(trainer.train_dataset)) for trainer in both))


def test_simpo_mixed_with_sft_is_trls(small: Path, tmp_path: Path) -> None:
    from trl.experimental.cpo import CPOConfig, CPOTrainer

    from studio.training.methods.pairs import without_reference

    generator = torch.Generator().manual_seed(1)
    scores, counted = -torch.rand(4, 6, generator=generator), torch.ones(4, 6)
    recipe = lora("dpo", "loss=simpo", "sft_weight=0.3", "simpo_gamma=0.4", "beta=2")
    settings = CPOConfig(output_dir=str(tmp_path), loss_type="simpo", simpo_gamma=0.4, beta=2.0, use_cpu=True)
    known = SimpleNamespace(accelerator=SimpleNamespace(device=scores.device), **settings.to_dict())
    chosen, rejected = scores.mean(dim=1).chunk(2)
    trls = CPOTrainer.cpo_loss(known, chosen, rejected)[0].mean() - 0.3 * scores[:2].mean()
    assert float(without_reference(recipe, scores, counted)) == pytest.approx(float(trls))


@pytest.mark.parametrize("fast", ["true", "false"])
@pytest.mark.parametrize("loss", ["simpo", "orpo", "cpo"])
def test_without_a_reference_pairs_are_ranked_as_the_loss_ranks_them(
    small: Path, tmp_path: Path, loss: str, fast: str
) -> None:
    rows = pairs_of(4)
    for number, row in enumerate(rows):
        # By sums the longer answer always loses.
        short, long = row["rejected_ids"][:2], row["chosen_ids"] * 3
        row["chosen_ids"], row["rejected_ids"] = (long, short) if number % 2 else (short, long)
    recipe = lora("dpo", f"loss={loss}", f"fast={fast}")
    trainer = trainer_of(recipe, small, tmp_path, rows)
    gradients(trainer, list(trainer.train_dataset))
    rewards = {"chosen": [], "rejected": []}
    with torch.no_grad():
        for row in rows:
            for side, found in rewards.items():
                ids = torch.tensor([row["prompt_ids"] + row[f"{side}_ids"]])
                length = len(row[f"{side}_ids"])
                scores = trainer.model.eval()(input_ids=ids).logits[0, -length - 1 : -1].log_softmax(-1)
                scores = scores.gather(-1, ids[0, -length:, None])
                found.append(recipe.beta * float(scores.sum() if loss == "cpo" else scores.mean()))
    told = {name: trainer._metrics["train"][f"rewards/{name}"] for name in ("chosen", "rejected", "accuracies")}
    right = sum(good > bad for good, bad in zip(*rewards.values(), strict=True)) / len(rows)
    expected = {side: [pytest.approx(sum(found) / len(found), rel=1e-4)] for side, found in rewards.items()}
    assert told == {**expected, "accuracies": [right]}
    [margin] = trainer._metrics["train"]["rewards/margins"]
    assert margin == pytest.approx(told["chosen"][0] - told["rejected"][0], rel=1e-3)


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_ragged_batches_end_where_trls_do(small: Path, tmp_path: Path, method: str) -> None:
    """Two epochs of 7 rows, 2 in a pass and 4 in a step, so that passes and steps are cut short."""
    rows = texts_of(7) if method == "sft" else pairs_of(7)
    ends = []
    for fast in ("true", "false"):
        recipe = lora(method, f"fast={fast}", "batch_size=2")
        trainer = trainer_of(
            recipe, small, tmp_path, rows, max_steps=4, gradient_accumulation_steps=2, learning_rate=1e-3,
            logging_steps=1, save_strategy="no", train_sampling_strategy="random", seed=1,
        )  # fmt: skip
        trainer.eval_dataset = trainer.train_dataset.select(range(3))
        torch.manual_seed(1)
        trainer.train()
        told = [entry[name] for entry in trainer.state.log_history for name in ("loss", "grad_norm") if name in entry]
        measured = {name: value for name, value in trainer.evaluate().items() if "loss" in name or "rewards" in name}
        ends.append((told, measured, learnt_by(trainer)))
    (told, measured, learnt), (by_trl, measured_by_trl, learnt_by_trl) = ends
    assert len(told) == 8
    assert told == pytest.approx(by_trl, rel=1e-3)
    assert measured == pytest.approx(measured_by_trl, rel=1e-3, abs=1e-5)
    assert torch.allclose(learnt, learnt_by_trl, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("overrides", [["gradient_checkpointing=true"], ["tuning=full"]], ids=" ".join)
def test_texts_side_by_side_learn_as_padded_ones_do(small: Path, tmp_path: Path, overrides: list[str]) -> None:
    rows = texts_of(4)
    fast = trainer_of(lora("sft", *overrides), small, tmp_path, rows)
    plain = trainer_of(lora("sft", "fast=false", *overrides), small, tmp_path, rows)
    together = gradients(fast, rows)
    assert_same(together, gradients(plain, rows))
    # One by one, weighted by what is learnt of each.
    learnt = [sum(label != -100 for label in row["labels"]) for row in rows]
    singly = [gradients(fast, [row])[1] for row in rows]
    for name, grad in together[1].items():
        expected = sum(each[name] * count for each, count in zip(singly, learnt, strict=True)) / sum(learnt)
        assert torch.allclose(grad, expected, rtol=1e-3, atol=1e-5), name


@pytest.mark.parametrize("fast", ["true", "false"])
def test_the_held_out_loss_of_texts_does_not_hang_on_the_batches(small: Path, tmp_path: Path, fast: str) -> None:
    short, long = sorted(texts_of(2), key=lambda row: len(row["labels"]))
    short["labels"] = [-100] * (len(short["labels"]) - 1) + short["labels"][-1:]
    rows, learnt = [short, long], [1, sum(label != -100 for label in long["labels"])]
    for size in (1, 2):
        recipe = lora("sft", f"fast={fast}", f"batch_size={size}")
        torch.manual_seed(2)
        trainer = trainer_of(recipe, small, tmp_path, rows)
        singly = [gradients(trainer, [row])[0] for row in rows]
        expected = sum(loss * count for loss, count in zip(singly, learnt, strict=True)) / sum(learnt)
        assert singly[0] != pytest.approx(singly[1], rel=1e-3), "the batches differ"
        assert trainer.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-5)


def test_packed_rows_learn_as_single_ones_do(small: Path, tmp_path: Path) -> None:
    rows = texts_of(6)
    packed = trainer_of(lora("sft", "packing=true", "max_length=64"), small, tmp_path, rows, packed=True)
    assert len(packed.train_dataset) < len(rows)
    by_trl = trainer_of(lora("sft", "packing=true", "max_length=64", "fast=false"), small, tmp_path, rows, packed=True)
    found = gradients(packed, list(packed.train_dataset))
    assert_same(found, gradients(packed, rows))
    assert_same(found, gradients(by_trl, list(by_trl.train_dataset)))


def test_the_scores_are_those_of_the_whole_logits() -> None:
    from studio.training.fast import head

    torch.manual_seed(1)
    layer = torch.nn.Linear(16, 500, bias=False)
    targets = torch.randint(500, (40,))
    weights = torch.randn(40)
    found = []
    for way in (head.token_scores, lambda h, each, ids: each(h).log_softmax(-1).gather(1, ids[:, None])[:, 0]):
        for frozen in (True, False):
            layer.requires_grad_(not frozen)
            layer.zero_grad()
            hidden = torch.randn(40, 16, generator=torch.Generator().manual_seed(2)).requires_grad_()
            scores = way(hidden, layer, targets)
            (scores * weights).sum().backward()
            found.append((scores.detach(), hidden.grad, layer.weight.grad))
    for one in found[1:]:
        assert torch.allclose(one[0], found[0][0], **SAME)
        assert torch.allclose(one[1], found[0][1], rtol=1e-4, atol=1e-5)
    assert torch.allclose(found[1][2], found[3][2], rtol=1e-4, atol=1e-5)


def test_few_logits_at_once_are_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.training.fast import head

    layer = torch.nn.Linear(16, 500, bias=False).requires_grad_(False)
    hidden, targets = torch.randn(40, 16), torch.randint(500, (40,))
    whole = head.token_scores(hidden, layer, targets)
    monkeypatch.setitem(head.LOGITS_AT_ONCE, "cpu", 7 * 500)
    assert torch.allclose(head.token_scores(hidden, layer, targets), whole, **SAME)


def test_a_model_with_windows_is_trained_the_plain_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    from studio.training.fast.able import make_fast

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = MistralForCausalLM(MistralConfig(vocab_size=200, num_key_value_heads=1, sliding_window=8, **sizes))
    assert "window" in make_fast(model)
    assert model.config._attn_implementation == "sdpa"
    open_model = MistralForCausalLM(MistralConfig(vocab_size=200, num_key_value_heads=1, sliding_window=None, **sizes))
    assert make_fast(open_model) == ""


def test_a_model_that_ignores_the_borders_is_found_out() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    from studio.training.fast.able import make_fast

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=200, initializer_range=1.0, **sizes))
    attention = model.model.layers[0].self_attn
    passed_on = attention.forward

    def without_borders(*args: Any, pieces: Any = None, **given: Any) -> Any:
        return passed_on(*args, **{**given, "attention_mask": None})

    attention.forward = without_borders
    assert "see each other" in make_fast(model)


def test_an_answer_that_sees_the_other_is_found_out_in_bf16() -> None:
    """What it does to the scores is less than their rounding."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from studio.training.fast.able import make_fast

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=200, initializer_range=0.2, **sizes)).to(torch.bfloat16)
    attention = model.model.layers[0].self_attn
    passed_on = attention.forward

    def seeing_more(*args: Any, pieces: Any = None, **given: Any) -> Any:
        more = pieces and [(start, end, shared, start if fork else fork) for start, end, shared, fork in pieces]
        return passed_on(*args, pieces=more, **given)

    attention.forward = seeing_more
    assert "see each other" in make_fast(model)
    attention.forward = passed_on
    assert make_fast(model) == ""
