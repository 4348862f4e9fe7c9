"""Column statistics: what each column of the rows in sight holds, refined while a process goes through them."""

import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.column_text import column_detail, column_row, value_row
from screens.query_text import field_term
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from store.database import Store
from studio.columns.look import ColumnLook
from studio.columns.statistics import ColumnStatistics, Look, beginning
from studio.columns.words import look_words
from studio.errors import StudioError
from studio.text import clean_line

KEYS_WORDS = "enter: values, then rows with one    tab: other pane    esc: leave"


class ColumnsWindow(StudioModal[str]):
    """The columns over the frequent values of one beside its distributions; gives the query term of a value."""

    AUTO_FOCUS: ClassVar[str | None] = "#columns"

    heading = query_one("#heading", Static)
    columns = query_one("#columns", RecordTable)
    values = query_one("#values", RecordTable)
    text = query_one(TextView)
    said = query_one("#said", Static)

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query
        self._look: Look | None = None
        self._process: ColumnLook | None = None
        self._began = time.monotonic()

    def compose(self) -> ComposeResult:
        """Lay the columns over the values beside the charts."""
        with Vertical(classes="window tall"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            titles = [("Type", 15), ("Rows", 5), ("Missing", 9), ("Empty", 9), ("Distinct", 11)]
            columns = [Column("Column"), *(Column(title, width) for title, width in titles)]
            yield RecordTable(columns, self._column_rows, empty="Looking at the rows ...", id="columns")
            with Horizontal(id="column"):
                columns = [Column("Value"), Column("Count", 10), Column("Share", 8)]
                yield RecordTable(columns, self._value_rows, empty="No value to name.", id="values")
                yield TextView()
            yield Static(KEYS_WORDS, id="said", markup=False)

    def on_mount(self) -> None:
        """Begin to look; the process knows nothing of the window, and is ended with it."""
        self._say("the records: finding the rows ...")
        self._process = process = ColumnLook(self.studio.store.path, self._query)

        def work(_: Store) -> None:
            process.follow(lambda look: self.call_later(self._take, look))

        in_background(self, work, lambda _: None, failed=self._failed, group="columns")

    def on_unmount(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.stop()

    def _say(self, words: str) -> None:
        query = f"    query: {self._query}" if self._query else ""
        self.heading.update(clean_line(f" Columns of {words}{query}"))

    def _failed(self, error: StudioError) -> None:
        self._say("the records: failed")
        self.said.update(message_of(error))

    # What is shown

    def _take(self, look: Look) -> None:
        if not self.is_attached:
            return
        before, self._look = self._column, look
        self._say(look_words(look, time.monotonic() - self._began))
        paths = [column.path for column in look.columns]
        here = paths.index(before.path) if before and before.path in paths else 0
        if len(self.columns.ids) == len(paths) and self.columns.cursor_id == here:
            self.columns.refresh_rows()
            self._show_column(keep_place=True)
        else:
            self.columns.show(range(len(paths)), cursor_id=here, empty="These rows have no columns.")

    @property
    def _column(self) -> ColumnStatistics | None:
        here = self.columns.cursor_id
        return None if here is None or self._look is None else self._look.columns[here]

    def _column_rows(self, ids: list[int]) -> dict[int, Row]:
        return {} if self._look is None else {number: column_row(self._look.columns[number]) for number in ids}

    def _value_rows(self, ids: list[int]) -> dict[int, Row]:
        column = self._column
        if column is None:
            return {}
        return {n: value_row(column.top[n], column.values) for n in ids if n < len(column.top)}

    @on(RecordTable.Highlighted, "#columns")
    def _follow(self) -> None:
        self._show_column(keep_place=False)

    def _show_column(self, *, keep_place: bool) -> None:
        column = self._column
        if column is None:
            return
        cursor = self.values.cursor_id if keep_place else 0
        nothing = "Too many values, all of them rare." if column.is_over else "No single values."
        self.values.show(range(len(column.top)), cursor_id=cursor, empty=nothing)
        self.text.show(column_detail(column, self.text.size.width - 2), keep_place=keep_place)

    def on_resize(self) -> None:
        """Lay the charts out to the new width."""
        self.call_after_refresh(self._show_column, keep_place=True)

    # What the keys do

    @on(RecordTable.Opened, "#columns")
    def _go_to_values(self) -> None:
        self.values.focus()

    @on(RecordTable.Opened, "#values")
    def _ask(self, event: RecordTable.Opened) -> None:
        column = self._column
        if column is None:
            return
        term = field_term(column.path, beginning(column.top[event.row_id].value))
        if term is None:
            self.said.update("A query can't ask for this value: it has no words, or its column no plain name.")
        else:
            self.dismiss(term)

    def action_cancel(self) -> None:
        """Leave the values, then the window."""
        if self.columns.has_focus:
            self.dismiss(None)
        else:
            self.columns.focus()
