"""Deleting runs with their files."""

from dataclasses import replace
from pathlib import Path

import pytest

from store import runs
from store.database import Store
from store.errors import MissingRowError
from studio.errors import StudioError
from studio.process import only_one
from studio.project import Project, open_project
from studio.training import launch
from studio.training.folder import RunFolder, Status, write_json
from studio.training.history import deletion
from tests.studio.training.ended_runs import made


def test_a_run_is_gone_with_its_files_and_nothing_else(project: Project, store: Store) -> None:
    one, two = made(project, store), made(project, store)
    (project.runs / one.id / "checkpoints" / "checkpoint-1").mkdir(parents=True)
    (project.runs / one.id / "checkpoints" / "checkpoint-1" / "state").write_bytes(b"x" * 500)
    assert deletion.size(project, one.id) == 1500
    assert deletion.delete(project, store, one.id) == 1500
    assert [run.id for run in runs.all_runs(store)] == [two.id]
    assert runs.metrics(store, one.id) == {}
    assert runs.metrics(store, two.id) != {}
    assert not (project.runs / one.id).exists()
    assert (project.runs / two.id / "adapter.gguf").is_file()
    with pytest.raises(MissingRowError):
        deletion.delete(project, store, one.id)


def test_its_number_is_not_given_again(project: Project, store: Store) -> None:
    made(project, store)
    last = made(project, store)
    deletion.delete(project, store, last.id)
    left = sum(path.stat().st_size for path in project.runs.rglob("*") if path.is_file())
    assert left == 1000, "its mark takes no room"
    assert launch.highest_number(project.runs) == 2


@pytest.mark.parametrize("status", ["queued", "starting", "running", "stopping"])
def test_a_run_that_goes_on_or_waits_stays(project: Project, store: Store, status: str) -> None:
    run = made(project, store)
    runs.update(store, run.id, status=status, pid=1, pid_started=_started(1))  # type: ignore[arg-type]
    with pytest.raises(StudioError, match=f"is {status}"):
        deletion.delete(project, store, run.id)
    assert (project.runs / run.id / "adapter.gguf").is_file()
    assert runs.get(store, run.id)


def test_a_run_that_others_went_on_from_stays(project: Project, store: Store) -> None:
    parent = made(project, store, "sft")
    child = made(project, store, parent=parent.id)
    with pytest.raises(StudioError, match=f"{child.id} went on from {parent.id}"):
        deletion.delete(project, store, parent.id)
    deletion.delete(project, store, child.id)
    deletion.delete(project, store, parent.id)
    assert runs.all_runs(store) == []


def test_a_run_whose_model_is_in_use_stays(project: Project, store: Store) -> None:
    whole = made(project, store, "sft")
    model = project.runs / whole.id / "model.gguf"
    named = replace(project, settings=replace(project.settings, model=str(model)))
    with pytest.raises(StudioError, match="holds the project's model"):
        deletion.delete(named, store, whole.id)
    other = runs.add(
        store, method="dpo", base_model=str(model), base_hash=None, snapshot_id=whole.snapshot_id, recipe=whole.recipe
    )
    runs.update(store, other, status="done")
    with pytest.raises(StudioError, match=f"{other} was trained on the model of {whole.id}"):
        deletion.delete(project, store, whole.id)
    deletion.delete(project, store, other)
    deletion.delete(project, store, whole.id)


@pytest.mark.parametrize("way", ["from here", "by a link"])
def test_a_model_in_use_is_known_by_any_path(
    project: Project, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.chdir(project.folder)
    (tmp_path / "link").symlink_to(project.folder)
    opened = open_project(Path() if way == "from here" else tmp_path / "link")
    whole = made(project, store, "sft")
    model = project.runs / whole.id / "model.gguf"
    for name in (str(model), f"runs/{whole.id}/model.gguf"):
        named = replace(opened, settings=replace(opened.settings, model=name))
        with pytest.raises(StudioError, match="holds the project's model"):
            deletion.delete(named, store, whole.id)
    other = runs.add(
        store, method="dpo", base_model=str(model), base_hash=None, snapshot_id=whole.snapshot_id, recipe=whole.recipe
    )
    runs.update(store, other, status="done")
    with pytest.raises(StudioError, match=f"{other} was trained on the model of {whole.id}"):
        deletion.delete(opened, store, whole.id)


def test_a_run_that_is_trained_by_hand_stays(project: Project, store: Store) -> None:
    run = made(project, store, status="stopped")
    folder = RunFolder(project.runs / run.id)
    with only_one(folder.lock):
        with pytest.raises(StudioError, match=f"A trainer is still at {run.id}"):
            deletion.delete(project, store, run.id)
        write_json(folder.status, Status("running", 1, _started(1), step=1, started_at="2026-01-02"))
        with pytest.raises(StudioError, match=f"{run.id} is running"):
            deletion.delete(project, store, run.id)
    assert folder.adapter_gguf.is_file()


def test_a_run_without_a_folder_can_be_deleted(project: Project, store: Store) -> None:
    run = made(project, store)
    (project.runs / run.id / "adapter.gguf").unlink()
    (project.runs / run.id).rmdir()
    assert deletion.delete(project, store, run.id) == 0
    assert runs.all_runs(store) == []


def _started(pid: int) -> float:
    from studio.process import started_at

    return started_at(pid)
