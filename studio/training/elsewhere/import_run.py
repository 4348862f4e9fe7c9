"""Results that come back: what a run of this project became elsewhere, or a run of another project as a new one."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from store import runs, snapshots
from store.database import Store, now
from store.errors import MissingRowError
from store.runs import ACTIVE, UNENDED, Run, RunStatus
from store.snapshots import Items, Snapshot
from studio.errors import StudioError
from studio.models import check_unchanged, resolve
from studio.process import is_held, launching
from studio.project import Project
from studio.training.elsewhere.arrived import Arrived, arrived_at, check_whole, opened, start_of
from studio.training.elsewhere.packing import Content
from studio.training.elsewhere.results import START, files_of, given_files, sha256
from studio.training.folder import Description, RunFolder, Status, read_status, write_json
from studio.training.history.watch import sync_run
from studio.training.launch import highest_number
from studio.training.recipe import as_table, kind_of
from studio.training.recipe_file import read_recipe


@dataclass(frozen=True)
class Taken:
    """What was taken over."""

    run: str
    status: str
    step: int
    total_steps: int
    files: list[str]
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield what a person wants to know."""
        yield f"{self.run}: {self.status}, step {self.step} of {self.total_steps}; {len(self.files)} files taken over."
        yield from self.notes


def take_back(project: Project, store: Store, path: Path, *, as_new: bool = False, model: str | None = None) -> Taken:
    """Take over what a bundle, its archive or a run's folder brings.

    Raises:
        StudioError: it is no run, is damaged or not of this project, or is not newer than what is here.
    """
    if model and not as_new:
        raise StudioError("--model is for a run that is new here.", "Add --as-new.")
    with opened(path, project) as folder:
        arrived = arrived_at(folder)
        notes = check_whole(arrived)
        if as_new:
            return _take_as_new(project, store, arrived, model, notes)
        return _take_over(project, store, arrived, notes)


def _take_over(project: Project, store: Store, arrived: Arrived, notes: list[str]) -> Taken:
    run = _run_of(project, store, arrived)
    folder = RunFolder(project.runs / run.id)
    _check_same(folder, arrived)
    status = _ended(arrived.status)
    with launching(project.runs):
        if runs.get(store, run.id).status in UNENDED:
            raise StudioError(f"{run.id} is {run.status} here.", f"Stop it first: studio stop {run.id}.")
        if is_held(folder.lock):
            raise StudioError(f"A trainer is still at {run.id} here.", "Wait until it has ended.")
        _check_newer(run, read_status(folder) or read_status(folder, folder.earlier_status), status)
        files = list(files_of(arrived.folder.path))
        _swap(folder, arrived.folder, files)
        write_json(folder.status, status)
        _store(store, run.id, status)
    sync_run(project, store, run.id)
    return Taken(run.id, status.status, status.step, status.total_steps, files, notes)


def _run_of(project: Project, store: Store, arrived: Arrived) -> Run:
    described = arrived.description
    hint = "Take it as a run of its own: --as-new."
    try:
        run = sync_run(project, store, described.id)
    except MissingRowError:
        raise StudioError(f"This project has no run {described.id}.", hint) from None
    created_at = arrived.about.get("created_at", run.created_at)
    if (run.snapshot_id, run.base_hash, run.created_at) != (described.snapshot, described.base_hash, created_at):
        raise StudioError(f"{described.id} of {arrived.folder.path} is a run of another project.", hint)
    if run.status in ACTIVE:
        raise StudioError(f"{run.id} is {run.status} here.", f"Stop it first: studio stop {run.id}.")
    return run


def _check_same(folder: RunFolder, arrived: Arrived) -> None:
    """Refuse results of other rows or another recipe than the run has here."""
    for name in given_files(folder.path):
        there = arrived.folder.path / name
        if not there.is_file() or sha256(there) != sha256(folder.path / name):
            raise StudioError(
                f"{name} of {arrived.description.id} is not what it is here, so this is another run's result.",
                "Take it as a run of its own: --as-new.",
            )


def _check_newer(run: Run, here: Status | None, there: Status) -> None:
    if here is None:
        return
    if (here.status == "done", here.step) > (there.status == "done", there.step):
        raise StudioError(
            f"{run.id} has come further here: {here.status} at step {here.step}, there {there.status} at step "
            f"{there.step}.",
            "Take it as a run of its own: --as-new.",
        )
    if here.status == "done" and here.ended_at == there.ended_at:
        raise StudioError(f"{run.id} has these results already.")
    if here.status == "done":
        raise StudioError(f"{run.id} is done here already.", "Take it as a run of its own: --as-new.")


