"""The values that a field of a new run can be given from a list, each with words."""

from dataclasses import dataclass

from store import responses, runs
from store.database import Store
from studio.packaged import installed
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.recipe import EXPERIMENTAL_LOSSES


@dataclass(frozen=True)
class Value:
    """One line of the list."""

    text: str
    """What the field says then."""
    words: str


def values(name: str, choices: tuple[str, ...], project: Project, store: Store) -> list[Value]:
    """Return what a field can be given; nothing where it can be any text or number."""
    match name:
        case "model":
            return _models(project, store)
        case "parent":
            return _parents(project, store)
        case "teacher":
            return [Value("", "the newest answer of any model")] + [
                Value(author, f"{author}, {count:,} responses") for author, count in responses.teachers(store)
            ]
        case "checks":
            return [Value("", "all of them")] + [
                Value(each.name, f"{each.name}: {each.kind} {each.value or each.field}".rstrip())
                for each in project.settings.checks
            ]
    return [Value(each, f"{each} (experimental in TRL)" if each in EXPERIMENTAL_LOSSES else each) for each in choices]


def can_be_parent(project: Project, run_id: str) -> bool:
    """Tell whether a run has left an adapter or a model that another can go on from."""
    folder = RunFolder(project.runs / run_id)
    return (folder.adapter / "adapter_config.json").is_file() or folder.model.exists()


def _models(project: Project, store: Store) -> list[Value]:
    known = {project.settings.model: "the project's own"} | dict.fromkeys(installed(), "installed as a package")
    for run in runs.all_runs(store):
        known.setdefault(run.base_model, f"{run.id} was trained on it")
    return [Value(name, f"{name}, {words}") for name, words in ({project.settings.model: ""} | known).items()]


def _parents(project: Project, store: Store) -> list[Value]:
    found = [run for run in runs.all_runs(store) if can_be_parent(project, run.id)]
    named = [(run, f" {run.name}" if run.name else "") for run in found]
    fresh = Value("", "none: begin with a fresh adapter")
    return [fresh] + [Value(run.id, f"{run.id}{name}, {run.status}, of {run.base_model}") for run, name in named]
