"""Choosing the columns of the Data screen and their order."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import StudioModal
from screens.record_columns import title
from screens.widgets.table import Column as TableColumn
from screens.widgets.table import RecordTable, Row
from store.field_values import compact
from store.ordering import Column

KEYS_WORDS = "space: choose  J K: move  r: as at first  enter: show them  esc: leave"

FACT_MEANINGS = {
    "line": "the line in the file",
    "source": "the file that it came from",
    "length": "characters",
    "tags": "the tags that it was given",
    "note": "the note that somebody wrote",
    "state": "unreadable, repeats, flagged, excluded",
    "record": "the beginning of all that it says",
}


class ChooseColumns(StudioModal[list[Column]]):
    """Gives the chosen columns in their order, none for those of a new project; None when the window was left."""

    BINDINGS: ClassVar[list[BindingType]] = keys.CHOOSE_COLUMNS

    table = query_one(RecordTable)

    def __init__(self, shown: Sequence[Column], found: Sequence[Column]) -> None:
        super().__init__()
        self._columns = list(dict.fromkeys([*shown, *found]))
        self._shown = len(shown)
        self._places = list(range(len(self._columns)))
        """What the list shows in its order: places in `_columns`."""

    def compose(self) -> ComposeResult:
        """Lay the list under what can be done."""
        with Vertical(classes="window tall"):
            yield Static("Columns of the list: those with a star", classes="pane-title", markup=False)
            yield RecordTable([TableColumn("Column", 32), TableColumn("What it is")], self._rows)
            yield Static(KEYS_WORDS, id="said", markup=False)

    def on_mount(self) -> None:
        """Begin with the present choice."""
        self.table.show(list(self._places))
        self.table.select(range(self._shown))
        self.table.focus()

    def action_move(self, step: int) -> None:
        """Move the column under the cursor to another place."""
        here = self.table.cursor
        there = here + step
        if 0 <= there < len(self._places):
            self._places[here], self._places[there] = self._places[there], self._places[here]
            self.table.show(list(self._places), cursor_id=self._places[there])

    def action_reset(self) -> None:
        """Take the columns of a new project."""
        self.dismiss([])

    @on(RecordTable.Opened)
    def take(self) -> None:
        """Give the chosen columns."""
        chosen = self.table.selected
        self.dismiss([self._columns[place] for place in self._places if place in chosen])

    def _rows(self, places: list[int]) -> dict[int, Row]:
        return {place: Row((title(self._columns[place]), _meaning(self._columns[place]))) for place in places}


def _meaning(column: Column) -> str:
    if not isinstance(column, tuple):
        return FACT_MEANINGS[column]
    return "a field" if len(column) == 1 else f"a field inside {compact(list(column[:-1]))[1:-1]}"
