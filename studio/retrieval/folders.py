"""Which files the documents of a project are, and under what names they are spoken of."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from studio.errors import StudioError
from studio.project import Project
from studio.retrieval.blocks import ENDINGS


class DocumentFile(NamedTuple):
    """A file that can be read."""

    name: str
    """What it is called in passages: from the folder that is named in the settings on, so that no path of a machine
    gets into a prompt."""
    path: Path
    size: int
    changed_ns: int


def files_of(project: Project) -> list[DocumentFile]:
    """Return the documents of a project, by name; hidden files and those of other kinds are no documents.

    Raises:
        StudioError: no folder is named, one is absent, or two end in the same name.
    """
    folders = project.settings.documents.folders
    if not folders:
        raise StudioError(
            "This project names no documents.", 'Say which in studio.toml: [documents] with folders = ["documents"].'
        )
    found: dict[str, DocumentFile] = {}
    for folder in folders:
        for file in _files_below((project.folder / Path(folder).expanduser()).resolve()):
            if file.name in found and found[file.name].path != file.path:
                raise StudioError(
                    f"documents.folders in studio.toml leads to two files that would both be called {file.name}.",
                    "Name the folder above one of them.",
                )
            found[file.name] = file
    return [found[name] for name in sorted(found)]


def _files_below(top: Path) -> Iterator[DocumentFile]:
    if top.is_file():
        yield from _file(top, top.name)
        return
    if not top.is_dir():
        raise StudioError(f"{top} is not there, but documents.folders in studio.toml names it.", "Make it, or mend it.")
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and path.suffix.lower() in ENDINGS:
                yield from _file(path, Path(top.name, path.relative_to(top)).as_posix())


def _file(path: Path, name: str) -> Iterator[DocumentFile]:
    try:
        state = path.stat()
    except OSError:
        # A link that leads nowhere, or a file that has just been taken away.
        return
    if not stat.S_ISREG(state.st_mode):
        # A pipe or a device never ends.
        return
    # A name may have any bytes; what goes into a prompt is text.
    yield DocumentFile(name.encode(errors="replace").decode(), path, state.st_size, state.st_mtime_ns)
