"""What comes back from another machine: which results are taken, and which are refused."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from store import runs, snapshots
from store.database import Store
from studio.errors import StudioError
from studio.importing import import_file
from studio.process import started_at
from studio.project import Project, create_project
from studio.training.course.report import Reporter
from studio.training.elsewhere import results
from studio.training.elsewhere.about import ABOUT
from studio.training.elsewhere.bundle import bundle
from studio.training.elsewhere.import_run import take_back
from studio.training.elsewhere.packing import pack, tree
from studio.training.folder import RunFolder, Status, read_description, write_json
from studio.training.history.watch import sync_run
from studio.training.launch import start_run
from tests.studio.training.elsewhere.conftest import QUICK, StartRun, pretend

pytestmark = pytest.mark.model


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
