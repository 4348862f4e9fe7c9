"""A short list in a window, to choose a line from."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.getters import query_one

from screens import keys
from screens.base import StudioModal
from screens.widgets.table import Column, RecordTable, Row

MOST_LINES = 16


class ChooseLine(StudioModal[int]):
    """Gives the position of the chosen line, None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = keys.CHOICE

    table = query_one(RecordTable)

    def __init__(self, title: str, lines: list[str], at: int = 0) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._at = at

    def compose(self) -> ComposeResult:
        """Lay the list under its title."""
        with Vertical(classes="window"):
            yield RecordTable([Column(self._title)], self._rows)

    def on_mount(self) -> None:
        """Fill the list."""
        self.table.show(range(len(self._lines)), cursor_id=self._at)
        self.table.focus()

    @on(Resize)
    def fit(self) -> None:
        """Make the list as high as it needs to be, and no higher than there is room for within the borders."""
        self.table.styles.height = min(len(self._lines) + 1, MOST_LINES + 1, self.app.size.height - 2)

    @on(RecordTable.Opened)
    def choose(self, event: RecordTable.Opened) -> None:
        """Give the chosen position."""
        self.dismiss(event.row_id)

    def action_take(self, position: int) -> None:
        """Give a position by its digit."""
        if position < len(self._lines):
            self.dismiss(position)

    def _rows(self, positions: list[int]) -> dict[int, Row]:
        width = len(str(len(self._lines)))
        return {i: Row((f"{i + 1:<{width}} {self._lines[i]}",)) for i in positions}
