"""`studio runs` and `studio delete`: looking at runs, comparing, naming and deleting them."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from store.database import Store
from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.durations import duration
from studio.errors import StudioError
from studio.project import Project

if TYPE_CHECKING:
    from studio.training.history.overview import RunLine

WIDEST = 40
"""Characters of a run's fact where several stand side by side; with --json they are whole."""

ASKED = 100
"""Characters of a prompt whose answer is shown."""


@click.command("runs")
@click.argument("run_ids", nargs=-1, metavar="[RUN]...")
@click.option("--tree", "as_tree", is_flag=True, help="Show which run went on from which.")
@click.option("--name", help="What RUN is called.")
@click.option("--note", help="What there is to note about RUN.")
@click.option("--tag", "tags", multiple=True, help="Give RUN a tag.")
@click.option("--untag", "untags", multiple=True, metavar="TAG", help="Take a tag from RUN.")
@project_option
@json_option
def runs(
    run_ids: tuple[str, ...],
    as_tree: bool,
    name: str | None,
    note: str | None,
    tags: tuple[str, ...],
    untags: tuple[str, ...],
    folder: Path,
    as_json: bool,
) -> None:
    """List the runs; show one with all that is known of it; compare several."""
    says_something = name is not None or note is not None or bool(tags or untags)
    if says_something and len(run_ids) != 1:
        raise StudioError(
            "--name, --note, --tag and --untag are about one run.", "Name it: studio runs RUN --name NAME."
        )
    with opened(folder) as (project, store):
        if says_something:
            describe(store, run_ids[0], name, note, tags, untags)
        if as_tree:
            document, lines = _tree(project, store, run_ids)
        elif not run_ids:
            document, lines = _list(project, store)
        elif len(run_ids) == 1:
            document, lines = _one(project, store, run_ids[0])
        else:
            document, lines = _several(project, store, run_ids)
    if as_json:
        print_json(document)
        return
    for line in lines or ["No runs yet. Start one with `studio train dpo`."]:
        say(line)


@click.command("delete")
@click.argument("run_id", metavar="RUN")
@click.option("--yes", is_flag=True, help="Do not ask.")
@project_option
def delete(run_id: str, yes: bool, folder: Path) -> None:
    """Delete a run with its files; the replies that it made stay."""
    from studio.sizes import size_in_words
    from studio.training.history import deletion

    with opened(folder) as (project, store):
        deletion.refuse(project, store, run_id)
        words = f"{run_id} and its files, {size_in_words(deletion.size(project, run_id))}"
        if not yes:
            if not sys.stdin.isatty():
                raise StudioError(f"Nobody is there to ask whether to delete {words}.", "Say so with --yes.")
            click.confirm(f"Delete {words}? They can't be brought back", abort=True)
        deletion.delete(project, store, run_id)
    say(f"Deleted {words}.")


def describe(
    store: Store, run_id: str, name: str | None, note: str | None, tags: tuple[str, ...], untags: tuple[str, ...]
) -> None:
    """Say what a run is called, what there is to note about it, and change its tags."""
    from store import runs as table

    kept = (set(table.get(store, run_id).tags) | set(tags)) - set(untags)
    table.describe(store, run_id, name=name, note=note, tags=kept)


def _list(project: Project, store: Store) -> tuple[Any, list[str]]:
    from studio.training.history.overview import run_line
    from studio.training.history.watch import sync_all

    found = [run_line(project, store, run) for run in sync_all(project, store)]
    document = [
        {**asdict(line.run), "progress": line.progress, "share": line.share, "seconds_left": line.seconds_left}
        for line in found
    ]
    return document, [
        f"{line.run.id:<10} {line.run.status:<9} {line.run.base_model:<12} {line.run.created_at[:16]}  "
        + ", ".join(filter(None, _told(line)))
        for line in found
    ]


def _told(line: "RunLine") -> Iterator[str]:
    yield line.run.name
    yield from (f"#{tag}" for tag in line.run.tags)
    yield line.progress
    if line.seconds_left is not None:
        yield f"{duration(line.seconds_left)} left"


def _one(project: Project, store: Store, run_id: str) -> tuple[Any, list[str]]:
    from store import runs as table
    from studio.training.folder import RunFolder
    from studio.training.history import lineage
    from studio.training.history.overview import run_detail, run_line
    from studio.training.history.watch import describe_run, sync_run
    from studio.training.watching import machine

    run = sync_run(project, store, run_id)
    line, detail = run_line(project, store, run), run_detail(project, store, run, log_lines=0)
    document = {
        "run": run,
        "progress": line.progress,
        "share": line.share,
        "seconds_left": line.seconds_left,
        "metrics": table.metrics(store, run_id),
        "machine": machine.last(RunFolder(project.runs / run_id).machine),
        "samples": detail.samples,
        "went_on_from": lineage.ancestors(store, run),
        "children": table.children(store, run_id),
    }
    lines = describe_run(project, store, run)
    lines += [f"{name:<10} {words}" for name, words in (("speed", detail.speed), ("machine", detail.machine)) if words]
    lines += [f"warning    {words}" for words in detail.warnings]
    last = max((sample.step for sample in detail.samples), default=0)
    for sample in detail.samples:
        if sample.step == last:
            lines.append(f"asked      {_shortened(sample.prompt, ASKED)}")
            lines.append(f"  step {sample.step:<4}{_on_a_line(sample.reply)}{'' if sample.ended else ' ...'}")
    return document, lines


def _several(project: Project, store: Store, run_ids: tuple[str, ...]) -> tuple[Any, list[str]]:
    from studio.training.history.comparison import compare
    from studio.training.history.comparison_words import parts

    found = compare(project, store, run_ids)
    heading, *told = parts(found, widest=WIDEST)
    return found, heading.lines + [line for part in told for line in ("", part.title, *part.lines)]


def _tree(project: Project, store: Store, run_ids: tuple[str, ...]) -> tuple[Any, list[str]]:
    from studio.training.history.lineage import family, tree
    from studio.training.history.watch import sync_all

    sync_all(project, store)
    found = tree(store)
    if run_ids:
        wanted = set().union(*(family(store, run_id) for run_id in run_ids))
        found = [branch for branch in found if branch.run.id in wanted]
    return [{"run": branch.run.id, "parent": branch.run.parent_id} for branch in found], list(map(str, found))


def _shortened(text: str, most: int) -> str:
    line = _on_a_line(text)
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _on_a_line(text: str) -> str:
    return " ".join(text.split())


COMMANDS = (runs, delete)
