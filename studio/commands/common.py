"""What the commands share: the project option, JSON output, text made safe for a terminal."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from store.database import Store, explain
from store.errors import StoreError
from studio.errors import StudioError
from studio.project import Project, open_project
from studio.text import clean
from studio.upgrading import tell

Command = TypeVar("Command", bound=Callable[..., Any])


def project_option(command: Command) -> Command:
    """Add `--project DIR`, the current folder by default."""
    option = click.option(
        "--project",
        "folder",
        type=click.Path(path_type=Path),
        default=".",
        metavar="DIR",
        help="The project's folder (default: the current one).",
    )
    return option(command)


def json_option(command: Command) -> Command:
    """Add `--json`: one JSON document on standard output and nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Project, Store]]:
    """Open a project with its database, and close it at the end."""
    project = open_project(folder)
    with project.open_store(tell) as store:
        try:
            yield project, store
        except StoreError as error:
            raise StudioError(str(error)) from error
        except sqlite3.Error as error:
            raise StudioError(str(explain(project.database, error))) from error


def print_json(document: Any) -> None:
    """Print one JSON document; dataclasses become objects, paths become text."""
    click.echo(json.dumps(document, default=_plain, indent=2))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def say(text: str = "", *, err: bool = False) -> None:
    """Print text that may hold data: made safe where it goes to a terminal, unchanged in a pipe."""
    stream = sys.stderr if err else sys.stdout
    click.echo(clean(text) if stream.isatty() else text.encode(errors="replace").decode(), err=err)


def progress(text: str) -> None:
    """Show a passing line on standard error when that is a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{clean(text)}", nl=False, err=True)


def progress_done() -> None:
    """Wipe the passing line."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
