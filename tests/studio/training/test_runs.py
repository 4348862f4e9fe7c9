"""Runs as processes: they outlive who started them, stop with a checkpoint, and never die unnoticed."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from store import examples, records, runs, snapshots
from store.database import Store
from store.runs import ACTIVE, Run
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.launch import resume_run, start_run, stop_run
from studio.training.watch import describe_progress, log_tail, sync_run

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

QUICK = ["lora_rank=4", "device=cpu", "dtype=fp32", "batch_size=2"]
PATIENCE = 240
"""Seconds before a test gives a run up."""


def wait_for(project: Project, store: Store, run_id: str, reached: Callable[[Run], bool]) -> Run:
    deadline = time.monotonic() + PATIENCE
    while not reached(run := sync_run(project, store, run_id)):
        if time.monotonic() > deadline:
            pytest.fail(f"{run_id} is still {run.status}: {log_tail(project, run_id)}")
        time.sleep(0.2)
    return run


def has_step(store: Store) -> Callable[[Run], bool]:
    return lambda run: run.status not in ACTIVE or "loss" in runs.metrics(store, run.id)


def ended(run: Run) -> bool:
    return run.status not in ACTIVE


def test_dpo_stops_with_a_checkpoint_and_goes_on_from_it(judged: Project, store: Store, tiny_model: Path) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*QUICK, "epochs=2"])
    with pytest.raises(StudioError, match=f"{run_id} is going on"):
        start_run(judged, store, "dpo", model=str(tiny_model))
    wait_for(judged, store, run_id, has_step(store))
    stop_run(judged, store, run_id)
    stopped = wait_for(judged, store, run_id, ended)
    checkpoint = RunFolder(judged.runs / run_id).latest_checkpoint()
    assert (stopped.status, checkpoint is not None) == ("stopped", True)
    reached = max(m.step for m in runs.metrics(store, run_id)["loss"])

    resume_run(judged, store, run_id)
    done = wait_for(judged, store, run_id, ended)
    assert done.status == "done", log_tail(judged, run_id)
    steps = [m.step for m in runs.metrics(store, run_id)["loss"]]
    assert steps == sorted(set(steps)), "no step is counted twice"
    assert steps[-1] == done.result["steps"] > reached
    assert 0 <= done.result["held_out_accuracy"] <= 1
    assert done.result["held_out_rows"] == sum(
        item.split == "validation" for item in snapshots.get(store, done.snapshot_id).items
    )
    assert "no GGUF" in done.result["parity"]


def test_a_killed_trainer_is_found_out_and_can_be_started_again(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*QUICK, "epochs=1"])
    running = wait_for(judged, store, run_id, has_step(store))
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    failed = wait_for(judged, store, run_id, ended)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "ended without a word" in failed.error
    resume_run(judged, store, run_id)
    assert wait_for(judged, store, run_id, ended).status == "done"


def test_sft_trains_on_examples_with_an_answer(project: Project, store: Store, tiny_model: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(24)
    ]
    path = project.folder / "rows.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    import_file(project, store, path)
    run_id = start_run(project, store, "sft", model=str(tiny_model), overrides=[*QUICK, "epochs=1"])
    done = wait_for(project, store, run_id, ended)
    assert done.status == "done", log_tail(project, run_id)
    assert done.result["held_out_loss"] > 0
    assert (RunFolder(project.runs / run_id).adapter / "adapter_model.safetensors").is_file()
    child = start_run(project, store, "sft", parent=run_id, overrides=[*QUICK, "epochs=1"])
    grown = wait_for(project, store, child, ended)
    assert (grown.status, grown.parent_id) == ("done", run_id)


def test_a_failure_keeps_its_cause(judged: Project, store: Store, tiny_model: Path) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=["max_length=8"])
    failed = wait_for(judged, store, run_id, ended)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "max_length=8" in failed.error
    assert describe_progress(judged, store, failed) == failed.error


def test_too_little_data_is_said_before_anything_starts(project: Project, store: Store, tiny_model: Path) -> None:
    with pytest.raises(StudioError, match="There are 0 judged pairs to train on"):
        start_run(project, store, "dpo", model=str(tiny_model))
    assert runs.all_runs(store) == []


def test_a_run_can_be_walked_back_to_its_records(judged: Project, store: Store, tiny_model: Path) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*QUICK, "epochs=1"])
    stop_run(judged, store, run_id)
    run = wait_for(judged, store, run_id, ended)
    snapshot = snapshots.get(store, run.snapshot_id)
    trained = [orjson.loads(line) for line in (judged.runs / run_id / "data" / "train.jsonl").read_bytes().splitlines()]
    kept = [item for item in snapshot.items if item.split == "train"]
    assert [row["example"] for row in trained] == [item.example_id for item in kept]
    example = examples.get(store, kept[0].example_id)
    assert example.record_id is not None
    record = records.get(store, example.record_id)
    assert record.source == "pairs.jsonl"
    assert record.fields is not None
    assert record.fields["prompt"] == trained[0]["prompt"]
    assert trained[0]["prompt"][0]["content"] == f"Where is order {record.line - 1}?"


def test_rows_that_can_not_be_rendered_are_left_out_and_named(project: Project, store: Store, tiny_model: Path) -> None:
    call = {"type": "function", "function": {"name": "find", "arguments": {"order": 7}}}
    rows = [
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(24)
    ]
    rows.append(
        {
            "messages": [
                {"role": "user", "content": "Find 7"},
                {"role": "assistant", "content": "", "tool_calls": [call]},
            ]
        }
    )
    path = project.folder / "rows.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    import_file(project, store, path)
    split = examples.get(store, 25).split
    run_id = start_run(project, store, "sft", model=str(tiny_model), overrides=[*QUICK, "epochs=1"])
    done = wait_for(project, store, run_id, ended)
    assert done.status == "done", log_tail(project, run_id)
    if split == "test":
        pytest.fail("the odd row must be in a split that is used: choose another text")
    assert done.result["rows_not_rendered"] == 1
    log = RunFolder(project.runs / run_id).log.read_text(encoding="utf-8")
    assert f"left out of {split}: example 25: The model's chat template has no place for tool calls" in log
