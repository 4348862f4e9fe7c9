"""Bundles name nothing of the machine that they come from, and results come back whole, to their own run, or not."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from store import runs
from store.database import Store
from studio.errors import StudioError
from studio.process import only_one
from studio.project import Project
from studio.training.course import checkpoints
from studio.training.elsewhere.bundle import bundle
from studio.training.elsewhere.import_run import take_back
from studio.training.elsewhere.needs import pin, requirements
from studio.training.elsewhere.packing import unpack
from studio.training.folder import RunFolder, Status, read_description, write_json
from studio.training.recipe import make_recipe
from tests.studio.training.elsewhere.conftest import StartRun, pretend

pytestmark = pytest.mark.model


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


def test_a_model_that_has_changed_is_not_carried_along(
    judged: Project, store: Store, write_run: StartRun, tmp_path: Path
) -> None:
    run_id = write_run("dpo")
    with store.transaction() as connection:
        connection.execute("UPDATE run SET base_hash = 'another' WHERE id = ?", (run_id,))
    with pytest.raises(StudioError, match="its file has changed"):
        bundle(judged, store, run_id, tmp_path / "away", with_model=True)
