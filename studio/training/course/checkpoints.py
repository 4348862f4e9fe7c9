"""Checkpoints that are whole or not taken at all: a seal is written last, once all else is on the disk."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

SEAL = "sealed.json"
STATE = "trainer_state.json"
"""What the trainer writes last of a checkpoint."""


@dataclass(frozen=True)
class Seal:
    """What a whole checkpoint holds."""

    step: int
    seconds: float
    """How long the run had trained up to here, all its parts together."""
    sizes: dict[str, int]
    """The bytes of each file, by its path inside the checkpoint."""


def seal(checkpoint: Path, seconds: float) -> None:
    """Put a checkpoint on the disk, then say there that it is whole.

    Raises:
        OSError: the disk does not take it.
    """
    files = _files(checkpoint)
    for path in files:
        to_disk(path)
    sizes = {str(path.relative_to(checkpoint)): path.stat().st_size for path in files}
    content = json.dumps(asdict(Seal(step_of(checkpoint), seconds, sizes)))
    with (checkpoint / SEAL).open("w", encoding="utf-8") as file:
        file.write(content)
    for path in (checkpoint / SEAL, checkpoint, checkpoint.parent):
        to_disk(path)


def read_seal(checkpoint: Path) -> Seal | None:
    """Return a checkpoint's seal; None where it is absent or a file is not what the seal says."""
    try:
        found = Seal(**json.loads((checkpoint / SEAL).read_bytes()))
        whole = all((checkpoint / name).stat().st_size == size for name, size in found.sizes.items())
    except (OSError, ValueError, TypeError):
        return None
    return found if whole else None


def latest(folder: Path) -> Path | None:
    """Return the newest whole checkpoint."""
    return next((path for path in reversed(_all(folder)) if read_seal(path)), None)


def of_step(folder: Path, step: int) -> Path | None:
    """Return the whole checkpoint of a step."""
    path = folder / f"checkpoint-{step}"
    return path if read_seal(path) else None


def clear_broken(folder: Path) -> None:
    """Remove the checkpoints that were not written to their end; those of a studio that knew no seals get one.

    Raises:
        OSError: the disk does not take it.
    """
    found = _all(folder)
    none_is_sealed = not any((path / SEAL).exists() for path in found)
    for path in found:
        if none_is_sealed and _is_whole_unsealed(path):
            seal(path, seconds=0.0)
        elif read_seal(path) is None:
            shutil.rmtree(path, ignore_errors=True)


def prune(folder: Path, keep: int, best: int | None) -> None:
    """Remove all whole checkpoints but the newest ones and that of the best step."""
    found = _all(folder)
    for path in found[: max(0, len(found) - keep)]:
        if step_of(path) != best:
            shutil.rmtree(path, ignore_errors=True)


def step_of(checkpoint: Path) -> int:
    """Return the optimiser step that a checkpoint was taken after."""
    return int(checkpoint.name.rpartition("-")[2])


def _is_whole_unsealed(checkpoint: Path) -> bool:
    """Tell whether the state is there that is written last, and no file is empty as after a power cut."""
    try:
        state = json.loads((checkpoint / STATE).read_bytes())
        return state["global_step"] == step_of(checkpoint) and all(path.stat().st_size for path in _files(checkpoint))
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _files(checkpoint: Path) -> list[Path]:
    return [path for path in sorted(checkpoint.rglob("*")) if path.is_file() and path.name != SEAL]


def _all(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]
    return sorted(found, key=step_of)


def to_disk(path: Path) -> None:
    """Return once a file or folder is on the disk for good."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
