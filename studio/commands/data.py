"""`studio import`, `export` and `formats`: data in and data out."""

import json
from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.commands.import_data import import_


@click.command("export")
@click.argument("format_name", metavar="FORMAT")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--split", type=click.Choice(["train", "validation", "test"]), help="Only this part.")
@click.option("--query", default="", help="Only the examples that it finds, or the pairs of these.")
@click.option("--snapshot", metavar="ID", help="What an earlier export or a run used, exactly.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show the first row and the counts.")
@project_option
@json_option
def export(
    format_name: str,
    out: Path,
    split: str | None,
    query: str,
    snapshot: str | None,
    dry_run: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Write a data set in FORMAT to OUT (.jsonl, .json, .csv or .parquet), with a manifest beside it."""
    from studio.exporting import export as write

    if snapshot and (split or query):
        raise click.UsageError("--snapshot is exported whole, without --split and --query.")
    with opened(folder) as (project, store):
        report = write(project, store, format_name, out, split=split, query=query, snapshot=snapshot, dry_run=dry_run)
    if as_json:
        print_json(report)
        return
    if dry_run:
        say(json.dumps(report.first, ensure_ascii=False, indent=2))
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


COMMANDS = (import_, export, formats)
