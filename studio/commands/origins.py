"""`studio origins`: the training examples that a reply may come from."""

import sys
from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.commands.search import make_all_searchable
from studio.errors import StudioError
from studio.text import clean_line

SHOWN = 200
"""Characters of an excerpt that are printed."""


@click.command("origins")
@click.argument("text")
@click.option("--run", help="Only examples that this run was given.")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Examples that are printed.")
@project_option
@json_option
def origins(text: str, run: str | None, limit: int, folder: Path, as_json: bool) -> None:
    """Find the training examples nearest to a reply: TEXT, or - to read it from standard input.

    Each comes with its record, file and line. Nearness of words is no proof that it was learnt there.
    """
    from studio.retrieval.origins import origins as look

    said = sys.stdin.read() if text == "-" else text
    if not said.strip():
        raise StudioError("There is no text to look for.", "Give the reply, or - and the reply on standard input.")
    with opened(folder) as (_, store):
        make_all_searchable(store)
        found = look(store, said, run=run, limit=limit)
    if as_json:
        print_json(found)
        return
    for origin in found:
        learnt = f", {'learnt from' if origin.in_training else 'held out'}" if run else ""
        say(f"{origin.score:>5.0%}  example {origin.example_id}  {origin.place}  {origin.part}, {origin.split}{learnt}")
        if origin.shared:
            say(f'       word for word: "{clean_line(origin.shared)[:SHOWN]}"')
        else:
            say(f"       {clean_line(origin.excerpt)[:SHOWN]}")
    if not found:
        say("No example has telling words of it.", err=True)


COMMANDS = (origins,)
