"""`studio import`: files and folders in, stopped in order by ctrl-C, with what each of them gave."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError

if TYPE_CHECKING:
    from store.database import Store
    from store.examples import Split
    from studio.import_plan import Planned
    from studio.import_report import ImportReport
    from studio.mapping import Mapping
    from studio.project import Project

SHOWN_PROBLEMS = 20
"""How many problems are named one by one; the rest are counted."""

INTERRUPTED = 130
"""The exit status of what ctrl-C ended."""


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER...")
@click.option("--format", "format_name", help="The shape of the rows; found by content when left out.")
@click.option(
    "--map", "maps", multiple=True, metavar="FIELD=COLUMN|FILE.toml", help="Which column means what; may be repeated."
)
@click.option(
    "--verdict", "verdicts", multiple=True, metavar="CODE=MEANING", help="What a verdict code means; may be repeated."
)
@click.option("--save-map", type=click.Path(path_type=Path), metavar="FILE.toml", help="Keep the mapping for later.")
@click.option("--split", type=click.Choice(["train", "validation", "test"]), help="Where all new prompts go.")
@project_option
@json_option
def import_(
    paths: tuple[Path, ...],
    format_name: str | None,
    maps: tuple[str, ...],
    verdicts: tuple[str, ...],
    save_map: Path | None,
    split: str | None,
    folder: Path,
    as_json: bool,
) -> int:
    """Add the rows of files as records, with the examples, responses and verdicts that they carry.

    FIELD is one of prompt, completion, system, messages, chosen, rejected, response_a, response_b, verdict,
    author_a, author_b, label, tools. MEANING is left (the first answer is better), right, tie, both_bad or skip.
    A folder is imported file by file. Ctrl-C stops after the rows that are being written; the same command goes on.
    """
    mapping = _mapping(maps, verdicts, save_map)
    with opened(folder) as (project, store), _stop_flag() as is_stopped:
        work = _Imports(project, store, format_name, mapping, is_stopped, as_json)
        work.add_all(paths, cast("Split | None", split))
    if as_json:
        print_json(work.reports)
    if is_stopped():
        work.name_failures()
        return INTERRUPTED
    if work.failures:
        raise work.summary_of_failures()
    return 0


def _mapping(maps: tuple[str, ...], verdicts: tuple[str, ...], save_map: Path | None) -> "Mapping | None":
    from studio.mapping import read_options, save

    try:
        mapping = read_options(maps, verdicts)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if save_map is not None:
        if mapping is None:
            raise click.UsageError("--save-map has nothing to save without --map or --verdict.")
        save(mapping, save_map)
    return mapping


@contextmanager
def _stop_flag() -> Iterator[Callable[[], bool]]:
    """Let the first ctrl-C ask for an end in order, and the second one end at once."""
    stopped = Event()

    def stop(_number: int, _frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        # Written past Python's streams, which may be in the middle of a line of progress.
        os.write(2, b"\nStopping after these rows; ctrl-C again ends at once.\n")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Imports:
    """The files of one command on their way in."""

    def __init__(
        self,
        project: "Project",
        store: "Store",
        format: str | None,
        mapping: "Mapping | None",
        is_stopped: Callable[[], bool],
        as_json: bool,
    ) -> None:
        self._project = project
        self._store = store
        self._format = format
        self._mapping = mapping
        self._is_stopped = is_stopped
        self._as_json = as_json
        self._files = 0
        self.reports: list[ImportReport] = []
        self.failures: list[StudioError] = []

    def add_all(self, paths: tuple[Path, ...], split: "Split | None") -> None:
        """Import one file after another; one that fails does not keep the others out."""
        from studio.import_plan import plan

        files: list[Planned] = []
        for path in paths:
            try:
                files += plan(path, split)
            except StudioError as error:
                self.failures.append(error)
        self._files = len(files) + len(self.failures)
        for number, file in enumerate(files, 1):
            if self._is_stopped():
                say(f"{len(files) - number + 1} more not begun.", err=True)
                return
            self._add(number, file)

    def name_failures(self) -> None:
        """Say what failed and why, a line each."""
        for error in self.failures:
            say(f"studio: {error}", err=True)

    def summary_of_failures(self) -> StudioError:
        """Return what failed: one file's own reason, or all of them and their number."""
        if self._files == 1:
            return self.failures[0]
        self.name_failures()
        return StudioError(f"{len(self.failures)} of {self._files} files were not imported.")

    def _add(self, number: int, file: "Planned") -> None:
        from studio.importing import import_file

        name = file.path.name if self._files == 1 else f"{number}/{self._files} {file.path.name}"
        try:
            report = import_file(
                self._project,
                self._store,
                file.path,
                format=self._format,
                mapping=self._mapping,
                name=file.name,
                split=file.split,
                on_progress=partial(_show_progress, name),
                cancelled=self._is_stopped,
            )
        except StudioError as error:
            self.failures.append(error)
            return
        finally:
            progress_done()
        self.reports.append(report)
        if not self._as_json:
            _say_report(report, file.why)


def _show_progress(name: str, state: Any) -> None:
    progress(f"{name}: {state}")


def _say_report(report: "ImportReport", why: str) -> None:
    say(report.summary())
    if why:
        say(why)
    for problem in report.problems[:SHOWN_PROBLEMS]:
        say(f"  {problem}", err=True)
    more = report.problem_count - SHOWN_PROBLEMS
    if more > 0:
        say(f"  and {more:,} more; `studio search has:problem` lists all of them.", err=True)
