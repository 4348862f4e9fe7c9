"""Writing a note on rows: a few lines that stay with them."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import StudioModal
from screens.widgets.safe_text_area import SafeTextArea
from studio.text import clean_line


class NoteWindow(StudioModal[str]):
    """Gives the note, empty to take it off; None when the window was left."""

    BINDINGS: ClassVar[list[BindingType]] = keys.NOTE

    area = query_one(SafeTextArea)

    def __init__(self, rows: str, before: str, *, draft: str | None = None, replaces: bool = False) -> None:
        super().__init__()
        self._rows = rows
        self._before = before
        self._shown = before
        self._draft = draft
        self._replaces = replaces

    def compose(self) -> ComposeResult:
        """Lay the lines under what can be done."""
        with Vertical(classes="window"):
            title = f"Note on {self._rows} (f2: keep it, esc: leave it as it was)"
            yield Static(clean_line(title), classes="pane-title", markup=False)
            if self._replaces:
                yield Static("It replaces any notes that they have.", markup=False)
            yield SafeTextArea(self._before if self._draft is None else self._draft, tab_behavior="focus", compact=True)

    def on_mount(self) -> None:
        """Write at once, at the end."""
        self.area.cursor_blink = False
        self.area.styles.height = 5
        self.area.move_cursor(self.area.document.end)
        self.area.focus()
        if self._draft is None:
            self._shown = self.area.text

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now."""
        return "" if self.area.text == self._shown else "The note is not kept."

    def action_submit(self) -> None:
        """Give the note; one that was not touched as it came, down to its line ends."""
        self.dismiss(self._before if self.area.text == self._shown else self.area.text.strip())
