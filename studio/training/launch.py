"""Starting, stopping and resuming runs: a start freezes the data into a folder, which the queue then trains."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from store import runs, snapshots
from store.database import Store, now
from store.runs import ACTIVE, UNENDED, Run
from studio import __version__
from studio.chat_templates import ChatTemplate
from studio.checks.settings import Check, chosen
from studio.errors import StudioError
from studio.models import BaseModel, check_unchanged, model_hash, prepare, resolve
from studio.process import launching
from studio.project import Project
from studio.snapshots import Built
from studio.training.faults import memory
from studio.training.folder import Description, RunFolder, write_json
from studio.training.history.watch import sync_run
from studio.training.plan.findings import refuse_spoilt
from studio.training.recipe import Recipe, as_table, make_recipe
from studio.training.recipe_file import write_recipe
from studio.training.rows.enough import refuse_too_little
from studio.training.rows.run_data import write_data
from studio.training.rows.run_rows import rows_of
from studio.training.trainer.starting_point import (
    base_of,
    check_kin,
    parent_adapter,
    shape_of,
    template_of,
    with_shape_of,
)
from studio.training.waiting.queue import active, enqueue

Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Made:
    """All that a run is made of."""

    recipe: Recipe
    base: BaseModel
    base_hash: str
    built: Built
    template: ChatTemplate
    parent: Run | None
    parent_adapter: str | None
    checks: tuple[Check, ...]
    """What rewards an answer, where the method learns by trying."""

    @property
    def rows(self) -> int:
        """How many rows there are to train on."""
        return int(self.built.snapshot.counts.get("train", 0))


def start_run(
    project: Project,
    store: Store,
    method: str,
    *,
    model: str | None = None,
    overrides: list[str] | None = None,
    parent: str | None = None,
    despite_findings: bool = False,
    on_progress: Progress | None = None,
) -> str:
    """Freeze the data, write the run's folder, put the run into the queue; return its id.

    It trains at once where there is a place, and after those that came before it otherwise.

    Raises:
        StudioError: a setting does not fit, there is too little data, the checks found errors in too much of it
            (unless it is `despite_findings`), or the model is not to be had.
    """
    say = on_progress or (lambda _: None)
    made = _make(project, store, method, model, overrides or [], parent, say)
    if not despite_findings:
        refuse_spoilt(store, made.built)
    active(project, store)  # a start that broke off is found out only while nobody holds the lock
    say(f"writing {len(made.built.rows):,} rows")
    with launching(project.runs):
        run_id = _write(project, store, made)
        enqueue(project, store, run_id)
    return run_id


def _make(
    project: Project,
    store: Store,
    method: str,
    model: str | None,
    overrides: list[str],
    parent: str | None,
    say: Progress,
) -> _Made:
    recipe = make_recipe(method, overrides)
    parent_run = runs.get(store, parent) if parent else None
    if parent_run:
        check_kin(parent_run, recipe)
    base = base_of(project, parent_run, model)
    adapter = parent_adapter(project, parent_run, base)
    checks = chosen(project.settings.checks, recipe.checks) if recipe.method == "grpo" else ()
    say("collecting the rows")
    built = rows_of(store, recipe, parent_run)
    refuse_too_little(method, built.snapshot.counts)
    recipe = make_recipe(method, overrides, rows=built.snapshot.counts.get("train", 0))
    if parent_run:
        recipe = with_shape_of(parent_run, recipe, overrides)
    prepare(base, "tokenizer", on_progress=say)
    template = template_of(project, base, parent_run)
    say(f"hashing {base.name}")
    digest = model_hash(base)
    if parent_run and adapter:
        check_unchanged(base, parent_run.base_hash)
    return _Made(recipe, base, digest, built, template, parent_run, adapter, checks)


def _write(project: Project, store: Store, made: _Made) -> str:
    snapshots.save(store, made.built.snapshot)
    run_id = runs.add(
        store,
        method=made.recipe.method,
        base_model=made.base.name,
        base_hash=made.base_hash,
        snapshot_id=made.built.snapshot.id,
        recipe=as_table(made.recipe),
        parent_id=made.parent.id if made.parent else None,
        after=highest_number(project.runs),
    )
    folder = RunFolder(project.runs / run_id)
    try:
        _write_folder(folder, run_id, made)
    except OSError as error:
        message = f"{folder.path} can't be written: {error.strerror}."
        runs.update(store, run_id, status="failed", error=message)
        raise StudioError(message, "Free some disk space and start again.") from error
    return run_id


def _write_folder(folder: RunFolder, run_id: str, made: _Made) -> None:
    folder.path.mkdir(parents=True, mode=0o700)
    description = Description(
        id=run_id,
        method=made.recipe.method,
        base_model=made.base.name,
        base_hash=made.base_hash,
        snapshot=made.built.snapshot.id,
        parent=made.parent.id if made.parent else None,
        parent_adapter=made.parent_adapter,
        studio_version=__version__,
        chat_template=made.template.origin,
    )
    write_json(folder.description, description)
    write_data(folder, made.built.rows, made.base, made.template, made.checks)
    # Last, since a folder with a recipe can be started again.
    write_recipe(made.recipe, folder.recipe, rows=made.rows, kept=shape_of(made.parent) if made.parent else ())


def stop_run(project: Project, store: Store, run_id: str) -> None:
    """Ask a run to stop at the end of its step, keeping a checkpoint; one that waits leaves the queue.

    Raises:
        StudioError: the run is not going on and does not wait.
    """
    with launching(project.runs):
        if runs.get(store, run_id).status == "queued":
            runs.update(store, run_id, status="stopped", ended_at=now())
            return
    run = sync_run(project, store, run_id)
    if run.status not in ACTIVE or run.pid is None:
        raise StudioError(f"{run_id} is not running; it is {run.status}.")
    try:
        os.kill(run.pid, signal.SIGTERM)
    except ProcessLookupError:
        raise StudioError(f"{run_id} has just ended.", f"See `studio runs {run_id}`.") from None
    runs.update(store, run_id, status="stopping")


def put_first(project: Project, store: Store, run_id: str) -> None:
    """Let a waiting run be the next one to train.

    Raises:
        StudioError: the run does not wait.
    """
    with launching(project.runs):
        if not runs.put_first(store, run_id):
            raise StudioError(
                f"{run_id} does not wait; it is {runs.get(store, run_id).status}.",
                "A stopped or failed run is put into the queue by studio resume.",
            )


def resume_run(project: Project, store: Store, run_id: str) -> None:
    """Put a stopped or failed run into the queue again: it goes on from its last checkpoint, or from its beginning.

    Raises:
        StudioError: the run is going on, waits or is done, or its folder is gone.
    """
    run = sync_run(project, store, run_id)
    if run.status in UNENDED or run.status == "done":
        raise StudioError(f"{run_id} is {run.status}; there is nothing to resume.")
    folder = RunFolder(project.runs / run_id)
    if not folder.recipe.is_file():
        raise StudioError(f"{folder.path} is gone or not complete.", f"Start anew: studio train {run.method}.")
    check_unchanged(resolve(run.base_model), run.base_hash)
    active(project, store)
    with launching(project.runs):
        run = runs.get(store, run_id)
        if run.status in UNENDED:
            raise StudioError(f"{run_id} goes on already.")
        # Once for each death, however often it is put into the queue.
        runs.update(store, run_id, status=run.status, result=memory.learn_from_death(folder, run.result))
        enqueue(project, store, run_id)


def highest_number(folder: Path) -> int:
    """Return the highest number of a run's folder, which may be left from a database that is no more."""
    ends = (path.name.rpartition("-")[2] for path in folder.glob("*-*"))
    return max((int(end) for end in ends if end.isdecimal()), default=0)
