"""A run that is broken off anywhere and resumed ends as if it had not been."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
import torch
from safetensors.torch import load_file

from store.database import Store
from studio.checks.settings import Check
from studio.importing import import_file
from studio.project import Project
from studio.training.course import best, checkpoints, keeping
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder, read_status
from tests.studio.training.going import (
    Broken,
    broken_off,
    copy_of,
    curve,
    go,
    largest_difference,
    raising_at,
    weights,
    write_run,
)

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]


@pytest.fixture
def talks(project: Project, store: Store) -> Project:
    """A project with examples of many lengths."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Count to {number}."},
                {"role": "assistant", "content": " ".join(map(str, range(1, number + 2)))},
            ]
        }
        for number in range(24)
    ]
    path = project.folder / "talks.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    import_file(project, store, path)
    return project


def forgetting_from(number: int) -> Callable[[Any], None]:
    """Return what makes a trainer lose what it has learnt at the so-manieth step, and at each one after it."""

    def touch(trainer: Any) -> None:
        given, calls = trainer.training_step, count(1)

        def call(model: torch.nn.Module, *arguments: Any, **named: Any) -> Any:
            if next(calls) >= number:
                for name, parameter in model.named_parameters():
                    if "lora_B" in name:
                        torch.nn.init.normal_(parameter)
            return given(model, *arguments, **named)

        trainer.training_step = call

    return touch


def test_of_a_long_run_little_is_lost_between_two_measurements(
    judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("batch_size=2", "gradient_accumulation=2", "max_steps=4", "evaluations=0", "keep_best=false")
    whole = write_run(judged, store, "dpo", tiny_model, *asked)
    broken = copy_of(whole, "broken")
    broken_off(broken, 6)
    assert checkpoints.latest(broken.checkpoints) is None, "nothing is saved before the end"
    monkeypatch.setattr(keeping, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(keeping, "SAVES_TAKE", 0)
    broken_off(broken, 6)
    last = checkpoints.latest(broken.checkpoints)
    assert last is not None
    assert last.name == "checkpoint-2"
    go(broken)
    go(whole)
    assert largest_difference(whole, broken) == 0.0


def test_broken_off_twice_it_ends_with_the_same_weights(judged: Project, store: Store, tiny_model: Path) -> None:
    asked = (
        "batch_size=2",
        "gradient_accumulation=2",
        "epochs=2",
        "evaluations=4",
        "lora_dropout=0.1",
        "keep_best=false",
    )
    whole = write_run(judged, store, "dpo", tiny_model, *asked)
    broken = copy_of(whole, "broken")
    result = go(whole).status.result
    # In the middle of an accumulation, and while a checkpoint is written: its state is missing then.
    broken_off(broken, 6)
    broken_off(broken, 2, "_save_rng_state")
    assert not (broken.checkpoints / "checkpoint-6" / "rng_state.pth").exists()
    last = checkpoints.latest(broken.checkpoints)
    assert last is not None
    assert last.name == "checkpoint-4"
    sealed = checkpoints.read_seal(last)
    assert sealed is not None
    resumed = go(broken).status.result
    assert largest_difference(whole, broken) == 0.0
    for name in ("loss", "eval_loss", "learning_rate", "num_tokens"):
        assert curve(whole, name) == curve(broken, name), name
    assert result is not None
    assert resumed is not None
    assert resumed["resumed_from"] == 4
    assert resumed["held_out_loss"] == result["held_out_loss"]
    assert resumed["seconds"] > sealed.seconds > 0, "the seconds of the first part count"


@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("sft", ["packing=true", "max_length=64"]),
        ("sft", ["tuning=full"]),
        ("dpo", ["loss=simpo", "lora_dropout=0.1"]),
        ("kto", ["lora_dropout=0.1"]),
        ("reward", []),
        ("grpo", ["generations=2", "completion_length=4", "checks=short"]),
    ],
    ids=["packed", "full", "simpo", "kto", "reward", "grpo"],
)
def test_each_method_goes_on_as_if_it_had_not_been_broken_off(
    judged: Project, store: Store, talks: Project, tiny_model: Path, method: str, overrides: list[str]
) -> None:
    project = replace(judged, settings=replace(judged.settings, checks=(Check("short", "max_words", "3"),)))
    asked = ["batch_size=2", "gradient_accumulation=2", "max_steps=4", "evaluations=4", "keep_best=false", *overrides]
    whole = write_run(project, store, method, tiny_model, *asked)
    broken = copy_of(whole, "broken")
    go(whole)
    broken_off(broken, 6)
    assert checkpoints.latest(broken.checkpoints) == broken.checkpoints / "checkpoint-2"
    go(broken)
    for name in ("loss", "eval_loss", "grad_norm"):
        assert curve(whole, name) == curve(broken, name), name
    assert any(curve(whole, "grad_norm").values())
    assert learnt(whole).keys() == learnt(broken).keys()
    assert all(torch.equal(tensor, learnt(broken)[name]) for name, tensor in learnt(whole).items())


def learnt(folder: RunFolder) -> dict[str, torch.Tensor]:
    """Return the weights that a run has kept, of an adapter or of a whole model."""
    [path] = [*folder.adapter.glob("*.safetensors"), *folder.model.glob("*.safetensors")]
    return load_file(path)


