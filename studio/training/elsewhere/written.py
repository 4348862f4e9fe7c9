"""A recipe written out for another tool: the files, and what the tool has no word for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from studio.errors import StudioError

HERE = "In that folder"
"""Where other tools are started."""


@dataclass(frozen=True)
class Written:
    """What is written for a tool."""

    main: str
    """The name of the file that is run."""
    text: str
    """What that file says."""
    notes: list[str]
    """What differs from a run here, a sentence each; the file says it too."""
    start: str
    """The command that starts it, with where it is given, in words."""
    files: dict[str, bytes] = field(default_factory=dict)
    """The files beside it, by their path in the folder."""
    folders: dict[str, Path] = field(default_factory=dict)
    """Folders that are copied beside it, by their name there."""


def lines_of(rows: Iterable[dict[str, Any]]) -> bytes:
    """Return rows as JSON Lines."""
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def comment(notes: Iterable[str], heading: str = "What differs from a run of the studio:") -> str:
    """Return sentences as comment lines; empty without any."""
    lines = [f"# - {note}" for note in notes]
    return "\n".join([f"# {heading}", *lines]) + "\n" if lines else ""


def save(written: Written, out: Path) -> list[Path]:
    """Write the files into a folder, which must be empty or absent; return their paths, the main one first.

    Raises:
        StudioError: something is there already, or it can't be written.
    """
    import shutil

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudioError(f"{out} is there already.", "Name a folder that is empty or not there yet.")
    paths = []
    try:
        for name, content in {written.main: written.text.encode(), **written.files}.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            paths.append(path)
        for name, folder in written.folders.items():
            shutil.copytree(folder, out / name)
            paths.append(out / name)
    except OSError as error:
        raise StudioError(f"{error.filename or out} can't be written: {error.strerror}.") from error
    return paths
