"""`studio lint`: what is wrong with the data, and what to do about it."""

from textwrap import wrap
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.text import clean_line

if TYPE_CHECKING:
    from pathlib import Path

    from store.database import Store
    from studio.lint.check import Check
    from studio.lint.report import LintReport
    from studio.project import Project

NOTE_WIDTH = 100
"""Columns of a note."""

SHOWN = 50
"""Rows of a check that are printed; the JSON has all."""

ACTIONS = ("exclude", "restore", "fix", "unfix")


@click.command("lint")
@click.option("--check", "name", metavar="NAME", help="One check with its rows, and what is wrong in each.")
@click.option("--query", metavar="QUERY", default="", help="Only rows that a query finds too.")
@click.option("--exclude", metavar="NAME", help="Exclude all rows that a check found.")
@click.option("--restore", metavar="NAME", help="Let in again what was excluded because of a check.")
@click.option("--fix", metavar="NAME", help="Mend all examples that a check found, each in a new revision.")
@click.option("--unfix", metavar="NAME", help="Bring back what they said before, where nobody edited them since.")
@click.option("--list", "list_all", is_flag=True, help="List all checks, and why each is made.")
@project_option
@json_option
def lint(
    name: str | None,
    query: str,
    exclude: str | None,
    restore: str | None,
    fix: str | None,
    unfix: str | None,
    list_all: bool,
    folder: "Path",
    as_json: bool,
) -> None:
    """Run all checks on all data and print what they found.

    Only what changed since the last time is looked at again.
    """
    wanted = [(action, of) for action, of in zip(ACTIONS, (exclude, restore, fix, unfix), strict=True) if of]
    if len(wanted) + bool(name) + list_all > 1:
        raise click.UsageError("--check, --list, --exclude, --restore, --fix and --unfix are given one at a time.")
    if list_all:
        _list(as_json)
        return
    for each in filter(None, (name, *(of for _, of in wanted))):
        _check_of(each)
    with opened(folder) as (project, store):
        report = _run(project, store)
        for action, of in wanted:
            _act(project, store, report, action, of, as_json)
            return
        if name:
            _print_check(store, report, _check_of(name), query, as_json)
        else:
            _print_report(store, report, query, as_json)


def _check_of(name: str) -> "Check":
    # Not before it is needed: the checks are many modules, and are read while a process of theirs starts.
    from studio.lint.registry import check_of

    return check_of(name)


def _run(project: "Project", store: "Store") -> "LintReport":
    from studio.lint.run import lint as run_all

    try:
        return run_all(project, store, on_progress=lambda state: progress(str(state)))
    finally:
        progress_done()


def _act(project: "Project", store: "Store", report: "LintReport", action: str, name: str, as_json: bool) -> None:
    from studio.lint import acting

    if action == "fix":
        number = acting.fix(project, store, name)
    else:
        number = {"exclude": acting.exclude, "restore": acting.restore, "unfix": acting.unfix}[action](store, name)
    if as_json:
        print_json({"check": name, "action": action, "rows": number})
        return
    done = {"exclude": "excluded", "restore": "let in again", "fix": "mended", "unfix": "brought back"}[action]
    back = {"exclude": "restore", "fix": "unfix"}.get(action)
    undo = f" `studio lint --{back} {name}` takes that back." if back and number else ""
    say(f"{number:,} {'row' if number == 1 else 'rows'} {done}.{undo}")
    found = next((each.rows for each in report.findings if each.check.name == name), 0)
    if action == "fix" and found > number:
        say(
            f"{found - number:,} of the {found:,} found are not mended: it stands in their candidate replies, which are"
            " left as they were judged, or can't be mended. Exclude them, or edit them."
        )


def _list(as_json: bool) -> None:
    from studio.lint.registry import CHECKS

    if as_json:
        print_json(CHECKS)
        return
    for check in CHECKS:
        say(f"{check.name} ({check.level}): {check.title}")
        say(f"    {check.why}")
        if check.fix:
            say(f"    Its fix: {check.fix}.")


def _print_report(store: "Store", report: "LintReport", query: str, as_json: bool) -> None:
    rows = {each.check.name: _count(store, each.check, query) if query else each.rows for each in report.findings}
    found = [each for each in report.findings if rows[each.check.name] or (each.note and not query)]
    unsearched = [each for each in found if each.is_unsearched]
    found = [each for each in found if not each.is_unsearched]
    if as_json:
        print_json(
            {
                "examples": report.examples,
                "records": report.records,
                "outdated": report.outdated,
                "query": query,
                "not_searched": [each.check.name for each in unsearched],
                "findings": [
                    {
                        "name": each.check.name,
                        "level": each.check.level,
                        "kind": each.check.kind,
                        "title": each.check.title,
                        "rows": rows[each.check.name],
                        "kept": each.kept,
                        "note": each.note,
                    }
                    for each in found
                ],
            }
        )
        return
    width = max((len(each.check.name) for each in found), default=0)
    for each in found:
        number = f"{rows[each.check.name]:>9,}" if rows[each.check.name] else " " * 9
        excluded = each.rows - each.kept
        out = f" ({excluded:,} excluded)" if excluded and not query else ""
        say(f"{each.check.level:<7}  {each.check.name:<{width}} {number}  {each.check.title}{out}")
        if not query:
            _say_note(each.note, indent=9)
    for each in unsearched:
        say(f"{each.note}.")
    say(_totals(report, len(found)))


def _say_note(note: str, *, indent: int = 0) -> None:
    """Print what was found about the whole, each thing on lines of its own."""
    margin = " " * indent
    for sentence in note.splitlines():
        for line in wrap(clean_line(sentence), NOTE_WIDTH, initial_indent=margin, subsequent_indent=margin):
            say(line)


def _totals(report: "LintReport", found: int) -> str:
    looked = f"{report.examples:,} examples and {report.records:,} rows"
    if not found:
        return f"Nothing was found in {looked}."
    findings = "1 finding" if found == 1 else f"{found} findings"
    return f"{findings} in {looked}. One of them with its rows: studio lint --check NAME"


def _count(store: "Store", check: "Check", query: str) -> int:
    from store import find

    return find.count(store, check.kind, f"({query}) finding:{check.name}")


def _print_check(store: "Store", report: "LintReport", check: "Check", query: str, as_json: bool) -> None:
    from studio.lint.places import places

    of_check = next((each for each in report.findings if each.check.name == check.name), None)
    found = places(store, check, query, limit=None if as_json else SHOWN)
    if as_json:
        note = of_check.note if of_check else ""
        print_json({"check": check, "query": query, "note": note, "rows": found})
        return
    say(f"{check.name} ({check.level}): {check.title}")
    say(check.why)
    if check.fix:
        say(f"Its fix: {check.fix} (studio lint --fix {check.name}). Candidate replies stay as they are.")
    if of_check and of_check.note:
        _say_note(of_check.note)
    where = [clean_line(each.place) for each in found]
    width = max(map(len, where), default=0)
    for each, place in zip(found, where, strict=True):
        for detail in each.details:
            say(f"{check.kind} {each.id:<7} {place:<{width}}  {clean_line(detail)}")
    total = _count(store, check, query) if query else of_check.rows if of_check else 0
    more = "; --json lists them all" if total > len(found) else ""
    say(f"{total:,} {'row' if total == 1 else 'rows'}{more}.")


COMMANDS = (lint,)
