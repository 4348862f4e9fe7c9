"""`studio assistant`: what the project's assistant is told, and whether a run or a model keeps to it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.text import clean_line

if TYPE_CHECKING:
    from studio.assistant.trying import Tried

SHOWN = 70
"""Characters of a prompt or an answer in the table."""


@click.command("assistant")
@click.argument("model", required=False, metavar="[RUN|MODEL]")
@project_option
@json_option
def assistant(model: str | None, folder: Path, as_json: bool) -> None:
    """Show the assistant's system prompt; with a run or a model, ask it the assistant's tests.

    [assistant] in studio.toml says what it is for; docs/chatting.md has an example. Exit 1 where a test fails.
    """
    from studio.assistant.system import system_of
    from studio.assistant.trying import run_tests
    from studio.inference.engine import Engine

    with opened(folder) as (project, store):
        if model is None:
            _show(system_of(project), len(project.settings.assistant.tests), as_json=as_json)
            return
        with Engine(project.folder / "engine.log") as engine:
            progress(f"loading {model} ...")
            tried = run_tests(engine, project, store, model, lambda one: progress(one.name))
            progress_done()
    passed = sum(one.passed for one in tried)
    if as_json:
        rows = [{**vars(one), "passed": one.passed} for one in tried]
        print_json({"model": model, "passed": passed, "tests": len(tried), "answers": rows})
    else:
        for one in tried:
            say(_row(one))
        say(f"{model}: {passed} of {len(tried)} tests passed.")
    if passed < len(tried):
        raise click.exceptions.Exit(1)


def _show(system: str, tests: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"system": system, "tests": tests})
    elif system:
        say(system)
        say(f"\n({tests} tests; `studio assistant RUN` asks them)", err=True)
    else:
        say("The project states no assistant: [assistant] in studio.toml, docs/chatting.md.")


def _row(one: "Tried") -> str:
    failed = ", ".join(verdict.name for verdict in one.verdicts if not verdict.passed)
    words = "passed" if one.passed else "FAILED"
    why = f"\n        not: {clean_line(failed)}\n        said: {_short(one.answer)}" if failed else ""
    return f"{words}  {_short(one.name)}{why}"


def _short(text: str) -> str:
    line = clean_line(text)
    return line if len(line) <= SHOWN else f"{line[:SHOWN]} ..."


COMMANDS = (assistant,)
