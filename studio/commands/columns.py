"""`studio columns`: what the columns of the records hold."""

import shutil
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.text import clean_line

if TYPE_CHECKING:
    from store.database import Store
    from studio.columns.statistics import ColumnStatistics, Look

TOP_SHOWN = 5
LONGEST_SHOWN = 50


@click.command("columns")
@click.option("--query", default="", metavar="Q", help="Only of the records that a query finds.")
@project_option
@json_option
def columns(query: str, folder: Path, as_json: bool) -> None:
    """Print of each column what is missing or empty, its types, frequent values, lengths and numbers.

    A field inside another is the column a.b; the items of lists count one by one.
    """
    with opened(folder) as (_, store):
        look = _look(store, query)
    if as_json:
        print_json({"query": query, "rows": look.rows, "unreadable": look.unreadable, "columns": _documents(look)})
    else:
        _print(look)


def _look(store: "Store", query: str) -> "Look":
    from studio.columns.look import looks
    from studio.columns.words import look_words

    began = time.monotonic()

    def told(look: "Look") -> "Look":
        progress(look_words(look, time.monotonic() - began))
        return look

    [last] = deque(map(told, looks(store, query)), maxlen=1)
    progress_done()
    return last


def _documents(look: "Look") -> list[dict[str, Any]]:
    return [{"name": column.name, **asdict(column)} for column in look.columns]


def _print(look: "Look") -> None:
    from studio.columns.words import look_words

    for column in look.columns:
        _print_column(column)
    say(f"{len(look.columns)} columns; {look_words(look)}.")


def _print_column(column: "ColumnStatistics") -> None:
    from studio.columns import words

    say(clean_line(column.name))
    rows = column.present + column.missing
    say(f"  in {column.present:,} of {rows:,} rows, missing in {column.missing:,}; {column.empty:,} empty")
    say(f"  types: {words.types_words(column)}")
    if column.values:
        say(f"  distinct: {words.distinct_words(column)} of {column.values:,} values")
    for counted in column.top[:TOP_SHOWN]:
        more = "+" if counted.at_most > counted.count else " "
        value = clean_line(words.value_words(counted.value))[:LONGEST_SHOWN]
        say(f"  {counted.count:>9,}{more} {counted.count / column.values:6.1%}  {value}")
    width = shutil.get_terminal_size().columns - 4
    for title, spread in words.spreads(column):
        middle = words.middle_words(spread)
        say(f"  {title}: {', '.join(filter(None, (words.range_words(spread), middle)))}")
        for line in words.bar_lines(spread.bars, width):
            say(f"    {line}")
    say()


COMMANDS = (columns,)
