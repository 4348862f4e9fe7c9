"""Importing: a path with completion, a look at what is not clear, progress that can be left, and the report."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.dialogs import Confirm
from screens.imports import Imports
from screens.paths import PathLine, matches, typed_path
from screens.widgets.text_view import TextView
from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.text import clean_line

if TYPE_CHECKING:
    from screens.mapping import HowToRead
    from studio.file_look import FileLook
    from studio.import_plan import Planned

SHOWN_MATCHES = 8
HINT = "enter: import    f4: its columns    tab: complete    esc: close"
RUNNING_HINT = "esc: stop, the rows so far stay"
LEAVING_HINT = "enter: go on in the list    esc: stop, the rows so far stay"


@dataclass(frozen=True)
class Found:
    """What a path turned out to hold."""

    files: "Sequence[Planned]"
    look: "FileLook | None"
    """At the first file, where it can be looked at."""


class ImportWindow(StudioModal[bool]):
    """Asks for a path, follows the import, shows what came of it; gives True when data came in or is coming."""

    BINDINGS: ClassVar[list[BindingType]] = keys.IMPORT
    # While an import runs the letters are keys: no field may have the focus, and none is given it unasked.
    AUTO_FOCUS = ""

    path = query_one(PathLine)
    said = query_one("#said", Static)
    hint = query_one("#hint", Static)
    report = query_one(TextView)

    def __init__(self) -> None:
        super().__init__()
        self._is_looking = False
        self._came_in = False

    def compose(self) -> ComposeResult:
        """Lay the path over the matches or the report."""
        with Vertical(classes="window"):
            yield Static("Import a file or a folder (JSON Lines, JSON, CSV, Parquet, text)", classes="pane-title")
            yield PathLine(os.path.join(os.getcwd(), ""), placeholder="path of a file or a folder")
            yield Static("", id="said", markup=False)
            yield TextView(id="report")
            yield Static(HINT, id="hint", markup=False, classes="status-line")

    def on_mount(self) -> None:
        """Begin where the program was started, or with the import that runs."""
        self.report.display = False
        if self._imports.running:
            self._follow()
        else:
            self.path.focus()

    @property
    def _imports(self) -> Imports:
        return self.studio.imports

    # The path

    @on(Input.Changed)
    def _show_matches(self) -> None:
        names = [match.name + "/" * os.path.isdir(match) for match in matches(self.path.value)]
        more = [f"... and {len(names) - SHOWN_MATCHES} more"] if len(names) > SHOWN_MATCHES else []
        self.said.update("\n".join([*(clean_line(name) for name in names[:SHOWN_MATCHES]), *more]))

    @on(Input.Submitted)
    def _submit(self) -> None:
        self._look(asked=False)

    def action_columns(self) -> None:
        """Look at the columns before importing."""
        self._look(asked=True)

    def _look(self, *, asked: bool) -> None:
        path = typed_path(self.path.value)
        if self._is_looking or self._imports.running:
            return
        if not os.path.isfile(path) and not os.path.isdir(path):
            self.said.update(f"{clean_line(str(path))} is not a file.")
            return
        self._is_looking = True
        self.said.update("reading ...")
        looked = partial(self._looked, path, asked)
        in_background(self, partial(look_at, self.studio.project, path, asked), looked, failed=self._refused)

    def _refused(self, error: StudioError) -> None:
        self._is_looking = False
        self.said.update(f"Nothing was imported.\n{message_of(error)}")

    def _looked(self, path: Path, asked: bool, found: Found) -> None:
        self._is_looking = False
        if found.look and (asked or found.look.is_unclear):
            self._ask_meaning(found, found.look)
        elif os.path.isdir(path):
            self._ask_folder(path, found.files)
        else:
            self._begin(found.files)

    def _ask_meaning(self, found: Found, look: "FileLook") -> None:
        from screens.mapping import MappingWindow

        def answered(how: "HowToRead | None") -> None:
            if how is None:
                self._show_matches()
                self.path.focus()
            else:
                self._begin(found.files, how)

        self.said.update("")
        self.studio.push_screen(MappingWindow(self.studio.project, look), answered)

    def _ask_folder(self, path: Path, files: "Sequence[Planned]") -> None:
        splits = sorted({file.split for file in files if file.split})
        where = f" Their data set says what is for {', '.join(splits)}." if splits else ""
        number = f"the {len(files):,} files" if len(files) != 1 else f"the one file, {files[0].path.name},"

        def answered(yes: bool | None) -> None:
            if yes:
                self._begin(files)
            else:
                self._show_matches()

        self.studio.push_screen(Confirm(f"Import {number} in {path}?{where}", yes="Import"), answered)

    # The import

    def _begin(self, files: "Sequence[Planned]", how: "HowToRead | None" = None) -> None:
        plain = "plain" if how and how.plain else None
        self._imports.start(files, mapping=how.mapping if how else None, format=plain)
        self._follow()

    def _follow(self) -> None:
        self.path.display = self.report.display = False
        self.set_focus(None)
        self._say_progress()

    def _say_progress(self) -> None:
        self.said.update(clean_line(self._imports.words))
        self.hint.update(LEAVING_HINT if self._imports.under_way else RUNNING_HINT)

    def on_imports_progressed(self) -> None:
        """Say how far it is."""
        self._say_progress()

    def on_imports_ended(self, event: Imports.Ended) -> None:
        """Show what came of it."""
        outcome = event.outcome
        self._came_in = self._came_in or outcome.came_in
        self.said.update(outcome.heading)
        self.path.display = self.report.display = True
        self.report.show(outcome.words)
        self.hint.update("esc: close    tab: another path" if outcome.came_in else HINT)
        (self.report if outcome.came_in else self.path).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer only what has a meaning now."""
        is_running = self._imports.running
        return {"to_background": is_running and self._imports.under_way, "columns": not is_running}.get(action, True)

    def action_to_background(self) -> None:
        """Close the window; the import goes on, and the list grows."""
        self._imports.leave_alone()
        self.dismiss(True)

    def action_cancel(self) -> None:
        """Stop the import that runs, or close."""
        if self._imports.running:
            self._imports.cancel()
            self._say_progress()
        else:
            self.dismiss(self._came_in)


def look_at(project: Project, path: Path, asked: bool, store: Store) -> Found:
    """Look at a file before it is imported; at a folder's first file only when that is asked for.

    Raises:
        StudioError: the folder holds no data, or what was asked for can't be looked at.
    """
    from studio.file_look import examine
    from studio.import_plan import plan
    from studio.importing import begun

    files = plan(path)
    # What was begun goes on in the same way.
    if not asked and (os.path.isdir(path) or begun(store, path)):
        return Found(files, None)
    try:
        return Found(files, examine(project, files[0].path))
    except StudioError:
        if asked:
            raise
        # The import says what is wrong, and keeps the rows that can't be read.
        return Found(files, None)
