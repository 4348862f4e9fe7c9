"""Where the quantised forms of a run or of a base model lie, and the names by which they are asked for."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from store import runs
from store.database import Store
from store.errors import MissingRowError
from studio.errors import StudioError
from studio.inference.quantising.types import TYPES
from studio.models import resolve
from studio.project import Project

MARK = "@"
"""Between a model and a type, as in `dpo-1@Q4_K_M`."""


@dataclass(frozen=True)
class Place:
    """The folder of one model's quantised forms."""

    ref: str
    """The run's id or the base model's name."""
    folder: Path

    def gguf(self, type_: str) -> Path:
        """The quantised model."""
        return self.folder / f"{type_}.gguf"

    def report(self, type_: str) -> Path:
        """What is known of it."""
        return self.folder / f"{type_}.json"

    @property
    def full(self) -> Path:
        """The merged model in 16-bit floats; there only while something is made of it."""
        return self.folder / "full.gguf"

    @property
    def state(self) -> Path:
        """How far the process is that makes them: see `state.State`."""
        return self.folder / "state.json"

    @property
    def log(self) -> Path:
        """All that this process printed."""
        return self.folder / "log.txt"

    @property
    def made(self) -> list[str]:
        """The types that there are, largest first."""
        return [name for name in TYPES if self.gguf(name).is_file()]


def place_of(project: Project, store: Store, ref: str) -> Place:
    """Return where the quantised forms of a run or a model lie, or are to lie.

    Raises:
        StudioError: there is neither a run nor a model of that name.
    """
    try:
        return Place(ref, project.runs / runs.get(store, ref).id / "quantised")
    except MissingRowError:
        return Place(ref, project.folder / "quantised" / _folder_name(resolve(ref).name))


def parted(ref: str) -> tuple[str, str] | None:
    """Return the model and the type that a name such as `dpo-1@Q4_K_M` stands for; None where it names no type."""
    model, mark, type_ = ref.rpartition(MARK)
    return (model, type_.upper()) if mark and model and type_.upper() in TYPES else None


def model_of(ref: str) -> str:
    """Return the run or model that a name stands for, without the type."""
    found = parted(ref)
    return found[0] if found else ref


def quantised_gguf(project: Project, store: Store, model: str, type_: str) -> Path:
    """Return the file of a quantised form.

    Raises:
        StudioError: it was not made yet.
    """
    place = place_of(project, store, model)
    if not place.gguf(type_).is_file():
        raise StudioError(
            f"{model} was not quantised to {type_}{_others(place)}.",
            f"Make it: studio quantize {model} --type {type_}.",
        )
    return place.gguf(type_)


def _others(place: Place) -> str:
    return f", only to {', '.join(place.made)}" if place.made else ""


def _folder_name(name: str) -> str:
    """Return a model's name as one of a folder; a path by its last part and a few digits that tell it from others."""
    if re.fullmatch(r"[\w.-]+", name):
        return name
    digits = hashlib.sha256(name.encode()).hexdigest()[:8]
    stem = re.sub(r"[^\w.-]+", "-", Path(name).stem)
    return f"{stem}-{digits}"
