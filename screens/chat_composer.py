"""Where questions are written: enter sends, ctrl+j begins a line, a paste keeps its lines."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from screens import keys
from screens.widgets.safe_text_area import SafeTextArea

MOST_LINES = 6
"""Lines that the composer grows to; more of them scroll."""


class Composer(SafeTextArea):
    """The lines in which a question is written."""

    BINDINGS: ClassVar[list[BindingType]] = keys.COMPOSER

    class Sent(Message):
        """The question is to be asked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            "", id=id, compact=True, tab_behavior="focus", placeholder="i or enter: write a message", show_cursor=True
        )
        self.cursor_blink = False
        self._came_as = ""
        self._shown_as = ""

    @property
    def written(self) -> str:
        """What is written; a text that was put here and not touched, letter by letter, down to its line ends."""
        return self._came_as if self.text and self.text == self._shown_as else self.text.strip()

    def put(self, text: str) -> None:
        """Begin with a text, the cursor at its end."""
        self.text = text
        self._came_as, self._shown_as = text, self.text
        self.move_cursor(self.document.end)

    def action_send(self) -> None:
        """Ask what is written."""
        self.post_message(self.Sent())

    def action_newline(self) -> None:
        """Begin another line."""
        self.insert("\n")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Be as high as the text, up to a limit."""
        event.stop()
        self._fit()

    def on_resize(self) -> None:
        """Lines break elsewhere."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        lines = max(1, min(self.wrapped_document.height, MOST_LINES))
        if self.styles.height is None or self.styles.height.value != lines:
            self.styles.height = lines
