"""What goes wrong while a run trains, and what is done about it."""

import errno
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from store import runs
from store.database import Store
from studio.errors import StudioError
from studio.process import only_one
from studio.project import Project
from studio.rendering import ChatTokenizer
from studio.training.course import checkpoints, course
from studio.training.course.report import Reporter, StopRequested
from studio.training.elsewhere.accelerate import share_of
from studio.training.faults import disk, memory
from studio.training.faults.causes import explain
from studio.training.folder import RunFolder, Status, read_status, write_json
from studio.training.history.watch import sync_run
from studio.training.plan.room import Room
from studio.training.recipe_file import read_recipe
from tests.studio.training.going import go, raising_at, write_run

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

QUESTION = r"Where is order \d+\?"
CPU_OOM = (
    "[enforce fail at alloc_cpu.cpp:124] data. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"
)


@pytest.mark.parametrize(
    ("error", "is_memory", "is_disk"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True, False),
        (RuntimeError(CPU_OOM), True, False),
        (MemoryError(), True, False),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True, False),
        (OSError(errno.ENOSPC, "No space left on device"), False, True),
        (OSError(errno.EFBIG, "File too large"), False, True),
        (RuntimeError("[enforce fail at inline_container.cc:644] . unexpected pos 64 vs 0"), False, True),
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), False, True),
        (RuntimeError("The size of tensor a must match"), False, False),
        (StudioError("A row talks of being out of memory."), False, False),
    ],
)
def test_faults_are_told_apart(error: BaseException, is_memory: bool, is_disk: bool) -> None:
    assert (memory.is_out_of_memory(error), disk.is_full(error)) == (is_memory, is_disk)
    assert ("not enough memory" in explain(error)) == is_memory
    assert ("disk is full" in explain(error)) == is_disk


