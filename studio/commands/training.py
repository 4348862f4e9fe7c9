"""`studio train`, `stop`, `resume`, `next` and `logs`: starting runs and looking after them."""

import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from store import runs
from store.database import Store
from store.runs import UNENDED, Run
from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError
from studio.project import Project

if TYPE_CHECKING:
    from studio.training.plan import Plan
    from studio.training.plan.batch import Request
    from studio.training.recipe import Method

POLL_SECONDS = 1.0


@click.command("train")
@click.argument("method", type=click.Choice(["sft", "dpo", "kto", "reward", "grpo", "distill"]))
@click.option("--model", help="The base model; the parent's, or else the project's own, when left out.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a field of the recipe; `studio recipe METHOD` lists them.",
)
@click.option("--parent", metavar="RUN", help="Go on from this run: its adapter, or its whole model.")
@click.option("--wait", is_flag=True, help="Stay until the run has ended.")
@click.option("--plan", "plan_only", is_flag=True, help="Say what the run would be, and start nothing.")
@click.option("--timed", is_flag=True, help="With --plan: take a few real steps, which tell the time and the memory.")
@click.option("--batch", is_flag=True, help="With --plan: show the first batch as text, what is learnt in brackets.")
@click.option("--fit", is_flag=True, help="Change the recipe so that the run fits into the memory that is free.")
@click.option("--despite-findings", is_flag=True, help="Start it also where the checks found errors in many rows.")
@project_option
@json_option
def train(
    method: "Method",
    model: str | None,
    overrides: tuple[str, ...],
    parent: str | None,
    wait: bool,
    plan_only: bool,
    timed: bool,
    batch: bool,
    fit: bool,
    despite_findings: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Start a run with METHOD and print its id; it goes on when the terminal is closed."""
    from studio.training.history.watch import sync_run
    from studio.training.launch import start_run
    from studio.training.plan.batch import Request

    if (timed or batch) and not plan_only:
        raise click.UsageError(f"--{'timed' if timed else 'batch'} goes with --plan.")
    with opened(folder) as (project, store):
        make = partial(_plan, project, store, method, model=model, parent=parent)
        if fit:
            overrides = _fitted(make(overrides), must_fit=not plan_only)
        if plan_only:
            request = Request(method, (), tuple(overrides), model, parent) if batch else None
            _print_plan(project, store, make(overrides, timed=timed), request, as_json)
            return
        run_id = start_run(
            project,
            store,
            method,
            model=model,
            overrides=list(overrides),
            parent=parent,
            despite_findings=despite_findings,
            on_progress=progress,
        )
        progress_done()
        if not as_json:
            say(run_id)
        run = _wait(project, store, run_id) if wait else sync_run(project, store, run_id)
    if as_json:
        print_json(run)
    if run.status == "failed":
        raise StudioError(f"{run_id} failed: {run.error}", f"Read `studio logs {run_id}`.")


def _plan(
    project: Project,
    store: Store,
    method: "Method",
    overrides: tuple[str, ...],
    *,
    model: str | None,
    parent: str | None,
    timed: bool = False,
) -> "Plan":
    from studio.training import plan

    found = plan.make(project, store, method, overrides, model, parent, timed=timed, on_progress=progress)
    progress_done()
    assert found is not None  # nobody cancels it
    return found


def _fitted(found: "Plan", *, must_fit: bool) -> tuple[str, ...]:
    """Return the overrides with which the run fits into the memory, and say what was changed.

    Raises:
        StudioError: it must fit, and it can't be made to.
    """
    from studio.training import plan

    if must_fit:
        plan.check_fits(found)
    if found.changes:
        say(f"changed to fit: {' '.join(plan.overrides_of(found.changes))}", err=True)
    return plan.fitted(found)


def _print_plan(project: Project, store: Store, found: "Plan", asked: "Request | None", as_json: bool) -> None:
    from studio.training import plan
    from studio.training.plan import batch_words
    from studio.training.plan.batch import read_batch, tokenizer_of

    if not as_json:
        for line in plan.lines(found):
            say(line)
    batch, problem = None, ""
    try:
        batch = read_batch(project.folder, asked, lambda: False) if asked else None
    except StudioError as error:
        # A plan that says what stands in the way is worth more than none.
        problem = f"no first batch: {error}"
    if as_json:
        print_json({**asdict(found), "batch": batch, "batch_problem": problem} if asked else found)
    elif asked:
        say("")
        for line in batch_words.lines(batch, tokenizer_of(project, store, asked)) if batch else [problem]:
            say(line)


def _wait(project: Project, store: Store, run_id: str) -> Run:
    from studio.training.history.watch import describe_progress, sync_all

    while True:
        # All of them, as its turn comes when another ends.
        sync_all(project, store)
        run = runs.get(store, run_id)
        if run.status not in UNENDED:
            progress_done()
            return run
        progress(f"{run_id}: {describe_progress(project, store, run)}")
        time.sleep(POLL_SECONDS)


@click.command("stop")
@click.argument("run_id", metavar="RUN")
@project_option
def stop(run_id: str, folder: Path) -> None:
    """Stop a run at the end of its step, keeping a checkpoint; take one that waits out of the queue."""
    from studio.training.launch import stop_run

    with opened(folder) as (project, store):
        waited = runs.get(store, run_id).status == "queued"
        stop_run(project, store, run_id)
    if waited:
        say(f"{run_id} waits no more; `studio resume {run_id}` puts it back, at the end.")
    else:
        say(f"{run_id} is stopping; `studio resume {run_id}` goes on where it was.")


@click.command("resume")
@click.argument("run_id", metavar="RUN")
@project_option
def resume(run_id: str, folder: Path) -> None:
    """Put a stopped or failed run into the queue again.

    It goes on from its last checkpoint, or from its beginning where it has none.
    """
    from studio.training.launch import resume_run

    with opened(folder) as (project, store):
        resume_run(project, store, run_id)
        waits = runs.get(store, run_id).status == "queued"
    doing = "waits for its turn" if waits else "goes on"
    say(f"{run_id} {doing}; `studio runs {run_id}` shows it.")


@click.command("next")
@click.argument("run_id", metavar="RUN")
@project_option
def put_next(run_id: str, folder: Path) -> None:
    """Let a waiting run train before the others that wait."""
    from studio.training.launch import put_first

    with opened(folder) as (project, store):
        put_first(project, store, run_id)
    say(f"{run_id} is the next to train.")


@click.command("logs")
@click.argument("run_id", metavar="RUN")
@click.option(
    "--lines", "-n", type=click.IntRange(min=1), default=50, show_default=True, help="How many lines from the end."
)
@project_option
def logs(run_id: str, lines: int, folder: Path) -> None:
    """Print the end of a run's log."""
    from studio.training.history.watch import log_tail, sync_run

    with opened(folder) as (project, store):
        sync_run(project, store, run_id)
        for line in log_tail(project, run_id, lines):
            say(line)


COMMANDS = (train, stop, resume, put_next, logs)
