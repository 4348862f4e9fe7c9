"""`studio search`: records and examples found by the same queries that the app takes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from store.query_names import HAS, NAMES
from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.text import clean_line

if TYPE_CHECKING:
    from store.database import Store
    from studio.searching import Found

SHOWN = 100
"""Characters of a row's text that are printed."""


def _explanation() -> str:
    names = "\n".join(f"  {name.example:<20} {name.meaning}" for name in NAMES.values())
    has = "\n".join(f"  has:{what:<16} {meaning}" for what, meaning in HAS.items())
    return f"""\b
Words must all occur; "in quotes" they stay together; the last one may go on
where it is not in quotes. -word and -(...) take away, OR is either, parentheses
group. Any other name with a colon is a field of the record.

\b
{names}
  subject:invoice      words in a field; a.b is a field inside another
  score>0.5            a number in a field
  @NAME                a saved query
{has}

All of it, with examples: docs/queries.md."""


class _QueryCommand(click.Command):
    """A command whose words may begin with a minus: -word takes away what has the word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep mistyped options from being searched for."""
        args = ["--help" if argument == "-h" else argument for argument in args]
        known = {name for option in self.get_params(ctx) for name in option.opts}
        for argument in args[: args.index("--")] if "--" in args else args:
            name = argument.partition("=")[0]
            if name.startswith("--") and " " not in argument and name not in known:
                raise click.NoSuchOption(name, possibilities=sorted(known), ctx=ctx)
        return super().parse_args(ctx, args)


# No option of one letter: click would take -has:flag for -h with something after it.
_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@click.command("search", cls=_QueryCommand, epilog=_explanation(), context_settings=_SETTINGS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="QUERY")
@click.option("--kind", type=click.Choice(["record", "example", "both"]), default="both", help="What is looked for.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Rows that are printed.")
@click.option("--count", "only_count", is_flag=True, help="Print only how many there are.")
@click.option("--save", "name", metavar="NAME", help="Keep the query; @NAME stands for it from then on.")
@click.option("--saved", "list_saved", is_flag=True, help="List the saved queries.")
@project_option
@json_option
def search(
    words: tuple[str, ...],
    kind: str,
    limit: int,
    only_count: bool,
    name: str | None,
    list_saved: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Find records and examples: their ids, their places and a line of each."""
    if not words and not list_saved:
        raise click.UsageError("Missing argument 'QUERY'; '' finds everything.")
    query = " ".join(words)
    with opened(folder) as (_, store):
        if list_saved:
            _print_saved(store, as_json)
            return
        if name is not None:
            _save(store, name, query)
        found = _search(store, query, kind, 0 if only_count else limit)
    if as_json:
        print_json({"query": query, **found})
    else:
        _print(found)


def _search(store: "Store", query: str, kind: str, limit: int) -> "dict[str, Found]":
    from studio.searching import search as look

    make_all_searchable(store)
    found: dict[str, Found] = {}
    if kind != "example":
        found["records"] = look(store, "record", query, limit=limit)
    if kind != "record":
        found["examples"] = look(store, "example", query, limit=limit)
    return found


def make_all_searchable(store: "Store") -> None:
    """Make every row findable by its words: after an import that was cut short some are not."""
    from store import search_index

    def show() -> None:
        progress(f"{search_index.pending(store):,} rows to be indexed")

    if search_index.pending(store):
        show()
        search_index.catch_up(store, after_batch=show)
        progress_done()


def _print(found: "dict[str, Found]") -> None:
    for noun, result in found.items():
        width = max((len(hit.place) for hit in result.rows), default=0)
        for hit in result.rows:
            say(f"{noun[:-1]} {hit.id:<7} {hit.place:<{width}}  {clean_line(hit.excerpt)[:SHOWN]}")
    totals = (f"{result.count:,} {noun[:-1] if result.count == 1 else noun}" for noun, result in found.items())
    say(f"{', '.join(totals)}.")


def _save(store: "Store", name: str, query: str) -> None:
    from store import saved_queries

    saved_queries.save(store, name, query)
    say(f"Saved as @{name.strip()}.", err=True)


def _print_saved(store: "Store", as_json: bool) -> None:
    from store import saved_queries

    saved = saved_queries.all_saved(store)
    if as_json:
        print_json(saved)
        return
    named = [(f'@"{each.name}"' if " " in each.name else f"@{each.name}", each.query) for each in saved]
    width = max((len(name) for name, _ in named), default=0)
    for name, query in named:
        say(f"{name:<{width}}  {query}")
    if not saved:
        say("No query is saved yet; --save NAME keeps one.", err=True)


COMMANDS = (search,)
