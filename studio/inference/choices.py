"""What there is to talk to: the runs that have learnt something, and the base models."""

from dataclasses import dataclass

from store import runs
from store.database import Store
from store.errors import MissingRowError
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.history.overview import parity_badge


@dataclass(frozen=True)
class Choice:
    """One line of the list to choose from."""

    ref: str
    """A run's id or a model's name."""
    words: str


def choices(project: Project, store: Store) -> list[Choice]:
    """Return the runs, newest first, then the models that they and the project name."""
    ready = [r for r in runs.all_runs(store) if RunFolder(project.runs / r.id).can_chat]
    found = [Choice(r.id, f"{r.id} beside {r.base_model} ({parity_badge(r)})") for r in ready]
    models = dict.fromkeys([project.settings.model, *(r.base_model for r in ready)])
    return found + [Choice(name, f"{name} alone") for name in models]


def describe_model(store: Store, name: str) -> str:
    """Return a model's name with what is proven of its tokens."""
    try:
        return f"{name}: {parity_badge(runs.get(store, name))}"
    except MissingRowError:
        return f"{name}: base model"
