"""Where a new run would begin: what is proposed, what its parent decides, and which run it waits for."""

from typing import Any

from screens.run_choices import can_be_parent
from store import examples, journal, runs
from store.database import Store
from store.runs import UNENDED, Run
from studio.project import Project
from studio.training.recipe import Method, Recipe


def proposed_method(store: Store) -> Method:
    """Return the method to begin with: learning from the judged pairs, or from examples where nothing is judged yet."""
    return "dpo" if journal.has_verdicts(store) or not examples.span(store) else "sft"


def proposed(project: Project, before: Run | None) -> tuple[str, str]:
    """Return the model and the parent to begin with: those of a run that has learnt answers, or the project's own."""
    if before and before.status == "done" and before.method == "sft" and can_be_parent(project, before.id):
        return before.base_model, before.id
    return project.settings.model, ""


def waiting(project: Project, store: Store) -> str:
    """Return a sentence on what a new run waits for, after a space; empty where it begins at once."""
    going_on = [run.id for run in runs.all_runs(store) if run.status in UNENDED]
    at_once = project.settings.train.at_once
    if len(going_on) < at_once:
        return ""
    return f" It waits until {going_on[0]} has ended." if at_once == 1 else " It waits for its turn."


def kept_of_parent(project: Project, parent: str, model: str, recipe: Recipe, store: Store) -> dict[str, Any]:
    """Return what the parent's adapter decides.

    Raises:
        StudioError: a run can't begin with this model and this parent.
    """
    from studio.training.trainer.starting_point import base_of, check_kin, parent_adapter, shape_of

    run = runs.get(store, parent) if parent else None
    if run is not None:
        check_kin(run, recipe)
    base = base_of(project, run, model or None)
    parent_adapter(project, run, base)
    return shape_of(run) if run is not None else {}
