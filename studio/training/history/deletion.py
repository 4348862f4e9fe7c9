"""Deleting a run with its files; the replies that it made stay, and so does its snapshot."""

import os
import shutil
from pathlib import Path

from store import runs
from store.database import Store
from store.runs import UNENDED
from studio.errors import StudioError
from studio.process import is_held, launching
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.history.watch import sync_run

MARK = ".deleted-"
"""What a deleted run leaves in the folder of runs: an empty file that keeps its number from being given again, since
replies and notes may name it."""


def size(project: Project, run_id: str) -> int:
    """Return how many bytes a run's files take."""
    folder = project.runs / run_id
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def refuse(project: Project, store: Store, run_id: str) -> None:
    """Raise a StudioError where a run can't be deleted."""
    sync_run(project, store, run_id)
    _check(project, store, run_id)


def delete(project: Project, store: Store, run_id: str) -> int:
    """Delete a run with its files, and return how many bytes they took.

    Raises:
        StudioError: it is going on or waits for its turn, others went on from it, or its files can't be deleted.
    """
    refuse(project, store, run_id)
    # Nobody can start it, or go on from it, meanwhile.
    with launching(project.runs):
        _check(project, store, run_id)
        taken = size(project, run_id)
        aside = _set_aside(project.runs, run_id)
        try:
            runs.delete(store, run_id)
        except BaseException:
            if aside:
                aside.rename(project.runs / run_id)
            raise
    (project.runs / f"{MARK}{run_id}").touch(mode=0o600)
    if aside:
        _remove(aside)
    return taken


def _check(project: Project, store: Store, run_id: str) -> None:
    run = runs.get(store, run_id)
    if run.status in UNENDED:
        raise StudioError(f"{run_id} is {run.status}.", f"Stop it first: studio stop {run_id}.")
    if children := runs.children(store, run_id):
        one = len(children) == 1
        raise StudioError(
            f"{', '.join(children)} went on from {run_id} and can't be explained without it.",
            f"Delete {children[0] if one else 'these'} first.",
        )
    folder = project.runs / run_id
    if is_held(RunFolder(folder).lock):
        raise StudioError(f"A trainer is still at {run_id}.", "Wait until it has ended.")
    if user := next((run.id for run in runs.all_runs(store) if _lies_in(run.base_model, folder)), None):
        raise StudioError(
            f"{user} was trained on the model of {run_id} and can't run without it.", f"Delete {user} first."
        )
    if _lies_in(project.settings.model, folder):
        raise StudioError(f"{run_id} holds the project's model.", "Name another as model in studio.toml first.")


def _lies_in(model: str, folder: Path) -> bool:
    # A project may be opened by a path from here, or through a link, and a model be named by another.
    return Path(os.path.expanduser(model)).resolve().is_relative_to(folder.resolve())


def _set_aside(folder: Path, run_id: str) -> Path | None:
    """Rename a run's folder, so that it is gone whole even where deleting it is broken off."""
    run = folder / run_id
    aside = folder / f"{MARK}files-of-{run_id}"
    if not run.exists():
        return None
    try:
        run.rename(aside)
    except OSError as error:
        raise StudioError(f"{run} can't be deleted: {error.strerror}.", "Check whose files these are.") from error
    return aside


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StudioError(
            f"The run is deleted, but of its files {folder} is left: {error.strerror}.", "Delete that folder by hand."
        ) from error
