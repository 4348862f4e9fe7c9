"""`studio import`, `export`, `formats` and `compare`: data in, data out, and what the labels say."""

import json
from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.commands.import_data import import_
from studio.errors import StudioError


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


@click.command("compare")
@project_option
@json_option
def compare(folder: Path, as_json: bool) -> None:
    """Show the labelling statistics: counts, position bias, agreement with oneself, pace."""
    from studio.labelling.report import report

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
