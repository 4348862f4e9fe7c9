"""What the model before thinks of pairs: kept, it is what it is live, and of whom it is kept is not mixed up."""

from pathlib import Path

import pytest

from tests.studio.training.fast.small_trainers import assert_same, gradients, learnt_by, lora, pairs_of, trainer_of

torch = pytest.importorskip("torch")


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
