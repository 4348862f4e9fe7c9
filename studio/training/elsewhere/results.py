"""What a run brought forth, with the hash of each file: `python -m studio.training.elsewhere.results runs/RUN`.

It is written where the run was trained, so that whoever takes the results over sees that nothing got lost on the way.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from studio.training.folder import write_json

FILE = "results.json"

START = "start"
"""In a run's folder: the adapter that it goes on from, where that is no run of this project."""

GIVEN = ("recipe.toml", "run.json", "data", "tokenizer", START)
"""What a run's folder holds before it is trained; all else is a result."""


def main() -> None:
    """Write the hashes of the run whose folder is named."""
    folder = Path(sys.argv[1])
    write_json(folder / FILE, {"files": {name: sha256(folder / name) for name in files_of(folder)}})


def files_of(folder: Path) -> Iterator[str]:
    """Yield the results in a run's folder, by their path in it."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if _is_own(path) and parts[0] not in (*GIVEN, FILE) and not parts[0].startswith("."):
            yield "/".join(parts)


def given_files(folder: Path) -> Iterator[str]:
    """Yield what decides a run's results, by their path in its folder; but for `run.json`, which names places too."""
    for name in GIVEN:
        path = folder / name
        if path.is_dir():
            yield from sorted("/".join(each.relative_to(folder).parts) for each in path.rglob("*") if _is_own(each))
        elif name != "run.json" and _is_own(path):
            yield name


def damaged(folder: Path) -> list[str] | None:
    """Return the results that are not as they were written down, or are gone; None where nothing was written down."""
    try:
        known: dict[str, str] = json.loads((folder / FILE).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return [name for name, digest in known.items() if not _is_whole(folder / name, digest)]


def sha256(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_own(path: Path) -> bool:
    """Tell a file from all else: a link may lead to what the run's folder should never hold."""
    return path.is_file() and not path.is_symlink()


def _is_whole(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


if __name__ == "__main__":
    main()
