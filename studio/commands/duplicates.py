"""`studio duplicates`: rows that repeat each other, prompts in more than one split, and what to do with them."""

from typing import TYPE_CHECKING, Any

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.text import clean_line

if TYPE_CHECKING:
    from pathlib import Path

    from store.database import Store
    from store.duplicates import Counts, Group, GroupKind, Member
    from studio.duplicates import Between

SHOWN = 20
"""How many groups are printed; the rest are counted, and all are in the JSON."""

EXCERPT = 60


@click.command("duplicates")
@click.option("--near", is_flag=True, help="Also what shares 80 % of its runs of five words.")
@click.option("--leaks", is_flag=True, help="Prompts of examples that are in more than one split, instead of records.")
@click.option("--between", "pair", nargs=2, metavar="SOURCE SOURCE", help="Rows of one source that are in the other.")
@click.option("--exclude", is_flag=True, help="Exclude all of a group but the first; of a leak, what is not held out.")
@click.option("--restore", is_flag=True, help="Let in again what --exclude excluded, without a new search.")
@project_option
@json_option
def duplicates(
    near: bool,
    leaks: bool,
    pair: tuple[str, str] | None,
    exclude: bool,
    restore: bool,
    folder: "Path",
    as_json: bool,
) -> None:
    """Find records that are the same but for case, spaces and punctuation, and print them in groups.

    The groups are kept, so that the app shows them and --restore knows what --exclude did.
    """
    if exclude and restore:
        raise click.UsageError("--exclude and --restore undo each other; give one of them.")
    if pair and (leaks or exclude or restore):
        raise click.UsageError("--between only reports; import the files with --split, then use --leaks --exclude.")
    with opened(folder) as (_, store):
        if pair:
            _report_between(store, pair, near, as_json)
            return
        kind: GroupKind = "leak" if leaks else "near"
        if not restore:
            _search(store, kind, near)
        changed = _exclude(store, kind) if exclude else _restore(store, kind) if restore else 0
        _report(store, kind, "excluded" if exclude else "restored" if restore else "", changed, as_json)


def _search(store: "Store", kind: "GroupKind", near: bool) -> None:
    from studio.duplicates import find, find_leaks

    (find if kind == "near" else find_leaks)(store, near=near, on_progress=_show)
    progress_done()


def _show(state: Any) -> None:
    progress(str(state))


def _exclude(store: "Store", kind: "GroupKind") -> int:
    from store.duplicates import ids, keep_first

    with store.transaction():
        return sum(keep_first(store, group) for group in ids(store, kind))


def _restore(store: "Store", kind: "GroupKind") -> int:
    from store.duplicates import ids, restore

    with store.transaction():
        return sum(restore(store, group) for group in ids(store, kind))


def _report(store: "Store", kind: "GroupKind", done: str, changed: int, as_json: bool) -> None:
    from store.duplicates import counts, groups

    found = counts(store, kind)
    if as_json:
        pages: list[Group] = []
        while page := groups(store, kind, after=pages[-1].id if pages else 0):
            pages.extend(page)
        print_json({"kind": kind, **found._asdict(), **({done: changed} if done else {}), "found": pages})
        return
    for group in groups(store, kind, limit=SHOWN):
        say(f"group {group.id}: {group.size:,}")
        for member in group.members:
            say(_line(member))
    if found.groups > SHOWN:
        say(f"and {found.groups - SHOWN:,} groups more; --json lists them all.")
    say(_sum(kind, found))
    if done:
        say(f"{changed:,} {done}.")


def _line(member: "Member") -> str:
    marks = [mark for mark in (member.split, "excluded" if member.excluded else "") if mark]
    words = " ".join(clean_line(member.excerpt).split())[:EXCERPT]
    return f"  {member.similarity:.2f}  {member.place or f'example {member.id}'}  {' '.join([*marks, words])}"


def _sum(kind: "GroupKind", found: "Counts") -> str:
    if not found.groups:
        return "No prompt is in more than one split." if kind == "leak" else "No record repeats another."
    what = "prompts in more than one split" if kind == "leak" else "records that repeat each other"
    items = "examples" if kind == "leak" else "records"
    open_ = f"{found.open:,} still to look at" if found.open else "nothing left to exclude"
    return f"{found.groups:,} groups of {what}, {found.members:,} {items}; {open_}."


def _report_between(store: "Store", names: tuple[str, str], near: bool, as_json: bool) -> None:
    from studio.duplicates import between, source_named

    first, second = (source_named(store, name) for name in names)
    found = between(store, first, second, near=near, on_progress=_show)
    progress_done()
    if as_json:
        print_json({"first": first.name, "second": second.name, "repeats": [r._asdict() for r in found.repeats]})
        return
    _say_repeats(store, found)
    say(f"{len(found.repeats):,} of {first.rows:,} rows of {first.name} are in {second.name} too.")


def _say_repeats(store: "Store", found: "Between") -> None:
    from store import records

    shown = found.repeats[:SHOWN]
    lines = records.get_many(store, [number for repeat in shown for number in repeat[:2]])
    for repeat in shown:
        one, other = lines[repeat.record_id], lines[repeat.of_record_id]
        say(f"  {repeat.similarity:.2f}  {one.source}:{one.line} is {other.source}:{other.line}")
    if len(found.repeats) > SHOWN:
        say(f"  and {len(found.repeats) - SHOWN:,} more; --json lists them all.")


COMMANDS = (duplicates,)
