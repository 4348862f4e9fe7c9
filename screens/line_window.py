"""Asking for the line of a file to go to."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens.base import StudioModal
from screens.widgets.typing_order import LineInput
from studio.text import clean_line

LONGEST_NUMBER = 18
"""Digits; the store has no number of more."""

Place = tuple[str, int]
"""A source's name and a line in it."""


class LineWindow(StudioModal[Place]):
    """Gives the place that was asked for; None when the window was left."""

    said = query_one("#said", Static)

    def __init__(self, source: str, sources: list[str]) -> None:
        super().__init__()
        self._source = source
        self._sources = sources

    def compose(self) -> ComposeResult:
        """Lay the line under what is asked."""
        with Vertical(classes="window"):
            yield Static(clean_line(f"Go to a line of {self._source}"), classes="pane-title", markup=False)
            other = ", or NAME:LINE of another source" if len(self._sources) > 1 else ""
            line = LineInput(placeholder=f"a number{other}; enter goes there, esc leaves", compact=True)
            line.cursor_blink = False
            yield line
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        """Begin in the line."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        place = place_of(event.value, self._source, self._sources)
        if isinstance(place, str):
            self.said.update(clean_line(place))
        else:
            self.dismiss(place)


def place_of(text: str, source: str, sources: list[str]) -> Place | str:
    """Return the place that somebody wrote down, or what is wrong with it."""
    name, colon, number = text.strip().rpartition(":")
    digits = number.replace(",", "").strip()
    if not digits.isdecimal() or len(digits) > LONGEST_NUMBER or not int(digits):
        return "A line is a number from 1 on."
    line = int(digits)
    if not colon:
        return source, line
    fitting = [known for known in sources if known == name] or [known for known in sources if name in known]
    return (fitting[0], line) if fitting else f"No source has {name!r} in its name."
