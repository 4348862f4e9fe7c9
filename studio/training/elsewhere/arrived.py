"""What came back from another machine: the run in a bundle, its archive or a folder, and whether it is whole."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.models import BaseModel
from studio.process import is_held
from studio.project import Project
from studio.training.elsewhere.about import ABOUT, shown
from studio.training.elsewhere.packing import SUFFIX, Content, tree, unpack
from studio.training.elsewhere.portable import portable
from studio.training.elsewhere.results import START, damaged
from studio.training.folder import Description, RunFolder, Status, read_description, read_status


@dataclass(frozen=True)
class Arrived:
    """A run's folder as it came."""

    folder: RunFolder
    description: Description
    about: dict[str, Any]
    """What its bundle says of it; empty without one."""
    status: Status


@contextmanager
def opened(path: Path, project: Project) -> Iterator[Path]:
    """Give the folder that a path names, or what an archive holds as long as it is read.

    Raises:
        StudioError: it is neither, or the archive is damaged.
    """
    if path.is_dir():
        yield path
    elif path.name.endswith(SUFFIX):
        # Not beside the archive, which may lie on a disk that nobody can write.
        with tempfile.TemporaryDirectory(prefix=".import-", dir=project.folder) as temporary:
            yield unpack(path, Path(temporary))
    else:
        raise StudioError(f"{path} is no bundle.", f"Name its folder, or an archive whose name ends in {SUFFIX}.")


def arrived_at(path: Path) -> Arrived:
    """Return the run in a folder.

    Raises:
        StudioError: there is none, it was not trained there, or it is being trained.
    """
    about: dict[str, Any] = {}
    folder = path
    try:
        if (path / ABOUT).is_file():
            about = json.loads((path / ABOUT).read_bytes())
            if about["purpose"] == "use":
                raise StudioError(f"{path} is a bundle to use; it can't be trained.", "Bundle it --for training.")
            folder = path / "runs" / Path(str(about["run"])).name
        found = RunFolder(folder)
        description, status = read_description(found), read_status(found)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StudioError(f"{path} holds no run: {error}.", "Name a bundle, or the folder of one run.") from error
    if status is None:
        raise StudioError(f"{description.id} was not trained in {path}.", "Start ./run.sh there first.")
    if is_held(found.lock):
        raise StudioError(f"A trainer is still at {folder}.", "Wait until it has ended.")
    return Arrived(found, description, about, status)


def check_whole(arrived: Arrived) -> list[str]:
    """Refuse results that were damaged on the way; return what could not be checked."""
    broken = damaged(arrived.folder.path)
    if broken is None:
        return ["Its files were not checked: run.sh did not come to the end of writing down their hashes."]
    # Metrics go on being written by a run that was started again after they were written down.
    gone = [name for name in broken if name.startswith(("adapter", "model", "checkpoints/"))]
    if gone:
        raise StudioError(
            f"{arrived.folder.path} is damaged: {gone[0]} is not what was trained.", "Copy it again from its machine."
        )
    return []


def start_of(arrived: Arrived, status: Status, base: BaseModel) -> dict[str, Content]:
    """Return the adapter that a run goes on from, which its own folder will hold; empty where it has none.

    Raises:
        StudioError: it did not come along, and the run is not done without it.
    """
    described, beside = arrived.description, arrived.folder.path.parent
    if not described.parent_adapter:
        return {}
    adapter = beside / described.parent_adapter
    found: dict[str, Content] = {}
    # Neither a path nor a link may lead to what is no part of it.
    if adapter.resolve().is_relative_to(beside.resolve()):
        found = {name: path for name, path in tree(adapter, START) if isinstance(path, Path) and not path.is_symlink()}
    if not found and status.status != "done":
        raise StudioError(
            f"{described.id} goes on from {described.parent_adapter}, which did not come along.",
            "Import the whole bundle, or put that folder beside the run's.",
        )
    # As a bundle has it, so that results that come back are seen to be of the same start.
    return portable(found, shown(base.name))
