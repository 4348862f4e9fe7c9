"""What a bundle says of itself: which run it is of, and what it is for."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from store import snapshots
from store.database import Store
from store.runs import UNENDED, Run
from studio import __version__
from studio.errors import StudioError
from studio.packaged import PACKAGED
from studio.process import is_held
from studio.project import Project
from studio.training.elsewhere.results import given_files, sha256
from studio.training.folder import RunFolder
from studio.training.history.watch import sync_run

Purpose = Literal["training", "use"]

ABOUT = "bundle.json"
"""The file that says it."""


@dataclass(frozen=True)
class About:
    """What a bundle is of."""

    purpose: Purpose
    run: str
    created_at: str
    project: str
    snapshot: str
    counts: dict[str, object]
    base_model: str
    base_hash: str | None
    parent: str | None
    studio_version: str
    given: dict[str, str]
    """The SHA-256 of each file that decides the run's results."""

    def as_json(self) -> bytes:
        """Return it as the file has it."""
        return json.dumps(asdict(self), indent=1).encode()


def at_rest(project: Project, store: Store, run_id: str) -> tuple[Run, RunFolder]:
    """Return a run that nothing is at.

    Raises:
        StudioError: it is going on or waits for its turn, or its folder is not complete.
    """
    run = sync_run(project, store, run_id)
    if run.status in UNENDED:
        raise StudioError(f"{run_id} is {run.status}.", f"Wait for it, or stop it: studio stop {run_id}.")
    folder = RunFolder(project.runs / run_id)
    if is_held(folder.lock):
        raise StudioError(f"A trainer is still at {run_id}.", "Wait until it has ended.")
    if not folder.recipe.is_file():
        raise StudioError(f"{folder.path} is gone or not complete.", f"Start anew: studio train {run.method}.")
    return run, folder


def about_run(project: Project, store: Store, run: Run, folder: RunFolder, purpose: Purpose) -> About:
    """Return what a bundle of a run says."""
    return About(
        purpose=purpose,
        run=run.id,
        created_at=run.created_at,
        project=project.settings.name,
        snapshot=run.snapshot_id,
        counts=snapshots.get(store, run.snapshot_id).counts,
        base_model=shown(run.base_model),
        base_hash=run.base_hash,
        parent=run.parent_id,
        studio_version=__version__,
        given={name: sha256(folder.path / name) for name in given_files(folder.path)},
    )


def shown(base_model: str) -> str:
    """Return a model's name without its place on this machine."""
    return base_model if base_model in PACKAGED else Path(base_model).name