def _swap(folder: RunFolder, arrived: RunFolder, files: list[str]) -> None:
    """Put a folder with the new results in the place of the run's; what is given stays as it is here."""
    made = folder.path.with_name(f".{folder.path.name}.{os.getpid()}.part")
    left = folder.path.with_name(f".{folder.path.name}.{os.getpid()}.left")
    try:
        made.mkdir(mode=0o700)
        for name in [*given_files(folder.path), "run.json"]:
            _copy(folder.path / name, made / name)
        for name in files:
            _copy(arrived.path / name, made / name)
        (made / "checkpoints").mkdir(exist_ok=True)
        folder.path.rename(left)
        made.rename(folder.path)
    except OSError as error:
        if left.exists() and not folder.path.exists():
            left.rename(folder.path)
        raise StudioError(f"{folder.path} can't be written: {error.strerror}.", "Free some disk space.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    shutil.rmtree(left, ignore_errors=True)


def _copy(content: Content, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.copyfile(content, target)
    else:
        target.write_bytes(content)


def _take_as_new(project: Project, store: Store, arrived: Arrived, model: str | None, notes: list[str]) -> Taken:
    described, recipe = arrived.description, read_recipe(arrived.folder.recipe)
    base = resolve(model or str(arrived.about.get("base_model") or described.base_model))
    check_unchanged(base, described.base_hash)
    status = _ended(arrived.status)
    parent = _parent_here(store, described, arrived)
    start = {} if parent else start_of(arrived, status, base)
    notes = [*notes, *_keep_snapshot(store, arrived)]
    if described.parent and parent is None:
        notes.append(f"It went on from {described.parent}, which is not a run of this project.")
    with launching(project.runs):
        run_id = runs.add(
            store,
            method=described.method,
            base_model=base.name,
            base_hash=described.base_hash,
            snapshot_id=described.snapshot,
            recipe=as_table(recipe),
            parent_id=parent,
            after=highest_number(project.runs),
        )
        folder = RunFolder(project.runs / run_id)
        files = list(files_of(arrived.folder.path))
        try:
            for name in [*given_files(arrived.folder.path), *files]:
                _copy(arrived.folder.path / name, folder.path / name)
            for name, content in start.items():
                _copy(content, folder.path / name)
            (folder.path / "checkpoints").mkdir(exist_ok=True)
            adapter = described.parent_adapter if parent else f"{run_id}/{START}" if start else None
            write_json(
                folder.description,
                replace(described, id=run_id, base_model=base.name, parent=parent, parent_adapter=adapter),
            )
            write_json(folder.status, status)
        except OSError as error:
            runs.delete(store, run_id)
            shutil.rmtree(folder.path, ignore_errors=True)
            raise StudioError(f"{folder.path} can't be written: {error.strerror}.", "Free some disk space.") from error
        _store(store, run_id, status)
        runs.describe(store, run_id, note=f"{described.id} of {arrived.about.get('project') or 'another project'}")
    sync_run(project, store, run_id)
    return Taken(run_id, status.status, status.step, status.total_steps, files, notes)


def _keep_snapshot(store: Store, arrived: Arrived) -> list[str]:
    """See to it that the run's snapshot is known, if only by its name; return what that means."""
    described = arrived.description
    try:
        snapshots.get(store, described.snapshot)
    except MissingRowError:
        kind = kind_of(read_recipe(arrived.folder.recipe))
        counts = dict(arrived.about.get("counts") or {})
        snapshots.save(store, Snapshot(described.snapshot, kind, Items(), "of another project", counts))
        return ["Its rows are not this project's: they stand in the run's folder, and can't be walked back to records."]
    return []


def _parent_here(store: Store, described: Description, arrived: Arrived) -> str | None:
    """Return the run that it went on from where that is this project's: its own run of that name is here too."""
    try:
        own = runs.get(store, described.id)
        is_ours = own.created_at == arrived.about.get("created_at") and described.parent is not None
        return runs.get(store, described.parent).id if is_ours and described.parent else None
    except MissingRowError:
        return None


def _ended(status: Status) -> Status:
    """Return a state from elsewhere as it counts here, where its process does not live."""
    shown: RunStatus = status.status if status.status in ("done", "failed") else "stopped"
    return replace(status, status=shown, pid=0, pid_started=0.0, doing="", ended_at=status.ended_at or now())


def _store(store: Store, run_id: str, status: Status) -> None:
    runs.update(
        store,
        run_id,
        status=status.status,
        pid=status.pid,
        pid_started=status.pid_started,
        error=status.error,
        result=status.result,
        started_at=status.started_at,
        ended_at=status.ended_at,
    )
