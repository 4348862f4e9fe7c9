"""What a run would be, said before it is started: rows and tokens, findings, memory, time, the first batch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace

from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.training.plan.asking import ask
from studio.training.plan.facts import Change, Plan
from studio.training.plan.question import Question
from studio.training.plan.reading import plan_of
from studio.training.plan.words import lines
from studio.training.recipe import Method

__all__ = ["Plan", "check_fits", "fitted", "lines", "make", "overrides_of"]

MODULE = "studio.training.plan.worker"


def _never() -> bool:
    return False


def make(
    project: Project,
    store: Store,
    method: Method,
    overrides: Sequence[str] = (),
    model: str | None = None,
    parent: str | None = None,
    cancelled: Callable[[], bool] = _never,
    *,
    timed: bool = False,
    on_progress: Callable[[str], None] | None = None,
) -> Plan | None:
    """Plan a run in a process of its own, and wait for it; None where it was cancelled.

    It takes a second or two, and as many more as a few real steps take where these are to be timed too.

    Args:
        project: where the rows come from.
        store: its database, for the parent.
        method: what is done.
        overrides: changes of the recipe, each KEY=VALUE.
        model: the base model; the parent's or the project's when left out.
        parent: the run that it goes on from.
        cancelled: asked again and again whether anybody still waits.
        timed: whether a few real steps are taken, which tells the time, the memory and the first batch.
        on_progress: told what is being done.

    Raises:
        StudioError: a setting does not fit, the model is not to be had, or the process failed.
    """
    from store import runs
    from studio.models import prepare
    from studio.training.trainer.starting_point import base_of

    say = on_progress or (lambda _: None)
    base = base_of(project, runs.get(store, parent) if parent else None, model)
    prepare(base, "weights", on_progress=say)
    say("taking a few real steps" if timed else "counting rows and tokens")
    question = Question(method, tuple(overrides), model, parent, timed)
    found = ask(MODULE, project.folder, asdict(question), cancelled)
    return plan_of(found) if found is not None else None


def fitted(plan: Plan) -> tuple[str, ...]:
    """Return the overrides with the changes that let the run fit into the memory."""
    changed = overrides_of(plan.changes)
    names = {text.partition("=")[0] for text in changed}
    return (*(text for text in plan.overrides if text.partition("=")[0].strip() not in names), *changed)


def check_fits(plan: Plan) -> None:
    """Raise a StudioError where a run does not fit into the memory even with the changes."""
    if plan.memory is None:
        return
    least = replace(plan.memory, needed=plan.changes[-1].needed) if plan.changes else plan.memory
    if not least.fits:
        raise StudioError(
            f"No change of the recipe lets the run fit: {least.sentence}.",
            "Use a smaller model or free some memory; without --fit it starts all the same.",
        )


def overrides_of(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return what changes come to, each KEY=VALUE: the last of each key counts."""
    values = dict(text.split("=", 1) for change in changes for text in change.overrides)
    return tuple(f"{name}={value}" for name, value in values.items())
