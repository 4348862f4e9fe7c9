"""Runs as processes: they outlive who started them, stop with a checkpoint, and never die unnoticed."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from store import examples, records, runs, snapshots
from store.database import Store
from store.runs import ACTIVE, Metric, Run
from studio import chat_templates
from studio.errors import StudioError
from studio.importing import import_file
from studio.models import TOKENIZER_FILES, BaseModel
from studio.process import launching, started_at
from studio.project import Project
from studio.snapshots import build
from studio.training.base.prepare import _prepare
from studio.training.course import checkpoints
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder
from studio.training.history import watch
from studio.training.history.watch import describe_progress, describe_run, log_tail, sync_all, sync_run
from studio.training.launch import resume_run, start_run, stop_run
from studio.training.waiting import keeper, queue
from studio.training.watching import samples
from studio.training.watching.samples import Sample

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
    assert "not checked" in done.result["parity"]


def test_a_trainer_has_its_own_session_and_a_line_that_breaks_costs_a_step(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    # The tests themselves may have been started with nohup, which is handed down.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*QUICK, "epochs=400"])
    signal.signal(signal.SIGHUP, before)
    running = wait_for(judged, store, run_id, has_step(store))
    assert running.pid is not None
    assert os.getsid(running.pid) == running.pid != os.getsid(0)
    os.kill(running.pid, signal.SIGHUP)
    stopped = wait_for(judged, store, run_id, ended)
    assert stopped.status == "stopped", log_tail(judged, run_id)
    assert RunFolder(judged.runs / run_id).latest_checkpoint() is not None


def test_a_killed_trainer_is_found_out_and_can_be_started_again(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*QUICK, "epochs=1"])
    running = wait_for(judged, store, run_id, has_step(store))
    assert running.pid is not None
    assert os.getsid(running.pid) == running.pid, "no terminal that closes takes it along"
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
    own = chat_templates.own_template(tiny_model)
    assert own is not None
    changed = chat_templates.set_override(project, own.replace("SmolLM", "Nobody"))
    run_id = start_run(changed, store, "sft", model=str(tiny_model), overrides=[*QUICK, "epochs=1"])
    done = wait_for(project, store, run_id, ended)
    assert done.status == "done", log_tail(project, run_id)
    assert done.result["held_out_loss"] > 0
    assert "named Nobody" in RunFolder(project.runs / run_id).chat_template.read_text()
    assert "template   chat_template.jinja of the project" in describe_run(project, store, done)
    assert (RunFolder(project.runs / run_id).adapter / "adapter_model.safetensors").is_file()
    child = start_run(project, store, "sft", parent=run_id, overrides=[*QUICK, "epochs=1"])
    grown = wait_for(project, store, child, ended)
    assert (grown.status, grown.parent_id) == ("done", run_id)
    assert "named Nobody" in RunFolder(project.runs / child).chat_template.read_text(), "what it learnt was so"


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


def test_a_stop_before_the_trainer_listens_is_a_stop(judged: Project, store: Store, tiny_model: Path) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*QUICK, "epochs=1"])
    stop_run(judged, store, run_id)
    stopped = wait_for(judged, store, run_id, ended)
    assert (stopped.status, stopped.error) == ("stopped", None)


def test_a_ruined_model_is_a_failure_and_a_model_may_be_named_from_here(
    judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model.parent)
    steep = [*QUICK, "epochs=2", "learning_rate=1e30", "max_grad_norm=1e30"]
    run_id = start_run(judged, store, "dpo", model=tiny_model.name, overrides=steep)
    failed = wait_for(judged, store, run_id, ended)
    assert failed.status == "failed"
    assert "became nan at step" in (failed.error or "")


@pytest.fixture
def unstarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs whose trainer is said to be this very process, since none is started, and a queue that nobody keeps."""

    def spawn(store: Store, run_id: str, _folder: RunFolder) -> None:
        runs.update(store, run_id, status="starting", pid=os.getpid(), pid_started=started_at(os.getpid()))

    monkeypatch.setattr(queue, "spawn_trainer", spawn)
    monkeypatch.setattr(keeper, "wake", lambda _: None)


def add_run(judged: Project, store: Store) -> str:
    """Note a run as a start does that is killed before its trainer lives."""
    built = build(store, "preference")
    snapshots.save(store, built.snapshot)
    return runs.add(store, method="dpo", base_model="x", base_hash=None, snapshot_id=built.snapshot.id, recipe={})


def test_a_start_that_broke_off_blocks_nothing(judged: Project, store: Store) -> None:
    run_id = add_run(judged, store)
    with launching(judged.runs):
        assert sync_run(judged, store, run_id).status == "starting"
    found = sync_run(judged, store, run_id)
    assert (found.status, found.error) == ("failed", "the start was broken off before training")
    with pytest.raises(StudioError, match="gone or not complete"):
        resume_run(judged, store, run_id)


@pytest.mark.usefixtures("unstarted")
def test_of_two_starts_at_once_one_trains_and_one_waits(judged: Project, store: Store, tiny_model: Path) -> None:
    def start(_: int) -> str:
        with judged.open_store() as own:
            return start_run(judged, own, "dpo", model=str(tiny_model))

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(start, range(2))) == ["dpo-1", "dpo-2"]
    assert sorted(run.status for run in sync_all(judged, store)) == ["queued", "starting"]


