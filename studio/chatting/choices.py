"""What there is to talk to: the runs that have learnt something, and the base models."""

from dataclasses import dataclass

from store import runs
from store.database import Store
from store.errors import MissingRowError
from studio.inference.quantising.places import MARK, model_of, parted, place_of
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
    """Return the runs, newest first, with their quantised forms, then the models that they and the project name."""
    ready = [r for r in runs.all_runs(store) if RunFolder(project.runs / r.id).can_chat]
    found = []
    for run in ready:
        found.append(Choice(run.id, f"{run.id} beside {run.base_model} ({parity_badge(run)})"))
        forms = [f"{run.id}{MARK}{type_}" for type_ in place_of(project, store, run.id).made]
        found += [Choice(form, f"{form} beside {run.id}") for form in forms]
    models = dict.fromkeys([project.settings.model, *(r.base_model for r in ready)])
    return found + [Choice(name, f"{name} alone") for name in models]


def sides_of(store: Store, ref: str) -> list[str]:
    """Return who answers for a run's id (its base, then itself) or for a model's name (itself).

    A quantised form answers beside the model that it was made of.
    """
    if quantised := parted(ref):
        return [quantised[0], ref]
    try:
        return [runs.get(store, ref).base_model, ref]
    except MissingRowError:
        return [ref]


def describe_model(store: Store, name: str) -> str:
    """Return a model's name with what is proven of its tokens."""
    try:
        return f"{name}: {parity_badge(runs.get(store, model_of(name)))}"
    except MissingRowError:
        return f"{name}: base model"
