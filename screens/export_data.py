"""Exporting: a format, a part, a query, a path; what would be written, then the report of what was."""

import json
import os
from dataclasses import dataclass
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
from screens.paths import shortest
from screens.widgets.form_field import form_field
from screens.widgets.text_view import TextView
from store.database import Store
from store.examples import Split
from studio.errors import StudioError
from studio.formats import FormatInfo
from studio.project import Project

KEYS_LINE = "enter: look, then write    f3: other part    esc: leave"

PARTS: tuple[Split | None, ...] = (None, *get_args(Split))
"""What can be exported: all splits together, or one."""


class ExportWindow(StudioModal[None]):
    """Asks where to write a data set and which part of it; shows what it would be, writes it, shows the report."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.EXPORT

    heading = query_one("#heading", Static)
    path = query_one("#path", Input)
    wish = query_one("#query", Input)
    said = query_one("#said", Static)
    report = query_one(TextView)

    def __init__(self, format: FormatInfo, query: str = "") -> None:
        super().__init__()
        self._format = format
        self._offered = query
        self._part = 0
        self._busy = False
        self._checked: Wanted | None = None

    def compose(self) -> ComposeResult:
        """Lay the path and the query under what will be written."""
        with Vertical(classes="window"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            # Relative to where the program was started when that is shorter to read.
            path = shortest(self.studio.project.exports / f"{self._format.name}.jsonl")
            for name, value, hint in (
                ("path", path, "path of the file to write"),
                ("query", self._offered, "everything; a query takes a part"),
            ):
                yield form_field(name, value, hint)
            yield Static("", id="said", markup=False)
            yield TextView(id="report")

    def on_mount(self) -> None:
        """Begin with the path."""
        self.report.display = False
        self._show_heading()
        self.said.update(f".jsonl, .json, .csv or .parquet.  {KEYS_LINE}")
        self.path.focus()

    def action_next_part(self) -> None:
        """Take another split, or all of them."""
        self._part = (self._part + 1) % len(PARTS)
        self._show_heading()

    @on(Input.Submitted)
    def submit(self) -> None:
        """Write what was looked at; look first at what was not."""
        wanted = self._wanted
        self._start(wanted, dry_run=wanted != self._checked)

    def action_look(self) -> None:
        """Show what would be written, and write nothing."""
        self._start(self._wanted, dry_run=True)

    @property
    def _wanted(self) -> "Wanted":
        path = Path(os.path.expanduser(self.path.value.strip()))
        return Wanted(self._format.name, path, PARTS[self._part], self.wish.value.strip())

    def _start(self, wanted: "Wanted", *, dry_run: bool) -> None:
        if self._busy:
            return
        if not self.path.value.strip():
            self._refuse("Name the file to write.")
            self.path.focus()
            return
        self._busy = True
        self.said.update("looking ..." if dry_run else "writing ...")
        work = partial(run_export, self.studio.project, wanted, dry_run=dry_run)
        done = partial(self._looked, wanted) if dry_run else self._written
        in_background(self, work, done, failed=self._failed, group="export")

    def _show_heading(self) -> None:
        part = PARTS[self._part] or "all splits"
        self.heading.update(f"Export {self._format.name}, {part}: {self._format.title}")

    def _looked(self, wanted: "Wanted", words: str) -> None:
        self._busy, self._checked = False, wanted
        self.said.update(f"Not written yet.  {KEYS_LINE}")
        self._show(words)

    def _written(self, words: str) -> None:
        self._busy, self._checked = False, None
        self.said.update("Written. esc closes.")
        self._show(words)
        self.report.focus()

    def _show(self, words: str) -> None:
        self.report.display = True
        self.report.show(words)

    def _failed(self, error: StudioError) -> None:
        self._busy = False
        self._refuse(message_of(error))

    def _refuse(self, words: str) -> None:
        """Say why nothing is looked at or written; what was looked at before is not what is asked for now."""
        self._checked, self.report.display = None, False
        self.said.update(words)


@dataclass(frozen=True)
class Wanted:
    """What the window asks for."""

    format: str
    out: Path
    split: Split | None
    query: str


def run_export(project: Project, wanted: Wanted, store: Store, *, dry_run: bool) -> str:
    """Write a data set, or only look what it would be, and return the report in words."""
    from studio.exporting import export

    report = export(project, store, wanted.format, wanted.out, split=wanted.split, query=wanted.query, dry_run=dry_run)
    if report.first is None or not dry_run:
        return report.summary()
    first = json.dumps(report.first, ensure_ascii=False, indent=2)
    return f"{report.summary()}\n\nIts first row:\n{first}"


def writable() -> list[FormatInfo]:
    """Return the formats that can be written, preferences first: they are what this program collects."""
    from studio.formats import describe

    return sorted((f for f in describe() if f.writes), key=lambda f: f.name != "trl-preference")