@pytest.mark.usefixtures("unstarted")
def test_a_folder_that_is_left_of_another_database_is_not_taken_over(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    (judged.runs / "sft-4").mkdir()
    assert start_run(judged, store, "dpo", model=str(tiny_model)) == "dpo-5"


@pytest.mark.usefixtures("unstarted")
def test_a_base_model_that_has_changed_is_refused(
    judged: Project, store: Store, tiny_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    run_id = start_run(judged, store, "dpo", model=str(model))
    runs.update(store, run_id, status="stopped")
    config = orjson.loads((model / "config.json").read_bytes())
    (model / "config.json").write_bytes(orjson.dumps(config | {"rope_theta": 1.0}))
    with pytest.raises(StudioError, match="its file has changed"):
        resume_run(judged, store, run_id)


@pytest.mark.usefixtures("unstarted")
def test_an_adapter_that_goes_on_keeps_its_shape(judged: Project, store: Store, tiny_model: Path) -> None:
    parent = start_run(judged, store, "dpo", model=str(tiny_model), overrides=["lora_rank=4", "lora_alpha=8"])
    runs.update(store, parent, status="done")
    adapter = RunFolder(judged.runs / parent).adapter
    adapter.mkdir()
    (adapter / "adapter_config.json").touch()
    with pytest.raises(StudioError, match=f"lora_rank is 4 in {parent}"):
        start_run(judged, store, "dpo", parent=parent, overrides=["lora_rank=64"])
    child = runs.get(store, start_run(judged, store, "dpo", parent=parent))
    assert (child.recipe["lora_rank"], child.recipe["lora_alpha"]) == (4, 8)


def test_files_that_a_full_disk_cut_short_hide_nothing_else(judged: Project, store: Store) -> None:
    run_id = add_run(judged, store)
    folder = RunFolder(judged.runs / run_id)
    saved = [folder.checkpoints / f"checkpoint-{step}" for step in (1, 2)]
    for checkpoint, state in zip(saved, ("{}", '{"epo'), strict=True):
        checkpoint.mkdir(parents=True)
        (checkpoint / "trainer_state.json").write_text(state)
    checkpoints.seal(saved[0], 1.0)
    folder.metrics.write_text('{"step": 1, "at": "now", "values": {"lo')
    folder.samples.write_text('{"step": 1, "at": "now", "exam')
    folder.status.write_text("")
    Reporter(folder).metrics(2, {"loss": 0.5})
    samples.append(folder.samples, [Sample(2, "now", 7, "Hi.", "Hello.", True)])
    assert [sample.step for sample in samples.read(folder.samples)] == [2]
    folder.status.write_text('{"status": "run')
    assert sync_run(judged, store, run_id).status == "failed"
    assert [m.step for m in runs.metrics(store, run_id)["loss"]] == [2]
    assert folder.latest_checkpoint() == saved[0]


def test_of_a_log_its_end_is_shown(judged: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = add_run(judged, store)
    log = RunFolder(judged.runs / run_id).log
    assert log_tail(judged, run_id) == []
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    assert log_tail(judged, run_id) == []
    log.write_bytes(b"one\n 10%\r 20%\r 30%\n\xff three\n" + b"four")
    assert log_tail(judged, run_id, 3) == [" 30%", "\N{REPLACEMENT CHARACTER} three", "four"]
    assert log_tail(judged, run_id, 0) == []
    assert log_tail(judged, run_id, 9) == ["one", " 30%", "\N{REPLACEMENT CHARACTER} three", "four"]
    monkeypatch.setattr(watch, "LOG_BYTES", 8)
    assert log_tail(judged, run_id, 9) == ["ree", "four"]


def test_what_is_stored_of_a_run_is_not_stored_again_by_each_process(
    judged: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = add_run(judged, store)
    path = RunFolder(judged.runs / run_id).metrics
    path.parent.mkdir(parents=True, exist_ok=True)
    written: list[list[Metric]] = []
    monkeypatch.setattr(watch, "AT_ONCE_BYTES", 300)
    monkeypatch.setattr(watch, "TAIL_BYTES", 200)
    given = runs.add_metrics
    monkeypatch.setattr(runs, "add_metrics", lambda s, r, found: (written.append(found), given(s, r, found)))

    def lines(first: int, last: int) -> str:
        entries = [{"step": n, "at": f"then {n}", "values": {"loss": 1 / n, "mfu": 0.5}} for n in range(first, last)]
        return "".join(json.dumps(entry) + "\n" for entry in entries)

    def look_anew() -> int:
        monkeypatch.setattr(watch, "_read_up_to", {})
        written.clear()
        sync_run(judged, store, run_id)
        return sum(map(len, written))

    path.write_text(lines(1, 40) + '{"step": 40, "at": "th')
    assert look_anew() == 2 * 39
    assert max(map(len, written)) < 2 * 39, "some at a time"
    assert look_anew() == 0
    with path.open("a") as file:
        file.write('en 40", "values": {"loss": 0.25}}\n')
    # What this process has read it goes on from; another reads it all where the last line is not stored.
    sync_run(judged, store, run_id)
    assert [m for some in written for m in some] == [Metric("loss", 40, 0.25, "then 40")]
    assert look_anew() == 0
    path.write_text(lines(1, 42))
    assert look_anew() == 2 * 41
    # Another file whose last line says something else, as results that come back.
    path.write_text(lines(1, 41).replace("then", "now"))
    assert look_anew() == 2 * 40
    assert runs.metrics(store, run_id)["loss"][0].at == "now 1"


def test_what_a_killed_preparation_left_is_cleared_away(tmp_path: Path) -> None:
    model = BaseModel("m", tmp_path / "m.gguf", "gguf", tmp_path / "m-1")
    left, others = tmp_path / ".preparing-m-1.abc", tmp_path / ".preparing-n-1.abc"
    for folder in (model.folder, left, others):
        folder.mkdir()
    for name in TOKENIZER_FILES:
        (model.folder / name).touch()
    _prepare(model, "tokenizer")
    assert (left.exists(), others.exists()) == (False, True)
