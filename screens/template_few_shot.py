"""Asking which example is to be shown to the model before each prompt."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens.base import StudioModal
from screens.widgets.typing_order import LineInput
from studio.errors import StudioError
from studio.settings import FewShot
from studio.templating.few_shot import few_shot_of
from studio.text import clean


class FewShotWindow(StudioModal[FewShot]):
    """A line for an example's id; gives its turns as they are now."""

    said = query_one("#said", Static)

    def compose(self) -> ComposeResult:
        """Lay the line under the question."""
        with Vertical(classes="window"):
            title = "Id of the example to show (enter: take it, esc: leave)"
            yield Static(title, classes="pane-title", markup=False)
            yield LineInput(placeholder="the number in the Id column of Examples", type="integer")
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        """Write at once."""
        line = self.query_one(LineInput)
        line.cursor_blink = False
        line.focus()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        if not event.value.strip().isdecimal():
            self.said.update("An id is a number.")
            return
        try:
            self.dismiss(few_shot_of(self.studio.store, int(event.value)))
        except StudioError as error:
            self.said.update(clean(str(error)))
