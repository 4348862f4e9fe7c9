"""Small questions in a window."""

from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from screens.base import StudioModal
from studio.text import clean


class Confirm(StudioModal[bool]):
    """A question with yes and no; enter is yes, esc is no."""

    BINDINGS = [
        Binding("enter,y", "yes", "Yes", id="dialog.yes"),
        Binding("n,q", "cancel", "No", id="dialog.no"),
    ]

    def __init__(self, question: str, *, yes: str = "Yes") -> None:
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Lay the question over its two keys."""
        with Vertical(classes="window"):
            yield Static(clean(self._question), markup=False)
            yield Static(f"enter: {self._yes}    esc: go back", markup=False, classes="status-line")

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)


def leave(window: StudioModal[Any]) -> None:
    """Close a window without a result, after a question where something would be lost."""

    def answered(yes: bool | None) -> None:
        if yes:
            window.dismiss(None)

    if window.unsaved:
        window.app.push_screen(Confirm(f"{window.unsaved} Leave without it?", yes="Leave"), answered)
    else:
        window.dismiss(None)
