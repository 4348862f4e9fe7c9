"""Choosing which metrics are drawn."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import StudioModal
from screens.widgets.table import Column, RecordTable, Row

KEYS_WORDS = "space: choose    r: the most telling ones    enter: draw them    esc: leave"


class ChooseCurves(StudioModal[list[str]]):
    """Gives the names of the chosen metrics, none for the most telling ones; None when the window was left."""

    BINDINGS: ClassVar[list[BindingType]] = keys.CHOOSE_CURVES

    table = query_one(RecordTable)

    def __init__(self, found: Mapping[str, str], chosen: Collection[str]) -> None:
        """Offer metrics, by their names, with what they are in words."""
        super().__init__()
        self._found = list(found.items())
        self._chosen = [place for place, name in enumerate(found) if name in chosen]

    def compose(self) -> ComposeResult:
        """Lay the list over what can be done."""
        with Vertical(classes="window tall"):
            yield Static("Curves that are drawn: those with a star", classes="pane-title", markup=False)
            yield RecordTable([Column("Curve", 40), Column("Its name in metrics.jsonl")], self._rows)
            yield Static(KEYS_WORDS, markup=False)

    def on_mount(self) -> None:
        """Begin with the present choice."""
        self.table.show(range(len(self._found)))
        self.table.select(self._chosen)
        self.table.focus()

    def action_reset(self) -> None:
        """Draw the most telling ones."""
        self.dismiss([])

    @on(RecordTable.Opened)
    def take(self) -> None:
        """Give the chosen ones; without any, the one under the cursor."""
        here = self.table.cursor_id
        chosen = self.table.selected or ({here} if here is not None else set())
        self.dismiss([name for place, (name, _) in enumerate(self._found) if place in chosen])

    def _rows(self, places: list[int]) -> dict[int, Row]:
        return {place: Row((self._found[place][1], self._found[place][0])) for place in places}
