"""`studio import`, `export`, `formats` and `compare`: data in, data out, and what the labels say."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from studio.commands.common import (
    json_option,
    opened,
    print_json,
    progress,
    progress_done,
    project_option,
    say,
)
from studio.errors import StudioError

SHOWN_REJECTS = 20
"""How many rejected rows are named one by one; the rest are counted."""


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--format", "format_name", help="The shape of the rows; found by content when left out.")
@click.option("--map", "mappings", multiple=True, metavar="FIELD=COLUMN", help="Which column means what.")
@project_option
@json_option
def import_(
    files: tuple[Path, ...], format_name: str | None, mappings: tuple[str, ...], folder: Path, as_json: bool
) -> None:
    """Add the rows of files as records, with the examples, responses and verdicts that they carry.

    FIELD is one of messages, system, prompt, completion, chosen, rejected, response_a, response_b, verdict.
    """
    from studio.importing import import_file

    mapping = _mapping(mappings)
    reports = []
    with opened(folder) as (project, store):
        for path in files:
            report = import_file(
                project,
                store,
                path,
                format=format_name,
                mapping=mapping,
                on_progress=partial(_show_progress, path.name),
            )
            progress_done()
            reports.append(report)
            if not as_json:
                _say_import(report)
    if as_json:
        print_json(reports)


def _show_progress(name: str, state: Any) -> None:
    progress(f"{name}: {state}")


def _mapping(mappings: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [text.partition("=") for text in mappings]
    for field, sign, column in pairs:
        if not (field and sign and column):
            raise click.UsageError(f"--map takes FIELD=COLUMN, not {field + sign + column!r}.")
    return {field: column for field, _, column in pairs} or None


def _say_import(report: Any) -> None:
    say(report.summary())
    for problem in report.problems[:SHOWN_REJECTS]:
        say(f"  {problem}", err=True)
    if len(report.problems) > SHOWN_REJECTS:
        say(f"  and {len(report.problems) - SHOWN_REJECTS} more; --json lists them all.", err=True)


@click.command("export")
@click.argument("format_name", metavar="FORMAT")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--split", type=click.Choice(["train", "validation", "test"]), help="Only this part.")
@project_option
@json_option
def export(format_name: str, out: Path, split: str | None, folder: Path, as_json: bool) -> None:
    """Write a data set in FORMAT to OUT (.jsonl, .json, .csv or .parquet), with a manifest beside it."""
    from studio.exporting import export as write

    with opened(folder) as (project, store):
        report = write(project, store, format_name, out, split=split)
    if as_json:
        print_json(report)
    else:
        say(report.summary())


@click.command("formats")
@json_option
def formats(as_json: bool) -> None:
    """List what can be read and written."""
    from studio.formats import describe

    known = describe()
    if as_json:
        print_json(known)
        return
    width = max(len(info.name) for info in known)
    for info in known:
        ways = "read, write" if info.reads and info.writes else "read" if info.reads else "write"
        say(f"{info.name:<{width}}  {ways:<11}  {info.title}")


@click.command("compare")
@project_option
@json_option
def compare(folder: Path, as_json: bool) -> None:
    """Show the labelling statistics: counts, position bias, agreement with oneself, pace."""
    from studio.labelling import report

    with opened(folder) as (_, store):
        labels = report(store)
    if as_json:
        print_json(labels)
        return
    if not labels.pairs:
        raise StudioError("There are no pairs to compare yet.", "Import data with two responses to a prompt.")
    verdicts = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in sorted(labels.verdicts.items()))
    say(f"pairs       {labels.pairs}, judged {labels.pairs - labels.unjudged}, to do {labels.unjudged}")
    say(f"verdicts    {verdicts or 'none yet'}")
    say(f"usable      {labels.usable} with a better side")
    say(f"position    {labels.position_sentence}")
    say(f"agreement   with oneself on repeats: {labels.agreement}")
    if labels.median_seconds is not None:
        say(f"pace        median {labels.median_seconds:.1f} s a pair, {labels.pairs_per_minute:.1f} a minute")
    say(f"length      the longer one won {labels.longer_won}")
    for name, share in labels.authors.items():
        say(f"  {name}: better in {share}")


COMMANDS = (import_, export, formats, compare)
