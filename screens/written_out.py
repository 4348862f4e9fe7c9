"""A recipe written out for another tool: its text, and the folder that it goes into."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.choose import ChooseLine
from screens.paths import PathLine, shortest, typed_path
from screens.widgets.bars import KeyBar
from screens.widgets.text_view import TextView
from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.text import clean, clean_line
from studio.training.elsewhere.equivalents import TOOLS, write
from studio.training.elsewhere.material import Material, make_ready, of_project
from studio.training.elsewhere.written import Written, save

if TYPE_CHECKING:
    from screens.new_run import NewRun

GATHERING = "gathering the rows ..."
NO_FOLDER = "It needs a folder to be written into."


class WrittenOut(StudioModal[None]):
    """What another tool needs to do the same."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.WRITTEN_OUT, *HELP_KEYS]

    view = query_one(TextView)
    folder = query_one(PathLine)
    said = query_one("#said", Static)

    def __init__(self, run: "NewRun", tool: str) -> None:
        super().__init__()
        self._asked = run
        self._tool = tool
        self._written: Written | None = None
        self._nothing_to_write = "The rows are being gathered; press it again when the text is there."
        """What is said where there is nothing to write yet, or never will be."""
        self._saving = False

    def compose(self) -> ComposeResult:
        """Lay the text over the folder."""
        out = self.studio.project.folder / "written-out" / f"{self._asked.method}-{self._tool}"
        with Vertical(classes="window tall"):
            yield Static(f"{self._asked.method} as {TOOLS[self._tool]}", classes="pane-title", markup=False)
            yield TextView()
            yield Static("", id="said", markup=False)
            yield PathLine(clean_line(shortest(out)), placeholder="a folder that is empty or not there yet")
            yield KeyBar()

    def on_mount(self) -> None:
        """Write it here first."""
        self.view.show(GATHERING)
        self.view.focus()
        work = partial(_written, self.studio.project, self._asked, self._tool)
        in_background(self, work, self._show, failed=self._fail_to_gather)

    def action_switch_pane(self) -> None:
        """Go to the line with the folder, or back to the text."""
        (self.view if self.folder.has_focus else self.folder).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write it into the folder."""
        event.stop()
        self.action_submit()

    def action_submit(self) -> None:
        """Write it into the folder, with the rows and the tokenizer that it reads."""
        if self._saving:
            return
        if self._written is None or not self.folder.value.strip():
            self.said.update(self._nothing_to_write if self._written is None else NO_FOLDER)
            return
        self._saving = True
        self.said.update("writing ...")
        say = partial(self.call_later, self.said.update)
        out = typed_path(self.folder.value.strip())
        work = partial(_save, self.studio.project, self._asked, self._tool, out, say)
        in_background(self, work, self._saved, failed=self._fail_to_save, group="save")

    def _show(self, written: Written) -> None:
        self._written = written
        self.view.show(written.text)

    def _saved(self, said: str) -> None:
        self._saving = False
        self.said.update(clean(said))

    def _fail_to_gather(self, error: StudioError) -> None:
        self._nothing_to_write = "There is nothing to write, for the reason above; esc goes back to the form."
        self.view.show(message_of(error))

    def _fail_to_save(self, error: StudioError) -> None:
        self._saving = False
        self.said.update(message_of(error))


def choose_tool(app: App[Any], run: "NewRun") -> None:
    """Ask which tool a run is to be written out for, then show it."""
    names = list(TOOLS)

    def show(position: int | None) -> None:
        if position is not None:
            app.push_screen(WrittenOut(run, names[position]))

    app.push_screen(ChooseLine("Write out", [f"{name:<12} {words}" for name, words in TOOLS.items()]), show)


def _written(project: Project, run: "NewRun", tool: str, store: Store) -> Written:
    return write(_material(project, run, store), tool)


def _material(project: Project, run: "NewRun", store: Store) -> Material:
    return of_project(project, store, run.method, run.overrides, run.model or None, run.parent)


def _save(project: Project, run: "NewRun", tool: str, out: Path, say: Any, store: Store) -> str:
    material = _material(project, run, store)
    if tool != "toml":
        make_ready(material, say)
    written = write(material, tool)
    paths = save(written, out)
    beside = f" and {len(paths) - 1} more" if paths[1:] else ""
    return f"{paths[0]}{beside} written. {written.start}"