def test_memory_that_runs_out_leads_to_smaller_passes_of_the_same_effective_batch(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    folder = write_run(judged, store, "dpo", tiny_model, "batch_size=6", "gradient_accumulation=2")
    asked = read_recipe(folder.recipe)
    seen = []
    while memory.retreat(folder, "after step 3"):
        now, said = memory.adjusted(folder, asked)
        seen.append((now.batch_size, now.gradient_accumulation, now.gradient_checkpointing))
    assert seen == [(3, 4, False), (1, 12, False), (1, 12, True)]
    assert len(said) == 3
    assert said[0] == (
        "Memory ran out after step 3; the run goes on with batch_size=3 with gradient_accumulation=4,"
        " which is the same effective batch."
    )
    assert read_recipe(folder.recipe) == asked, "what was asked for stays to be read"


def test_kto_always_has_two_answers_to_compare(judged: Project, store: Store, tiny_model: Path) -> None:
    folder = write_run(judged, store, "kto", tiny_model, "batch_size=4", "gradient_accumulation=1")
    asked = read_recipe(folder.recipe)
    seen = []
    while memory.retreat(folder, "after step 3"):
        now, _ = memory.adjusted(folder, asked)
        seen.append((now.batch_size, now.gradient_accumulation, now.gradient_checkpointing))
    assert seen == [(2, 2, False), (2, 2, True)]


def test_each_of_several_processes_computes_on_less(
    judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(judged, store, "dpo", tiny_model, "batch_size=8", "gradient_accumulation=2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    asked = read_recipe(folder.recipe)

    def share() -> tuple[int, int, bool]:
        found = share_of(memory.adjusted(folder, asked)[0], 4)
        return found.batch_size, found.gradient_accumulation, found.gradient_checkpointing

    assert share() == (4, 1, False)
    before = share_of(asked, 4)
    first = memory.retreat(folder, "after step 3", before)
    assert share() == (2, 2, False)
    assert memory.retreat(folder, "after step 3", before) == first, "another process that ran out at the same time"
    assert share() == (2, 2, False)
    while memory.retreat(folder, "after step 4"):
        pass
    assert share() == (1, 4, True)


def test_a_run_goes_on_with_less_memory_from_its_last_checkpoint(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    asked = ("batch_size=4", "gradient_accumulation=1", "epochs=2", "evaluations=2", "keep_best=false")
    folder = write_run(judged, store, "dpo", tiny_model, *asked)
    with pytest.raises(memory.RanOutError) as ran_out:
        go(folder, touched=raising_at(6, RuntimeError(CPU_OOM)))
    assert ran_out.value.when == "after step 5"
    memory.retreat(folder, ran_out.value.when)
    found: list[tuple[int, int]] = []

    def look(trainer: Any) -> None:
        found.append((trainer.args.per_device_train_batch_size, trainer.args.gradient_accumulation_steps))

    result = go(folder, touched=look).status.result
    assert found == [(2, 2)]
    assert result is not None
    assert (result["resumed_from"], result["steps"]) == (4, 8)
    assert "batch_size=2" in result["changed_for_memory"]


STARVED = """
import sys
from studio.training.course import course
from studio.training import worker
made = course.make_trainer
def make(*arguments, **named):
    trainer = made(*arguments, **named)
    step, calls = trainer.training_step, []
    def starved(*arguments, **named):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")
        return step(*arguments, **named)
    trainer.training_step = starved
    return trainer
course.make_trainer = make
worker.main()
"""


def test_the_trainer_begins_again_as_the_same_process(judged: Project, store: Store, tiny_model: Path) -> None:
    asked = ("batch_size=4", "gradient_accumulation=1", "epochs=1", "evaluations=2")
    folder = write_run(judged, store, "dpo", tiny_model, *asked)
    command = [sys.executable, "-c", STARVED, str(folder.path)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said, _ = process.communicate(timeout=240)
    status = read_status(folder)
    assert status is not None
    assert (process.returncode, status.status, status.pid) == (0, "done", process.pid), said.decode()
    assert status.result is not None
    assert (status.result["resumed_from"], status.result["steps"]) == (2, 4)
    assert "Memory ran out after step 2; the run goes on with batch_size=2" in status.result["changed_for_memory"]
    assert status.result["changed_for_memory"] in said.decode()


def test_memory_that_can_not_be_saved_is_an_error_as_any_other(judged: Project, store: Store, tiny_model: Path) -> None:
    folder = write_run(judged, store, "dpo", tiny_model)
    with pytest.raises(RuntimeError, match="tensor a"):
        go(folder, touched=raising_at(1, RuntimeError("tensor a")))


def ruined_at(number: int, spoil: Callable[[Any], Any], seen: list[Any] | None = None) -> Callable[[Any], None]:
    """Return what spoils the loss of the so-manieth forward pass of a trainer, and notes what was passed."""

    def touch(trainer: Any) -> None:
        given, calls = trainer.compute_loss, [0]

        def compute(model: Any, inputs: Any, *arguments: Any, **named: Any) -> Any:
            loss = given(model, inputs, *arguments, **named)
            # Measurements of the held-out rows compute losses too.
            calls[0] += model.training
            if calls[0] != number or not model.training:
                return loss
            if seen is not None:
                seen.extend(inputs["input_ids"].flatten().tolist())
            return spoil(loss)

        trainer.compute_loss = compute

    return touch


def test_a_loss_that_is_no_number_names_its_examples_and_keeps_the_last_checkpoint(
    judged: Project, store: Store, tiny_model: Path, tokenizer: ChatTokenizer
) -> None:
    asked = ("batch_size=1", "gradient_accumulation=2", "epochs=2", "evaluations=4")
    folder = write_run(judged, store, "dpo", tiny_model, *asked)
    seen: list[int] = []
    with pytest.raises(StudioError, match="The loss became nan at step 12, in example") as ruined:
        go(folder, touched=ruined_at(23, lambda loss: loss * float("nan"), seen))
    named = int(str(ruined.value).partition("in example ")[2].partition(".")[0])
    rows = [json.loads(line) for line in (folder.data / "train.jsonl").read_text().splitlines()]
    asked_for = next(row["prompt"][0]["content"] for row in rows if row["example"] == named)
    assert asked_for in tokenizer.tokenizer.decode(seen), "the pass in the middle of the step, and no other"
    last = checkpoints.latest(folder.checkpoints)
    assert last is not None
    assert checkpoints.step_of(last) == 8


@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("sft", ["answers=chosen", "batch_size=2"]),
        ("sft", ["answers=chosen", "packing=true"]),
        ("sft", ["answers=chosen", "batch_size=2", "fast=false"]),
        ("kto", ["batch_size=2"]),
        ("reward", ["batch_size=2"]),
    ],
)
def test_with_every_method_the_examples_of_the_pass_are_named(
    judged: Project, store: Store, tiny_model: Path, tokenizer: ChatTokenizer, method: str, overrides: list[str]
) -> None:
    folder = write_run(judged, store, method, tiny_model, "gradient_accumulation=2", "epochs=1", *overrides)
    seen: list[int] = []
    with pytest.raises(StudioError, match="The loss became nan at step 1, in ") as ruined:
        go(folder, touched=ruined_at(2, lambda loss: loss * float("nan"), seen))
    said = str(ruined.value).partition("in ")[2].partition(".")[0]
    lines = (folder.data / "train.jsonl").read_text().splitlines()
    asked = {question: json.loads(line)["example"] for line in lines for question in re.findall(QUESTION, line)}
    passed = {asked[question] for question in re.findall(QUESTION, tokenizer.tokenizer.decode(seen))}
    assert set(map(int, re.findall(r"\d+", said))) == passed != set(), "those of the second pass, and no other"


def test_a_gradient_that_is_no_number_names_all_examples_of_its_step(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    def steep(loss: torch.Tensor) -> torch.Tensor:
        # A root has no finite slope at nothing.
        return loss + torch.sqrt(loss - loss.detach())

    folder = write_run(judged, store, "dpo", tiny_model, "batch_size=2", "gradient_accumulation=2")
    with pytest.raises(StudioError, match=r"The gradient became (nan|inf) at step 1, in the examples") as ruined:
        go(folder, touched=ruined_at(1, steep))
    named = str(ruined.value).partition("in the examples ")[2].partition(".")[0].split(", ")
    assert len(set(named)) == 4


def test_held_out_rows_that_give_no_number_are_told_from_a_step_that_ruins_the_model(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    def ruined(trainer: Any) -> None:
        given = trainer.compute_loss
        trainer.compute_loss = lambda *args, **named: given(*args, **named) * float("nan")

    with pytest.raises(StudioError, match=r"The held-out loss is nan before anything was learnt\. Try dtype=fp32"):
        go(write_run(judged, store, "dpo", tiny_model), touched=ruined)


LIMITED = """
import resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv.pop(1))
if limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("studio.training.worker", run_name="__main__")
"""


def worker(folder: RunFolder, limit: int) -> int:
    """Run the trainer where no file may grow beyond so many bytes, which fails as a full disk does."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", LIMITED, str(limit), str(folder.path)]
    return subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240).returncode


def test_a_disk_that_is_full_stops_the_run_which_goes_on_once_it_is_not(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    asked = ("lora_rank=64", "batch_size=4", "gradient_accumulation=1", "epochs=1", "evaluations=2")
    folder = write_run(judged, store, "dpo", tiny_model, *asked)
    (folder.path / ".reserve").touch()
    assert worker(folder, 100_000) == 1
    full = read_status(folder)
    assert full is not None
    assert (full.status, full.step) == ("stopped", 2)
    assert full.error is not None
    assert "The disk is full" in full.error
    assert list(folder.checkpoints.glob("checkpoint-*")) == [], "the half of one would take room"
    assert not folder.reserve.exists()
    assert worker(folder, 0) == 0
    done = read_status(folder)
    assert done is not None
    assert (done.status, done.error) == ("done", None)
    assert done.result is not None
    left = [path.name for path in folder.checkpoints.glob("checkpoint-*")]
    assert left == [f"checkpoint-{done.result['kept_step'] or 4}"], "of a run that is done one is enough"


def test_a_disk_that_is_too_small_is_told_before_anything_is_loaded(
    judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(judged, store, "dpo", tiny_model, "max_steps=1")
    usage = shutil.disk_usage(folder.path)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage._replace(free=10**9))
    disk.refuse_too_small(folder, Room(checkpoint=216_000_000, checkpoints=4, learnt=108_000_000))
    too_much = Room(checkpoint=223_200_000, checkpoints=4, learnt=111_600_000)
    with pytest.raises(
        StudioError, match=r"may need 1\.0 GB of disk, for 4 checkpoints of 0\.2 GB .* 1\.0 GB are free"
    ):
        disk.refuse_too_small(folder, too_much)
    # What lies there already is not needed again.
    kept = folder.checkpoints / "checkpoint-1" / "optimizer.pt"
    kept.parent.mkdir()
    kept.write_bytes(b"x" * 50_000_000)
    disk.refuse_too_small(folder, too_much)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage._replace(free=0))
    kept.unlink()
    monkeypatch.setattr(course, "load_model", lambda *_: pytest.fail("the model was loaded"))
    with pytest.raises(StudioError, match="GB are free"):
        go(folder)


def test_a_terminal_that_goes_away_stops_the_run_that_was_started_in_it(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder
reporter = Reporter(RunFolder(Path(sys.argv[1])))
reporter.at_step(1, 9)
reporter.listen_for_stop()
print("at work", flush=True)
while not reporter.stop_requested:
    time.sleep(0.05)
print("stopping", flush=True)
"""
    ours, its = pty.openpty()
    # The tests themselves may have been started with nohup, which is handed down.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    worker = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=its, stderr=its)
    signal.signal(signal.SIGHUP, before)
    os.close(its)
    said = b""
    while b"at work" not in said:
        said += os.read(ours, 1000)
    os.close(ours)
    worker.send_signal(signal.SIGHUP)
    assert worker.wait(60) == 0, "what it prints goes nowhere, which is no error"
    assert "stopping" in RunFolder(tmp_path).log.read_text()


def test_of_two_trainers_of_one_run_the_second_goes_away(judged: Project, store: Store, tiny_model: Path) -> None:
    folder = write_run(judged, store, "dpo", tiny_model)
    with only_one(folder.lock):
        assert worker(folder, 0) == 1
    assert read_status(folder) is None, "the first has the word"


def test_more_than_one_stop_before_training_is_one(judged: Project, store: Store, tiny_model: Path) -> None:
    folder = write_run(judged, store, "dpo", tiny_model)
    reporter = Reporter(folder)
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        reporter.listen_for_stop()
        with pytest.raises(StopRequested):
            signal.raise_signal(signal.SIGTERM)
        # While the first is being heeded.
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(StopRequested):
            reporter.doing("loading")
        reporter.ended("stopped")
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    ended = read_status(folder)
    assert ended is not None
    assert ended.status == "stopped"


def test_a_trainer_that_the_system_ended_for_memory_is_told_and_resumed_with_less(
    judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(judged, store, "dpo", tiny_model, "batch_size=4", "gradient_accumulation=1")
    run_id = folder.path.name
    dead = subprocess.Popen(["sleep", "100"])
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    runs.update(store, run_id, status="running", pid=dead.pid, pid_started=1.0)
    status = Status("running", dead.pid, 1.0, step=7, memory_kills=3, result={"dtype": "fp32"})
    write_json(folder.status, status)
    monkeypatch.setattr(memory, "kills", lambda: 4)
    run = sync_run(judged, store, run_id)
    assert run.error is not None
    assert "killed after step 7, by the system for want of memory" in run.error
    assert memory.learn_from_death(folder, run.result) == {"dtype": "fp32"}, "once for each death"
    assert memory.adjusted(folder, read_recipe(folder.recipe))[0].batch_size == 2
    # Where nothing was ended for memory since it started, nothing is said or changed of it.
    runs.update(store, run_id, status="running")
    write_json(folder.status, replace(status, memory_kills=4))
    runs.update(store, run_id, status="running", result={})
    run = sync_run(judged, store, run_id)
    assert "ended without a word after step 7" in (run.error or "")
    assert memory.KILLED not in run.result
