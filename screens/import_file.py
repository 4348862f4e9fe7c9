"""Importing a file: a path with completion, progress in words, and the report."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input, Static

from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.widgets.text_view import TextView
from screens.widgets.typing_order import LineInput
from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.text import clean_line

SHOWN_MATCHES = 8
SHOWN_PROBLEMS = 200


@dataclass
class Outcome:
    """How an import ended; `came_in` tells whether there is new data."""

    words: str
    came_in: bool


class ImportWindow(StudioModal[bool]):
    """Asks for a path, imports it in a thread, shows what came of it; gives True when data came in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", id="import.complete", tooltip="Complete the path"),
    ]

    path = query_one(Input)
    said = query_one("#said", Static)
    report = query_one(TextView)

    @dataclass
    class Progress(Message):
        """How far the import is, in words."""

        words: str

        def can_replace(self, message: Message) -> bool:
            """Give way to newer words that wait."""
            return isinstance(message, ImportWindow.Progress)

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self._came_in = False

    def compose(self) -> ComposeResult:
        """Lay the path over the matches or the report."""
        with Vertical(classes="window"):
            yield Static("Import a file (JSON Lines, JSON, CSV, Parquet)", classes="pane-title", markup=False)
            path = LineInput(placeholder="path of the file; tab completes, enter imports, esc closes", compact=True)
            path.cursor_blink = False
            yield path
            yield Static("", id="said", markup=False)
            yield TextView(id="report")

    def on_mount(self) -> None:
        """Begin where the program was started."""
        self.report.display = False
        self.path.value = os.path.join(os.getcwd(), "")
        self.path.focus()

    @on(Input.Changed)
    def _show_matches(self) -> None:
        names = [match.name + "/" * os.path.isdir(match) for match in matches(self.path.value)]
        more = [f"... and {len(names) - SHOWN_MATCHES} more"] if len(names) > SHOWN_MATCHES else []
        self.said.update("\n".join([*(clean_line(name) for name in names[:SHOWN_MATCHES]), *more]))

    def action_complete(self) -> None:
        """Complete the path as far as it is certain."""
        completed = complete(self.path.value)
        if completed != self.path.value:
            self.path.value = completed
            self.path.cursor_position = len(completed)

    @on(Input.Submitted)
    def _start(self) -> None:
        # Unlike pathlib's, these leave what makes no sense as it is: unknown users, names that are too long.
        path = Path(os.path.expanduser(self.path.value))
        if self._busy:
            return
        if not os.path.isfile(path):
            self.said.update(f"{clean_line(str(path))} is not a file.")
            return
        self._busy = True
        self.said.update("reading ...")
        work = partial(run_import, self.studio.project, path, self._say)
        in_background(self, work, self._show_report, failed=self._failed, group="import")

    def _say(self, words: str) -> None:
        self.post_message(self.Progress(words))

    @on(Progress)
    def _show_progress(self, event: Progress) -> None:
        self.said.update(clean_line(event.words))

    def _show_report(self, outcome: Outcome) -> None:
        self._busy = False
        self._came_in = self._came_in or outcome.came_in
        self.said.update("Imported. esc closes." if outcome.came_in else "Nothing was imported.")
        self.report.display = True
        self.report.show(outcome.words)
        if outcome.came_in:
            self.report.focus()

    def _failed(self, error: StudioError) -> None:
        self._show_report(Outcome(message_of(error), came_in=False))

    @property
    def unsaved(self) -> str:
        """What leaving would break off."""
        return "A file is being imported." if self._busy else ""

    def action_cancel(self) -> None:
        """Close, unless an import is under way."""
        if self._busy:
            self.said.update("The import is still running; it ends by itself.")
        else:
            self.dismiss(self._came_in)


def run_import(project: Project, path: Path, say: Callable[[str], None], store: Store) -> Outcome:
    """Import a file and return the report in words."""
    from studio.importing import import_file

    report = import_file(project, store, path, on_progress=lambda progress: say(str(progress)))
    problems = [str(problem) for problem in report.problems[:SHOWN_PROBLEMS]]
    more = len(report.problems) - len(problems)
    lines = [report.summary(), *problems, *([f"and {more} more: p shows them in the list"] if more else [])]
    return Outcome("\n".join(lines), came_in=not report.already or bool(report.made.described()))


def matches(text: str) -> list[Path]:
    """Return the files and folders whose path begins with a text, folders first, hidden ones when asked for."""
    folder, _, beginning = os.path.expanduser(text).rpartition("/")
    try:
        entries = list(Path(f"{folder}/" if folder or text.startswith("/") else ".").iterdir())
    except OSError:
        return []
    found = [
        entry
        for entry in entries
        if entry.name.startswith(beginning)
        and (beginning or not entry.name.startswith("."))
        # A name with control characters would reach the terminal through the text field.
        and entry.name.isprintable()
    ]
    return sorted(found, key=lambda e: (not os.path.isdir(e), e.name))


def complete(text: str) -> str:
    """Return a path with what all its matches have in common."""
    found = [path_text(match) for match in matches(text)]
    if not found:
        return text
    first, last = min(found), max(found)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def path_text(path: Path) -> str:
    """Return a path as it is typed: a folder ends with a slash."""
    return f"{path}/" if os.path.isdir(path) else str(path)
