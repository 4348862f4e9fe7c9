"""What Data and Examples share: a filtered list beside, or over, the row under the cursor."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.getters import query_one
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from screens.base import StudioScreen
from screens.widgets.table import RecordTable
from screens.widgets.text_view import TextView
from screens.widgets.typing_order import LineInput
from store import interface_state
from store.examples import ExampleQuery
from store.records import RecordQuery
from studio.text import clean_line

SEARCH_DELAY = 0.15
"""Seconds without a key before a search starts."""

Query = TypeVar("Query", RecordQuery, ExampleQuery)


class ListDetailScreen(StudioScreen, Generic[Query]):
    """A list with a search line and filters, and a pane for reading the row under the cursor."""

    SEARCH_HINT: ClassVar[str]
    EVERYTHING: Query
    """The query that leaves nothing out."""

    table = query_one("#list", RecordTable)
    detail = query_one("#detail", TextView)
    filters = query_one("#filters", Static)
    search = query_one("#search", Input)

    def __init__(self) -> None:
        super().__init__()
        self._query: Query = self.EVERYTHING
        self._debounce: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Lay the filters over the list and the row."""
        yield Static("", id="filters", classes="status-line", markup=False)
        search = LineInput(id="search", placeholder=self.SEARCH_HINT)
        search.cursor_blink = False
        yield search
        with Container(id="panes"):
            yield self.compose_list()
            yield from self.compose_detail()

    def compose_list(self) -> Widget:
        """Return the list, a RecordTable of the id `list`."""
        raise NotImplementedError

    def compose_detail(self) -> ComposeResult:
        """Lay the pane for reading."""
        yield TextView(id="detail")

    def find(self, *, cursor_id: int | None = None) -> None:
        """Fill the list with what the query asks for, the cursor on a row."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begin in the list."""
        self.search.display = False
        self.table.focus()

    @property
    def left_at(self) -> int | None:
        """The row under the cursor, or the one where the last session ended."""
        return self.table.cursor_id or interface_state.recall(self.studio.store, f"{self.AREA}.row")

    def remember(self) -> None:
        """Keep which row was looked at."""
        if self.table.cursor_id is not None:
            interface_state.remember(self.studio.store, f"{self.AREA}.row", self.table.cursor_id)

    def go_to(self, row_id: int) -> None:
        """Show one row, whatever the filters are."""
        if not self.table.go_to(row_id):
            self._query = self.EVERYTHING
            self.find(cursor_id=row_id)
        self.remove_class("-reading")
        self.table.focus()

    def say_filters(self, parts: Sequence[str]) -> None:
        """Say which part of the whole the list shows."""
        words = [*parts]
        words += ["only flagged"] if self._query.flagged_only else []
        words += [f"search: {self._query.text}"] if self._query.text else []
        self.filters.update(" " + clean_line("  |  ".join(words)))

    def chosen_ids(self) -> list[int]:
        """Return the selected rows, or the one under the cursor."""
        here = self.table.cursor_id
        return sorted(self.table.selected) or ([] if here is None else [here])

    def filter(self, **changes: Any) -> None:
        """Change the query, and look again if it is another."""
        query = replace(self._query, **changes)
        if query != self._query:
            self._query = query
            self.find()

    def action_search(self) -> None:
        """Open the search line over the list."""
        self.remove_class("-reading")
        self.search.display = True
        self.search.focus()

    @on(Input.Changed, "#search")
    def _search_soon(self, event: Input.Changed) -> None:
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(SEARCH_DELAY, lambda: self.filter(text=event.value.strip()))

    @on(Input.Submitted, "#search")
    def _search_now(self, event: Input.Submitted) -> None:
        self.filter(text=event.value.strip())
        self.table.focus()

    def action_flagged_only(self) -> None:
        """Show only what is flagged, or all."""
        self.filter(flagged_only=not self._query.flagged_only)

    def action_switch_pane(self) -> None:
        """Go from the list to the row or back; the row fills a small screen."""
        to_detail = not self.detail.has_focus
        self.set_class(to_detail, "-reading")
        (self.detail if to_detail else self.table).focus()

    def action_back(self) -> None:
        """Leave the row, then the search, then the filters."""
        if self.detail.has_focus:
            self.action_switch_pane()
        elif self.search.display:
            self.search.display = False
            self.search.value = ""
            self.filter(text="")
            self.table.focus()
        elif self._query != self.EVERYTHING:
            self._query = self.EVERYTHING
            self.find()
