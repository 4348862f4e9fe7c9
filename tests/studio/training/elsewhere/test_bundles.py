"""Bundles name nothing of the machine that they come from, and results come back whole, to their own run, or not."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from store import runs, snapshots
from store.database import Store
from studio.errors import StudioError
from studio.importing import import_file
from studio.process import only_one, started_at
from studio.project import Project, create_project
from studio.training.course import checkpoints
from studio.training.course.report import Reporter
from studio.training.elsewhere import results
from studio.training.elsewhere.about import ABOUT
from studio.training.elsewhere.bundle import bundle
from studio.training.elsewhere.import_run import take_back
from studio.training.elsewhere.needs import pin, requirements
from studio.training.elsewhere.packing import pack, tree, unpack
from studio.training.folder import RunFolder, Status, read_description, write_json
from studio.training.history.watch import sync_run
from studio.training.launch import start_run
from studio.training.recipe import make_recipe
from tests.studio.training.elsewhere.conftest import QUICK, StartRun

pytestmark = pytest.mark.model


@pytest.fixture
def carried(judged: Project, store: Store, write_run: StartRun, tmp_path: Path) -> tuple[str, Path]:
    """A run, and its bundle in a folder."""
    run_id = write_run("dpo", "epochs=1")
    bundle(judged, store, run_id, tmp_path / "away")
    return run_id, tmp_path / "away"


def pretend(
    away: Path, run_id: str, *, status: str = "done", step: int = 4, ended_at: str | None = "2026-01-02"
) -> None:
    """Leave what a trainer leaves, in a bundle or in a project."""
    folder = RunFolder(away / "runs" / run_id)
    folder.adapter.mkdir(exist_ok=True)
    (folder.adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/there/model"}))
    (folder.adapter / "adapter_model.safetensors").write_bytes(bytes(step))
    checkpoint = folder.checkpoints / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / "trainer_state.json").write_text("{}")
    lines = [json.dumps({"step": n, "at": "2026-01-01", "values": {"loss": 1.0 / n}}) for n in range(1, step + 1)]
    folder.metrics.write_text("\n".join(lines) + "\n")
    result = {"held_out_loss": 0.5, "steps": step}
    write_json(folder.status, Status(status, 1, 1.0, "", step, 4, "2026-01-01", ended_at, None, result))  # type: ignore[arg-type]
    subprocess.run(
        [sys.executable, "-m", "studio.training.elsewhere.results", str(folder.path)],
        env={**os.environ, "PYTHONPATH": str(Path(results.__file__).parents[3])},
        check=True,
    )


def test_a_bundle_to_train_names_no_place_of_this_machine(
    judged: Project, carried: tuple[str, Path], tiny_model: Path, tmp_path: Path
) -> None:
    run_id, away = carried
    places = [str(place).encode() for place in (tmp_path, judged.folder, tiny_model)]
    for path in away.rglob("*"):
        if path.is_file():
            assert not any(place in path.read_bytes() for place in places), path
    for script in ("run.sh", "slurm.sh"):
        subprocess.run(["bash", "-n", away / script], check=True)
        assert os.access(away / script, os.X_OK)
    assert "./run.sh" in (away / "README.md").read_text()
    assert yaml.safe_load((away / "sky.yaml").read_text())["name"] == run_id
    pins = (away / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+|nvidia-ml-py>=[\d.]+", pin) for pin in pins if pin and pin[0] != "#")
    assert json.loads((away / "runs" / run_id / "run.json").read_text())["base_model"] == "./model"
    refused = subprocess.run(["sh", "run.sh"], cwd=away, capture_output=True, text=True, check=False)
    assert (refused.returncode, "Put the base model at model" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("overrides", "is_wanted"),
    [([], False), (["quantisation=4bit"], True), (["optimizer=adamw_8bit"], True), (["optimizer=adamw"], False)],
)
def test_what_the_recipe_needs_on_gpus_is_installed_there(overrides: list[str], is_wanted: bool) -> None:
    installed = [line for line in requirements(make_recipe("dpo", overrides)).splitlines() if line[:1] != "#"]
    assert any(line.startswith("nvidia-ml-py") for line in installed), "which tells memory and use of GPUs"
    assert any(line.startswith("bitsandbytes") for line in installed) == is_wanted


def test_a_bundle_asks_for_what_its_run_asks_for(
    judged: Project, store: Store, write_run: StartRun, tmp_path: Path
) -> None:
    bundle(judged, store, write_run("dpo", "optimizer=paged_adamw_8bit"), tmp_path / "away")
    assert "\nbitsandbytes" in (tmp_path / "away" / "requirements.txt").read_text()
    assert "liger-kernel" in yaml.safe_load((tmp_path / "away" / "sky.yaml").read_text())["setup"]


def test_what_is_not_installed_here_is_asked_for_as_the_studio_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    ours = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())
    for wanted in ours["project"]["optional-dependencies"]["gpu"]:
        assert pin(re.split(r"\W*>=", wanted)[0]) == wanted


@pytest.fixture
def stands_in(tmp_path: Path) -> Callable[[str, str], str]:
    """What writes a program that does so little that it needs no cluster, and returns its path."""

    def write(name: str, script: str) -> str:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return write


def test_a_way_that_needs_deepspeed_says_so(carried: tuple[str, Path], stands_in: Callable[[str, str], str]) -> None:
    away = carried[1]
    (away / "model").mkdir()
    env = {**os.environ, "PYTHON": stands_in("python", '[ "$1" != -c ]')}
    for way, status in (("zero2", 1), ("zero3", 1), ("ddp", 0)):
        told = subprocess.run(["sh", "run.sh", way], cwd=away, env=env, capture_output=True, text=True, check=False)
        assert (told.returncode, "pip install 'deepspeed" in told.stderr) == (status, bool(status))


@pytest.mark.parametrize("script", ["slurm.sh", "sky.yaml"])
def test_each_machine_of_a_cluster_starts_its_part(
    carried: tuple[str, Path], stands_in: Callable[[str, str], str], script: str
) -> None:
    run_id, away = carried
    (away / "model").mkdir()
    python = stands_in("python", 'echo "$@"')
    stands_in("scontrol", 'echo "$3: node-a"; echo node-b')
    stands_in("srun", 'shift; for SLURM_NODEID in 0 1; do export SLURM_NODEID; "$@" || exit; done')
    given = {**os.environ, "PYTHON": python, "PATH": f"{Path(python).parent}:{os.environ['PATH']}"}
    if script == "slurm.sh":
        given |= {"SLURM_NNODES": "2", "SLURM_GPUS_ON_NODE": "4", "SLURM_JOB_NODELIST": "nodes"}
        subprocess.run(["bash", script], cwd=away, env=given, check=True)
        head = "nodes: node-a"
    else:
        task = yaml.safe_load((away / script).read_text())
        given |= {**task["envs"], "SKYPILOT_NUM_NODES": "2", "SKYPILOT_NUM_GPUS_PER_NODE": "4"}
        given |= {"SKYPILOT_NODE_IPS": "10.0.0.1\n10.0.0.2"}
        for rank in ("0", "1"):
            subprocess.run(["bash", "-c", task["run"]], cwd=away, env={**given, "SKYPILOT_NODE_RANK": rank}, check=True)
        head = "10.0.0.1"
    started = (away / "runs" / run_id / "log.txt").read_text().splitlines()
    assert len(started) == 2
    for rank, line in enumerate(started):
        assert "--config_file configs/ddp.yaml --num_processes 8 --num_machines 2" in line
        assert f"--machine_rank {rank} --main_process_ip {head} " in line
        assert line.endswith(f"-m studio.training.worker runs/{run_id}")


def test_what_was_trained_names_no_place_either_and_its_checkpoints_count_still(
    judged: Project, store: Store, write_run: StartRun, tmp_path: Path
) -> None:
    run_id, place = write_run("dpo"), "/home/somebody/models/base"
    pretend(judged.folder, run_id, status="stopped", step=2)
    folder = RunFolder(judged.runs / run_id)
    for trained in (folder.adapter, folder.checkpoints / "checkpoint-2"):
        (trained / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": place, "r": 4}))
        (trained / "README.md").write_text(f"base_model: {place}\n")
        (trained / "training_args.bin").write_bytes(place.encode())
    checkpoints.seal(folder.checkpoints / "checkpoint-2", 1.0)
    (folder.path / "quantised").mkdir()
    (folder.path / "quantised" / "Q8_0.gguf").write_bytes(b"made anew where it is wanted")
    bundle(judged, store, run_id, tmp_path / "training")
    for path in (tmp_path / "training").rglob("*"):
        assert not path.is_file() or place.encode() not in path.read_bytes(), path
    there = RunFolder(tmp_path / "training" / "runs" / run_id)
    assert not (there.path / "quantised").exists()
    assert there.latest_checkpoint() == there.checkpoints / "checkpoint-2"
    cut = there.checkpoints / "checkpoint-2" / "trainer_state.json"
    cut.write_bytes(cut.read_bytes()[:-1])
    assert there.latest_checkpoint() is None


def test_a_link_in_a_folder_that_comes_back_is_not_followed(
    judged: Project, store: Store, carried: tuple[str, Path], tmp_path: Path
) -> None:
    run_id, away = carried
    pretend(away, run_id)
    (tmp_path / "secret").write_text("of this machine")
    (away / "runs" / run_id / "checkpoints" / "notes.txt").symlink_to(tmp_path / "secret")
    take_back(judged, store, away)
    assert not (judged.runs / run_id / "checkpoints" / "notes.txt").exists()


def test_metrics_that_come_back_take_the_place_of_those_from_here(
    judged: Project, store: Store, carried: tuple[str, Path]
) -> None:
    run_id, away = carried
    pretend(judged.folder, run_id, status="stopped", step=2)
    metrics = RunFolder(judged.runs / run_id).metrics
    metrics.write_text(metrics.read_text().replace("loss", "another_loss_of_here"))
    sync_run(judged, store, run_id)
    pretend(away, run_id)
    take_back(judged, store, away)
    assert [m.step for m in runs.metrics(store, run_id)["loss"]] == [1, 2, 3, 4]


def test_an_archive_holds_the_same_and_brings_results_back(
    judged: Project, store: Store, carried: tuple[str, Path], tmp_path: Path
) -> None:
    run_id, away = carried
    packed = tmp_path / "run.tar.zst"
    bundle(judged, store, run_id, packed)
    there = unpack(packed, tmp_path / "there")
    assert {str(p.relative_to(there)) for p in there.rglob("*")} == {str(p.relative_to(away)) for p in away.rglob("*")}
    with pytest.raises(StudioError, match="is there already"):
        bundle(judged, store, run_id, packed)
    with pytest.raises(StudioError, match="was not trained"):
        take_back(judged, store, packed)
    pretend(away, run_id)
    taken = take_back(judged, store, away)
    run = runs.get(store, run_id)
    assert (taken.status, run.status, run.result["held_out_loss"]) == ("done", "done", 0.5)
    assert [m.step for m in runs.metrics(store, run_id)["loss"]] == [1, 2, 3, 4]
    assert (judged.runs / run_id / "adapter" / "adapter_model.safetensors").is_file()
    assert not list(judged.runs.glob(".*.part")) + list(judged.runs.glob(".*.left"))
    with pytest.raises(StudioError, match="has these results already"):
        take_back(judged, store, away)


def test_results_that_are_damaged_older_or_of_others_are_refused(
    judged: Project, store: Store, carried: tuple[str, Path], tmp_path: Path
) -> None:
    run_id, away = carried
    folder = RunFolder(judged.runs / run_id)
    pretend(away, run_id, status="stopped", step=2)
    (away / "runs" / run_id / "adapter" / "adapter_model.safetensors").write_bytes(b"cut")
    with pytest.raises(StudioError, match=r"is damaged: adapter/adapter_model\.safetensors"):
        take_back(judged, store, away)

    pretend(away, run_id, status="stopped", step=2)
    pretend(judged.folder, run_id, status="stopped", step=3)
    with pytest.raises(StudioError, match="has come further here: stopped at step 3, there stopped at step 2"):
        take_back(judged, store, away)
    assert folder.metrics.read_text().count("\n") == 3

    runs.update(store, run_id, status="running", pid=os.getpid(), pid_started=started_at(os.getpid()))
    write_json(folder.status, Status("running", os.getpid(), started_at(os.getpid()), step=1))
    pretend(away, run_id)
    with pytest.raises(StudioError, match="is running here"):
        take_back(judged, store, away)
    runs.update(store, run_id, status="stopped")

    data = away / "runs" / run_id / "data" / "train.jsonl"
    data.write_bytes(data.read_bytes()[:-20])
    with pytest.raises(StudioError, match=r"data/train\.jsonl of dpo-1 is not what it is here"):
        take_back(judged, store, away)
    assert len((folder.adapter / "adapter_model.safetensors").read_bytes()) == 3, "what was here stays"


def test_a_run_that_was_broken_off_elsewhere_can_be_resumed_here(
    judged: Project, store: Store, carried: tuple[str, Path]
) -> None:
    run_id, away = carried
    pretend(away, run_id, status="running", step=2, ended_at=None)
    taken = take_back(judged, store, away / "runs" / run_id)
    assert (taken.status, runs.get(store, run_id).status) == ("stopped", "stopped")
    assert (judged.runs / run_id / "checkpoints" / "checkpoint-2").is_dir()


def test_a_run_of_another_project_comes_as_a_new_one_alone(
    carried: tuple[str, Path], tiny_model: Path, tmp_path: Path
) -> None:
    run_id, away = carried
    pretend(away, run_id)
    other = create_project(tmp_path / "other")
    with other.open_store() as store:
        with pytest.raises(StudioError, match=f"This project has no run {run_id}"):
            take_back(other, store, away)
        with pytest.raises(StudioError, match="There is no model"):
            take_back(other, store, away, as_new=True)
        taken = take_back(other, store, away, as_new=True, model=str(tiny_model))
        run = runs.get(store, taken.run)
        assert (run.status, run.base_model, run.note) == ("done", str(tiny_model), f"{run_id} of project")
        assert any("another project" in note or "not this project's" in note for note in taken.notes)
        assert snapshots.get(store, run.snapshot_id).counts["train"] > 0
        again = take_back(other, store, away, as_new=True, model=str(tiny_model))
        assert again.run != taken.run


@pytest.fixture
def going_on(judged: Project, store: Store, write_run: StartRun, tiny_model: Path) -> tuple[str, str]:
    """A run whose adapter is there, and one that goes on from it."""
    parent = write_run("dpo")
    pretend(judged.folder, parent)
    return parent, start_run(judged, store, "dpo", model=str(tiny_model), overrides=QUICK, parent=parent)


def test_a_run_of_another_project_keeps_the_adapter_that_it_goes_on_from(
    judged: Project, store: Store, going_on: tuple[str, str], tiny_model: Path, tmp_path: Path
) -> None:
    parent, run_id = going_on
    away = tmp_path / "away"
    bundle(judged, store, run_id, away)
    pretend(away, run_id, status="stopped", step=2)
    other = create_project(tmp_path / "other")
    with other.open_store() as there:
        taken = take_back(other, there, away, as_new=True, model=str(tiny_model))
        folder = RunFolder(other.runs / taken.run)
        described = read_description(folder)
        assert (described.parent, described.parent_adapter) == (None, f"{taken.run}/start")
        start = folder.path / "start" / "adapter_model.safetensors"
        assert start.read_bytes() == (judged.runs / parent / "adapter" / "adapter_model.safetensors").read_bytes()
        # From here it goes elsewhere and comes back like any other.
        again = tmp_path / "again"
        bundle(other, there, taken.run, again)
        pretend(again, taken.run)
        assert take_back(other, there, again).status == "done"
        assert start.is_file()
        assert not any(name.startswith("start") for name in results.files_of(folder.path))


def test_a_run_that_can_not_go_on_as_it_was_is_refused(
    judged: Project, store: Store, going_on: tuple[str, str], tiny_model: Path, tmp_path: Path
) -> None:
    parent, run_id = going_on
    away = tmp_path / "away"
    bundle(judged, store, run_id, away)
    pretend(away, run_id, status="stopped", step=2)
    shutil.rmtree(away / "runs" / parent)
    other = create_project(tmp_path / "other")
    with other.open_store() as there:
        with pytest.raises(StudioError, match=f"goes on from {parent}/adapter, which did not come along"):
            take_back(other, there, away, as_new=True, model=str(tiny_model))
        assert runs.all_runs(there) == []
        pretend(away, run_id)
        taken = take_back(other, there, away, as_new=True, model=str(tiny_model))
        assert read_description(RunFolder(other.runs / taken.run)).parent_adapter is None, "it is done without it"


def test_a_second_start_there_that_was_killed_damages_nothing(
    judged: Project, store: Store, carried: tuple[str, Path]
) -> None:
    run_id, away = carried
    there = RunFolder(away / "runs" / run_id)
    pretend(away, run_id, status="stopped", step=2)
    Reporter(there).at_step(3, 4)
    shutil.rmtree(there.checkpoints / "checkpoint-2")
    taken = take_back(judged, store, away)
    assert (taken.status, taken.step) == ("stopped", 3)
    assert any("were not checked" in note for note in taken.notes)


def test_the_place_of_a_model_is_not_named_in_any_alphabet(
    judged: Project, store: Store, write_run: StartRun, tmp_path: Path
) -> None:
    run_id, place = write_run("dpo"), "/home/josé/models/Qwen"
    folder = RunFolder(judged.runs / run_id)
    write_json(
        folder.description,
        replace(read_description(folder), base_model=place, chat_template=f"chat_template.jinja in {place}"),
    )
    with store.transaction() as connection:
        connection.execute("UPDATE run SET base_model = ? WHERE id = ?", (place, run_id))
    write_json(folder.status, Status("failed", 1, 1.0, error=f"{place} is gone", result={"steps": 1}))
    bundle(judged, store, run_id, tmp_path / "away")
    there = RunFolder(tmp_path / "away" / "runs" / run_id)
    assert read_description(there).chat_template == "chat_template.jinja in Qwen"
    earlier = json.loads(there.earlier_status.read_bytes())
    assert (earlier["error"], earlier["result"]) == (None, {"steps": 1})


def test_what_is_in_motion_or_waits_is_not_bundled_and_takes_no_results(
    judged: Project, store: Store, carried: tuple[str, Path], tmp_path: Path
) -> None:
    run_id, away = carried
    pretend(away, run_id)
    for folder in (RunFolder(judged.runs / run_id), RunFolder(away / "runs" / run_id)):
        with only_one(folder.lock), pytest.raises(StudioError, match="A trainer is still at"):
            take_back(judged, store, away)
    with (
        only_one(RunFolder(judged.runs / run_id).lock),
        pytest.raises(StudioError, match=f"A trainer is still at {run_id}"),
    ):
        bundle(judged, store, run_id, tmp_path / "out")
    runs.enqueue(store, run_id)
    with pytest.raises(StudioError, match=f"{run_id} is queued"):
        bundle(judged, store, run_id, tmp_path / "out")


def test_what_an_earlier_part_came_to_here_is_not_replaced_by_less(
    judged: Project, store: Store, carried: tuple[str, Path]
) -> None:
    run_id, away = carried
    pretend(judged.folder, run_id, status="stopped", step=3)
    folder = RunFolder(judged.runs / run_id)
    folder.status.rename(folder.earlier_status)
    pretend(away, run_id, status="stopped", step=2)
    with pytest.raises(StudioError, match="has come further here: stopped at step 3"):
        take_back(judged, store, away)


def test_a_model_that_has_changed_is_not_carried_along(
    judged: Project, store: Store, write_run: StartRun, tmp_path: Path
) -> None:
    run_id = write_run("dpo")
    with store.transaction() as connection:
        connection.execute("UPDATE run SET base_hash = 'another' WHERE id = ?", (run_id,))
    with pytest.raises(StudioError, match="its file has changed"):
        bundle(judged, store, run_id, tmp_path / "away", with_model=True)


def test_an_archive_on_a_disk_that_can_only_be_read_is_taken_over(
    judged: Project, store: Store, carried: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, away = carried
    pretend(away, run_id)
    medium = tmp_path / "medium"
    packed = medium / "run.tar.zst"
    pack(dict(tree(away, ".")), packed)
    made = tempfile.mkdtemp

    def refused(suffix: str | None = None, prefix: str | None = None, dir: Path | None = None) -> str:
        if dir == medium:
            raise PermissionError(13, "Permission denied")
        return made(suffix, prefix, dir)

    # The user that runs the tests may be one who may write everywhere.
    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    assert take_back(judged, store, packed).status == "done"
    assert not list(judged.folder.glob(".import-*"))


def test_a_run_of_the_same_name_is_not_taken_for_ours(
    carried: tuple[str, Path], write_run: StartRun, tiny_model: Path, tmp_path: Path
) -> None:
    run_id, away = carried
    pretend(away, run_id)
    other = create_project(tmp_path / "other")
    path = other.folder / "rows.jsonl"
    pair = {"prompt": "Q{}", "chosen": "yes, {}", "rejected": "no"}
    path.write_text("\n".join(json.dumps({k: v.format(n) for k, v in pair.items()}) for n in range(24)))
    with other.open_store() as store:
        import_file(other, store, path)
        assert start_run(other, store, "dpo", model=str(tiny_model)) == run_id
        with pytest.raises(StudioError, match="is a run of another project"):
            take_back(other, store, away)


def test_a_bundle_to_use_is_not_taken_for_results(judged: Project, store: Store, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / ABOUT).write_text(json.dumps({"purpose": "use", "run": "dpo-1"}))
    with pytest.raises(StudioError, match="is a bundle to use"):
        take_back(judged, store, tmp_path / "given")
