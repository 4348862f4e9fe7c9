"""Memory that runs out: smaller forward passes at the same effective batch, then activations computed twice."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from studio.training.elsewhere.accelerate import processes, share_of
from studio.training.folder import RunFolder, Status, write_json
from studio.training.recipe import Recipe, least_batch
from studio.training.recipe_file import read_recipe

KILLED = "killed_for_memory"
"""The fact of a run's result that says so of a trainer which the system ended."""

_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "bad_alloc",
    "alloc_failed",
    "could not create a memory object",
    "unable to allocate",
)


@dataclass(frozen=True)
class Adjusted:
    """How a run trains since its memory ran out; kept in its folder, for each later part of it."""

    batch_size: int
    gradient_accumulation: int
    gradient_checkpointing: bool
    said: tuple[str, ...]
    """What was changed and when, a sentence a time."""


class RanOutError(Exception):
    """Memory ran out where a run may go on with less."""

    def __init__(self, when: str, recipe: Recipe) -> None:
        super().__init__(when)
        self.when = when
        self.recipe = recipe
        """What the process trained by."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory ran out, on a GPU or on the processor."""
    if isinstance(error, MemoryError):
        return True
    text = f"{type(error).__name__}: {error}".lower()
    return isinstance(error, RuntimeError | OSError) and any(sign in text for sign in _SIGNS)


def adjusted(folder: RunFolder, recipe: Recipe) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe as the run now trains by it, and what was changed."""
    found = _read(folder)
    if found is None:
        return recipe, ()
    changed = replace(
        recipe,
        batch_size=found.batch_size,
        gradient_accumulation=found.gradient_accumulation,
        gradient_checkpointing=found.gradient_checkpointing,
    )
    return changed, found.said


def retreat(folder: RunFolder, when: str, trained_by: Recipe | None = None) -> str | None:
    """Let the run need less memory from its next start on.

    Args:
        folder: the run's.
        when: at what it ran out, in words.
        trained_by: the recipe of the process that ran out of it; another of the run may have changed things already.

    Returns:
        What was changed, as a sentence; None where nothing is left to change.
    """
    recipe, said = adjusted(folder, read_recipe(folder.recipe))
    share = share_of(recipe, processes())
    if said and trained_by is not None and share != trained_by:
        return said[-1]
    together = recipe.batch_size * recipe.gradient_accumulation
    # Of several processes each computes on its share, which may be smaller than the batch that was asked for.
    rows = share.batch_size * share.gradient_accumulation
    smaller = range(share.batch_size // 2, least_batch(recipe.method) - 1, -1)
    if batch := next((n for n in smaller if rows % n == 0), None):
        recipe = replace(recipe, batch_size=batch, gradient_accumulation=together // batch)
        change = f"batch_size={batch} with gradient_accumulation={together // batch}, which is the same effective batch"
    elif not recipe.gradient_checkpointing:
        recipe = replace(recipe, gradient_checkpointing=True)
        change = "gradient_checkpointing=true"
    else:
        return None
    sentence = f"Memory ran out {when}; the run goes on with {change}."
    after = Adjusted(recipe.batch_size, recipe.gradient_accumulation, recipe.gradient_checkpointing, (*said, sentence))
    write_json(folder.adjusted, asdict(after))
    return sentence


def learn_from_death(folder: RunFolder, result: Mapping[str, Any]) -> dict[str, Any]:
    """Let a run that the system ended for want of memory need less of it; return its result without that death."""
    if result.get(KILLED):
        retreat(folder, "and the system ended the trainer")
    return {name: value for name, value in result.items() if name != KILLED}


def was_killed(status: Status | None) -> bool:
    """Tell whether the system has ended processes for want of memory since a trainer that is gone started."""
    counted = kills()
    return bool(status and status.memory_kills is not None and counted is not None and counted > status.memory_kills)


def kills() -> int | None:
    """Return how many processes this machine, or this container, has ended for want of memory since it started."""
    of_machine = _count(Path("/proc/vmstat"))
    # The machine's count holds those of its containers. One's own group would mislead where there is no need of it,
    # since who looks may be in another than the trainer was.
    return of_machine if of_machine is not None else _count(_own_group() / "memory.events")


def _count(path: Path) -> int | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def _own_group() -> Path:
    try:
        line = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()[-1]
    except (OSError, ValueError, IndexError):
        return Path(os.devnull)
    return Path("/sys/fs/cgroup") / line.rpartition(":")[2].lstrip("/")


def _read(folder: RunFolder) -> Adjusted | None:
    try:
        table = json.loads(folder.adjusted.read_text(encoding="utf-8"))
        return Adjusted(**table | {"said": tuple(table["said"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