def test_a_run_of_less_than_an_epoch_makes_no_step_too_many(talks: Project, store: Store, tiny_model: Path) -> None:
    folder = write_run(
        talks, store, "sft", tiny_model, "batch_size=1", "gradient_accumulation=2", "epochs=0.5", "evaluations=1"
    )
    go(folder)
    before, steps = weights(folder), curve(folder, "loss")
    (folder.adapter / "adapter_model.safetensors").unlink()
    for seal in folder.checkpoints.glob(f"*/{checkpoints.SEAL}"):
        seal.unlink()  # as a version left it that knew none
    assert go(folder).status.result["steps"] == max(steps)  # type: ignore[index]
    assert curve(folder, "loss") == steps
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(folder).items())


def test_an_order_by_length_is_the_same_after_a_break(talks: Project, store: Store, tiny_model: Path) -> None:
    def by_length(trainer: object) -> None:
        trainer.args.train_sampling_strategy = "group_by_length"  # type: ignore[attr-defined]

    folder = write_run(
        talks, store, "sft", tiny_model, "batch_size=2", "gradient_accumulation=1", "epochs=2", "evaluations=7"
    )
    broken = copy_of(folder, "broken")
    go(folder, touched=by_length)
    with pytest.raises(Broken):
        go(broken, touched=lambda trainer: (by_length(trainer), raising_at(10, Broken())(trainer))[0])
    go(broken, touched=by_length)
    assert curve(folder, "loss") == curve(broken, "loss")
    assert largest_difference(folder, broken) == 0.0


def test_early_stopping_keeps_the_best_weights_and_ends_the_run_for_good(
    talks: Project, store: Store, tiny_model: Path
) -> None:
    asked = (
        "batch_size=2",
        "gradient_accumulation=1",
        "epochs=4",
        "evaluations=14",
        "early_stopping=1",
        "keep_checkpoints=1",
    )
    folder = write_run(talks, store, "sft", tiny_model, *asked, "learning_rate=0.002", "scheduler=constant", "warmup=0")
    result = go(folder, touched=forgetting_from(10)).status.result
    assert result is not None
    history = json.loads(
        (checkpoints.latest(folder.checkpoints) or folder.path).joinpath("trainer_state.json").read_text()
    )
    found = best.best(history["log_history"])
    assert found is not None
    assert result["kept_step"] == found["step"] < result["steps"] < history["max_steps"]
    assert result["held_out_loss"] == found["eval_loss"] == min(curve(folder, "eval_loss").values())
    kept = sorted(map(checkpoints.step_of, folder.checkpoints.glob("checkpoint-*")))
    assert kept == [found["step"], result["steps"]]
    # What is saved is what the checkpoint of the best measurement holds.
    of_best = load_file(folder.checkpoints / f"checkpoint-{found['step']}" / "adapter_model.safetensors")
    assert all(torch.equal(of_best[name], tensor) for name, tensor in weights(folder).items())
    assert go(folder).status.result["steps"] == result["steps"]  # type: ignore[index]
    # Where that checkpoint is gone, what is said is what is kept.
    shutil.rmtree(folder.checkpoints / f"checkpoint-{found['step']}")
    without = go(folder).status.result
    assert without is not None
    assert (without["kept_step"], without["held_out_loss"]) == (
        result["steps"],
        curve(folder, "eval_loss")[result["steps"]],
    )


def stopped_at(number: int) -> Callable[[Any], None]:
    """Return what asks the second of two processes, and no other, to stop in its so-manieth pass."""

    def touch(trainer: Any) -> None:
        given, calls = trainer.training_step, count(1)

        def call(*arguments: Any, **named: Any) -> Any:
            if next(calls) == number and os.environ["RANK"] == "1":
                os.kill(os.getpid(), signal.SIGTERM)
            return given(*arguments, **named)

        trainer.training_step = call

    return touch


def as_one_of_two(whole: RunFolder, broken: RunFolder) -> None:
    """Go through a run, through another until it is stopped, and through its rest."""
    for folder, touched in ((whole, stopped_at(0)), (broken, stopped_at(2)), (broken, stopped_at(0))):
        reporter = Reporter(folder, is_main=os.environ["RANK"] == "0")
        reporter.listen_for_stop()
        go(folder, touched=touched, reporter=reporter)


def test_a_stop_of_one_of_two_processes_reaches_both_and_they_go_on_together(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    asked = ("batch_size=4", "gradient_accumulation=1", "max_steps=4", "evaluations=2", "keep_best=true")
    whole = write_run(judged, store, "dpo", tiny_model, *asked)
    broken = copy_of(whole, "broken")
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [sys.executable, "-m", *launcher, __file__, str(whole.path), str(broken.path)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    status = read_status(broken)
    assert status is not None
    assert status.result is not None
    assert status.result["resumed_from"] == 2
    assert status.result["steps"] == status.total_steps > 2
    assert curve(whole, "loss") == curve(broken, "loss")
    assert largest_difference(whole, broken) == 0.0


if __name__ == "__main__":
    as_one_of_two(*(RunFolder(Path(name)) for name in sys.argv[1:]))
