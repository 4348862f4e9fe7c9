"""Exporting: a format, a part, a path, and the report of what was written and what was left out."""

import os
from functools import partial
from pathlib import Path
from typing import ClassVar, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.widgets.text_view import TextView
from screens.widgets.typing_order import LineInput
from store.database import Store
from store.examples import Split
from studio.errors import StudioError
from studio.formats import FormatInfo
from studio.project import Project
from studio.text import clean

PARTS: tuple[Split | None, ...] = (None, *get_args(Split))
"""What can be exported: all splits together, or one."""


class ExportWindow(StudioModal[None]):
    """Asks where to write a data set, writes it in a thread, shows the report."""

    BINDINGS: ClassVar[list[BindingType]] = keys.EXPORT

    heading = query_one("#heading", Static)
    path = query_one(Input)
    said = query_one("#said", Static)
    report = query_one(TextView)

    def __init__(self, format: FormatInfo) -> None:
        super().__init__()
        self._format = format
        self._part = 0
        self._busy = False

    def compose(self) -> ComposeResult:
        """Lay the path under what will be written."""
        with Vertical(classes="window"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            path = LineInput(placeholder="path of the file to write", compact=True)
            path.cursor_blink = False
            yield path
            yield Static("", id="said", markup=False)
            yield TextView(id="report")

    def on_mount(self) -> None:
        """Offer a name in the project's folder for exports."""
        self.report.display = False
        # Relative to where the program was started when that is shorter to read.
        self.path.value = _shortest(self.studio.project.exports / f"{self._format.name}.jsonl")
        self._show_heading()
        self.said.update(".jsonl, .json, .csv or .parquet.  enter: write    f3: other part    esc: leave")
        self.path.focus()

    def action_next_part(self) -> None:
        """Take another split, or all of them."""
        self._part = (self._part + 1) % len(PARTS)
        self._show_heading()

    @on(Input.Submitted)
    def write(self) -> None:
        """Write the file."""
        out = Path(os.path.expanduser(self.path.value.strip()))
        if self._busy or not self.path.value.strip():
            return
        self._busy = True
        self.said.update("writing ...")
        work = partial(run_export, self.studio.project, self._format.name, out, PARTS[self._part])
        in_background(self, work, self._done, failed=self._failed, group="export")

    def _show_heading(self) -> None:
        part = PARTS[self._part] or "all splits"
        self.heading.update(f"Export {self._format.name}, {part}: {self._format.title}")

    def _done(self, words: str) -> None:
        self._busy = False
        self.said.update("Written. esc closes.")
        self.report.display = True
        self.report.show(words)
        self.report.focus()

    def _failed(self, error: StudioError) -> None:
        self._busy = False
        self.said.update(clean(message_of(error)))


def run_export(project: Project, format: str, out: Path, split: Split | None, store: Store) -> str:
    """Write a data set and return the report in words."""
    from studio.exporting import export

    return export(project, store, format, out, split=split).summary()


def writable() -> list[FormatInfo]:
    """Return the formats that can be written, preferences first: they are what this program collects."""
    from studio.formats import describe

    return sorted((f for f in describe() if f.writes), key=lambda f: f.name != "trl-preference")


def _shortest(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path.resolve())
