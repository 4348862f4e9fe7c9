"""The fast ways of training give the losses and gradients of TRL's own: fp32, random weights, relative to 1e-4."""

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.training.recipe import EXPERIMENTAL_LOSSES, Recipe, make_recipe, settings

torch = pytest.importorskip("torch")

LOSSES = next(each.choices for each in settings("dpo") if each.name == "loss")

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


def test_before_training_full_weights_are_their_own_reference_in_bf16(small: Path, tmp_path: Path) -> None:
    """Both are computed under autocast; in fp32 the reference would be another model."""
    recipe = lora("dpo", "tuning=full", "batch_size=1", "dtype=bf16")
    trainer = trainer_of(recipe, small, tmp_path, pairs_of(3), per_device_eval_batch_size=1)
    measured = trainer.evaluate()
    for side in ("chosen", "rejected"):
        assert abs(measured[f"eval_rewards/{side}"]) < 2e-6


def test_the_kept_reference_is_the_live_one(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL's own way with the adapter switched off, in the step."""
    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "cache"))
    rows = pairs_of(6)
    computed = trainer_of(lora("dpo"), small, tmp_path, rows[:4])
    read_back = trainer_of(lora("dpo"), small, tmp_path, rows[:4])
    more = trainer_of(lora("dpo"), small, tmp_path, rows)
    live = trainer_of(lora("dpo", "fast=false"), small, tmp_path, rows)
    live.precompute_ref_logps = False
    expected = [live.compute_ref_log_probs(live.model, live.data_collator([row])) for row in rows]
    for name, place in (("ref_chosen_logps", 0), ("ref_rejected_logps", 1)):
        assert read_back.train_dataset[name] == computed.train_dataset[name]
        assert list(more.train_dataset[name])[:4] == list(computed.train_dataset[name])
        assert list(more.train_dataset[name]) == pytest.approx([each[place].item() for each in expected], rel=1e-5)
    plain = gradients(live, [{name: row[name] for name in rows[0]} for row in rows])
    assert_same(gradients(more, list(more.train_dataset)), plain)


def test_what_is_worked_out_of_the_reference_is_not_lost_when_a_run_is_stopped(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasets import Dataset

    from studio.training.fast import reference
    from studio.training.rows import telling

    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(telling, "SECONDS", -1.0)
    monkeypatch.setattr(reference, "KEEP_SECONDS", -1.0)
    rows = Dataset.from_list(pairs_of(40))
    trainer = trainer_of(lora("dpo", "batch_size=8"), small, tmp_path, pairs_of(2))
    told: list[tuple[int, int]] = []

    def stop(done: int, of: int) -> None:
        told.append((done, of))
        if done >= 16:
            raise KeyboardInterrupt

    # The first two of these rows are known, since the trainer has it.
    with pytest.raises(KeyboardInterrupt):
        reference.with_scores(trainer, rows, stop)
    assert told == [(0, 38), (0, 38), (8, 38), (16, 38)]
    told.clear()
    again = reference.with_scores(trainer, rows, lambda done, of: told.append((done, of)))
    assert told == [(0, 22), (0, 22), (8, 22), (16, 22)]
    assert reference.with_scores(trainer, rows, only_known=True).column_names == again.column_names
    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "empty"))
    assert reference.with_scores(trainer, rows, only_known=True) is rows
    at_once = reference.with_scores(trainer, rows)
    for name in ("ref_chosen_logps", "ref_rejected_logps"):
        assert list(again[name]) == pytest.approx(list(at_once[name]), rel=1e-6)


@pytest.mark.parametrize("fast", ["true", "false"])
def test_a_few_steps_over_many_pairs_do_not_wait_for_the_others(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: str
) -> None:
    from studio.training.methods import pairs
    from studio.training.trainer.steps import beforehand

    rows, ends = pairs_of(9), []
    for is_beforehand in (True, False):
        monkeypatch.setattr(pairs, "beforehand", (lambda *_: True) if is_beforehand else beforehand)
        monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / f"cache {is_beforehand}"))
        recipe = lora("dpo", f"fast={fast}", "batch_size=2", "gradient_accumulation=1", "max_steps=2")
        trainer = trainer_of(
            recipe, small, tmp_path, rows, max_steps=2, learning_rate=1e-3, logging_steps=1, save_strategy="no", seed=1
        )
        assert ("ref_chosen_logps" in trainer.train_dataset.column_names) == is_beforehand
        torch.manual_seed(1)
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        ends.append((losses, trainer.evaluate()["eval_loss"], learnt_by(trainer)))
    (losses, measured, learnt), (live_losses, live_measured, live_learnt) = ends
    assert live_losses == pytest.approx(losses, rel=1e-5)
    assert live_measured == pytest.approx(measured, rel=1e-5)
    assert torch.allclose(live_learnt, learnt, rtol=1e-4, atol=1e-6)


def test_the_reference_of_a_child_is_its_parent(small: Path, tmp_path: Path) -> None:
    rows = pairs_of(4)
    parent = trainer_of(lora("dpo"), small, tmp_path, rows)
    parent.save_model(str(tmp_path / "parent"))
    child, plain = (
        trainer_of(lora("dpo", f"fast={fast}"), small, tmp_path, rows, parent=tmp_path / "parent")
        for fast in ("true", "false")
    )
    scores, by_trl, of_base = (list(each.train_dataset["ref_chosen_logps"]) for each in (child, plain, parent))
    assert scores == pytest.approx(by_trl, rel=1e-5)
    assert scores != pytest.approx(of_base, rel=1e-3)
    assert_same(gradients(child, list(child.train_dataset)), gradients(plain, list(plain.train_dataset)))


def test_what_is_kept_of_the_reference_is_for_one_model_and_one_adapter(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.training.fast import reference

    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "cache"))
    trainer = trainer_of(lora("dpo"), small, tmp_path, pairs_of(3))
    own = reference._known(trainer)
    assert own
    assert len(own.read()) == 3
    trainer.model.add_adapter("ref", trainer.model.peft_config["default"])
    with_parent = reference._known(trainer)
    trainer.model.get_parameter(next(n for n, _ in trainer.model.named_parameters() if ".ref." in n)).data += 1
    with_other_parent = reference._known(trainer)
    assert with_parent
    assert with_other_parent
    assert len({own.name, with_parent.name, with_other_parent.name}) == 3


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
