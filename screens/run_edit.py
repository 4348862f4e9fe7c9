"""The form for what a run is called: a name, tags, a note."""

from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.base import StudioModal
from screens.dialogs import leave
from screens.tags_window import changes_of
from screens.widgets.form_field import form_field
from screens.widgets.safe_text_area import SafeTextArea
from store.runs import Run
from studio.text import clean_line


class Called(NamedTuple):
    """What a run is called."""

    name: str
    tags: tuple[str, ...]
    note: str


class RunEdit(StudioModal[Called]):
    """Gives what the run is to be called; None when the window was left."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.RUN_EDIT

    name_field = query_one("#name", Input)
    tags_field = query_one("#tags", Input)
    note = query_one(SafeTextArea)

    def __init__(self, run: Run, *, draft: Called | None = None) -> None:
        """Begin with what the run is called, or with what could not be kept."""
        super().__init__()
        self._run_id = run.id
        self._before = Called(run.name, run.tags, run.note)
        self._draft = draft or self._before

    def compose(self) -> ComposeResult:
        """Lay the fields over the note."""
        with Vertical(classes="window"):
            yield Static(clean_line(f"What {self._run_id} is called"), classes="pane-title", markup=False)
            yield form_field("name", self._draft.name, "a few words; the list shows them")
            yield form_field("tags", " ".join(self._draft.tags), "candidate second-round")
            yield Static("note:", markup=False)
            yield SafeTextArea(self._draft.note, tab_behavior="focus", compact=True)
            yield Static("f2: keep    tab: next field    esc: leave", markup=False)

    def on_mount(self) -> None:
        """Begin with the name."""
        self.note.cursor_blink = False
        self.name_field.focus()

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now."""
        return "" if self._written() == self._before else "What was written is not kept."

    def action_cancel(self) -> None:
        """Leave; ask first where something would be lost."""
        leave(self)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Give what was written."""
        self.dismiss(self._written())

    def _written(self) -> Called:
        # A tag may not begin with the sign that takes one off.
        tags = tuple(sorted(changes_of(self.tags_field.value)[0]))
        return Called(self.name_field.value.strip(), tags, self.note.text.strip())
