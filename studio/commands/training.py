"""`studio train`, `runs`, `stop`, `resume` and `logs`: starting runs and looking after them."""

import time
from pathlib import Path

import click

from store.database import Store
from store.runs import ACTIVE, Run
from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError
from studio.project import Project

POLL_SECONDS = 1.0


@click.command("train")
@click.argument("method", type=click.Choice(["sft", "dpo"]))
@click.option("--model", help="The base model; the project's own when left out.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a field of the recipe.")
@click.option("--parent", metavar="RUN", help="Go on from this run's adapter.")
@click.option("--wait", is_flag=True, help="Stay until the run has ended.")
@project_option
@json_option
def train(
    method: str,
    model: str | None,
    overrides: tuple[str, ...],
    parent: str | None,
    wait: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Start a run with METHOD and print its id; it goes on when the terminal is closed."""
    from studio.training.launch import start_run
    from studio.training.watch import sync_run

    with opened(folder) as (project, store):
        run_id = start_run(
            project, store, method, model=model, overrides=list(overrides), parent=parent, on_progress=progress
        )
        progress_done()
        if not as_json:
            say(run_id)
        run = _wait(project, store, run_id) if wait else sync_run(project, store, run_id)
    if as_json:
        print_json(run)
    if run.status == "failed":
        raise StudioError(f"{run_id} failed: {run.error}", f"Read `studio logs {run_id}`.")


def _wait(project: Project, store: Store, run_id: str) -> Run:
    from studio.training.watch import describe_progress, sync_run

    while True:
        run = sync_run(project, store, run_id)
        if run.status not in ACTIVE:
            progress_done()
            return run
        progress(f"{run_id}: {describe_progress(project, store, run)}")
        time.sleep(POLL_SECONDS)


@click.command("runs")
@click.argument("run_id", required=False, metavar="[RUN]")
@project_option
@json_option
def runs(run_id: str | None, folder: Path, as_json: bool) -> None:
    """List the runs, or show one with its recipe, metrics and results."""
    from store import runs as table
    from studio.training.watch import describe_progress, describe_run, sync_all, sync_run

    with opened(folder) as (project, store):
        if run_id is None:
            found = sync_all(project, store)
            lines = [
                f"{r.id:<10} {r.status:<9} {r.base_model:<12} {r.created_at[:16]}  "
                + describe_progress(project, store, r)
                for r in found
            ]
            document: object = found
        else:
            run = sync_run(project, store, run_id)
            lines = describe_run(project, store, run)
            document = {"run": run, "metrics": table.metrics(store, run_id)}
    if as_json:
        print_json(document)
    elif not lines:
        say("No runs yet. Start one with `studio train dpo`.")
    else:
        for line in lines:
            say(line)


@click.command("stop")
@click.argument("run_id", metavar="RUN")
@project_option
def stop(run_id: str, folder: Path) -> None:
    """Stop a run at the end of its step, keeping a checkpoint."""
    from studio.training.launch import stop_run

    with opened(folder) as (project, store):
        stop_run(project, store, run_id)
    say(f"{run_id} is stopping; `studio resume {run_id}` goes on from its checkpoint.")


@click.command("resume")
@click.argument("run_id", metavar="RUN")
@project_option
def resume(run_id: str, folder: Path) -> None:
    """Start a stopped or failed run again from its last checkpoint, or from its recipe where it has none."""
    from studio.training.launch import resume_run

    with opened(folder) as (project, store):
        resume_run(project, store, run_id)
    say(f"{run_id} goes on; `studio runs {run_id}` shows it.")


@click.command("logs")
@click.argument("run_id", metavar="RUN")
@click.option(
    "--lines", "-n", type=click.IntRange(min=1), default=50, show_default=True, help="How many lines from the end."
)
@project_option
def logs(run_id: str, lines: int, folder: Path) -> None:
    """Print the end of a run's log."""
    from studio.training.watch import log_tail, sync_run

    with opened(folder) as (project, store):
        sync_run(project, store, run_id)
        for line in log_tail(project, run_id, lines):
            say(line)


COMMANDS = (train, runs, stop, resume, logs)
