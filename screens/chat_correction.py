"""A reply put right by a person: what it should have said, to learn from."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import HELP_KEYS, StudioModal
from screens.dialogs import leave
from screens.external_editor import edit_outside
from screens.widgets.bars import KeyBar
from screens.widgets.safe_text_area import SafeTextArea
from screens.widgets.text_view import Span, TextView


class Correction(StudioModal[str]):
    """Gives what the reply should have said; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.CORRECTION, *HELP_KEYS]

    area = query_one(SafeTextArea)
    said = query_one("#said", Static)

    def __init__(self, question: str, answer: str, draft: str | None = None) -> None:
        super().__init__()
        self._question = question
        self._answer = answer
        self._draft = answer if draft is None else draft

    def compose(self) -> ComposeResult:
        """Lay the reply under its question."""
        with Vertical(classes="window tall"):
            yield Static("What it should have said", classes="pane-title", markup=False)
            yield TextView()
            yield SafeTextArea(self._draft, tab_behavior="focus", compact=True)
            yield Static("Kept, it is an example to learn, and better than the reply.", id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(TextView).show([Span("you: ", "bold"), Span(self._question)])
        self.area.cursor_blink = False
        self.area.focus()

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now."""
        return "" if self._is_untouched else "The correction is not kept."

    def action_submit(self) -> None:
        """Give the correction."""
        if self._is_untouched or not self.area.text.strip():
            self.said.update("It says what the model said; write what it should have said.")
            return
        self.dismiss(self.area.text)

    def action_edit_outside(self) -> None:
        """Write it in the user's own editor."""
        written = edit_outside(self.app, self.area.text, suffix=".md")
        if written is not None:
            self.area.text = written

    def action_cancel(self) -> None:
        """Leave, after a question where something was changed."""
        leave(self)

    @property
    def _is_untouched(self) -> bool:
        # The editor has one kind of line end only.
        return self.area.text.splitlines() == self._answer.splitlines()
