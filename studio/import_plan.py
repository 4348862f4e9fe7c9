"""Which files an import takes in: a folder as its files, each with the split that its data set says."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from store.examples import Split
from studio import containers

SPLITS_FILE = "dataset_dict.json"
"""What `datasets` writes beside the folders of a data set's splits."""


@dataclass(frozen=True)
class Planned:
    """A file that is about to be imported."""

    path: Path
    name: str
    """What its source is called: with its folders, where a folder is imported, since shards often have one name."""
    split: Split | None = None
    """Where its new prompts go; None where the project's own rules decide."""
    why: str = ""
    """Why they go there, where nobody said so."""


def plan(path: Path, split: Split | None = None) -> list[Planned]:
    """Return the files to import for a path: those of a folder, or the file itself.

    Raises:
        StudioError: a folder can't be read or holds no data file.
    """
    return [_planned(file, _name(file, path), split) for file in containers.expand(path)]


def _name(file: Path, imported: Path) -> str:
    if file == imported:
        return file.name
    return str(Path(imported.resolve().name) / file.relative_to(imported))


def _planned(file: Path, name: str, split: Split | None) -> Planned:
    folder = file.parent
    if split is None and folder.name in get_args(Split) and (folder.parent / SPLITS_FILE).is_file():
        return Planned(file, name, cast(Split, folder.name), f"{file} goes to {folder.name}, as its data set says.")
    return Planned(file, name, split)
