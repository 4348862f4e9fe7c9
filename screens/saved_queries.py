"""The queries that were kept under a name: applied, added and taken away."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from screens import keys
from screens.background import in_background
from screens.base import StudioModal
from screens.dialogs import Confirm
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.typing_order import LineInput
from store import find, saved_queries
from store.database import Store
from store.errors import StoreError
from store.interruption import until
from studio.text import clean, clean_line

KEYS_LINE = "enter: show    s: save this query    d: delete    esc: close"
EMPTY = "None is kept yet. s keeps the present query under a name."


class SavedQueriesWindow(StudioModal[str]):
    """A list of queries, each with how many rows it finds; gives the text of the one that is opened."""

    BINDINGS: ClassVar[list[BindingType]] = keys.SAVED_QUERIES

    table = query_one(RecordTable)
    name_line = query_one(Input)
    said = query_one("#said", Static)

    def __init__(self, kind: find.Kind, query: str) -> None:
        super().__init__()
        self._kind = kind
        self._query = query
        self._saved: list[saved_queries.SavedQuery] = []
        self._counts: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Lay the list over the line for a name."""
        with Vertical(classes="window half"):
            yield Static(f"Saved queries for {self._kind}s", classes="pane-title", markup=False)
            yield RecordTable([Column("Name", 22), Column("Finds", 10), Column("Query")], self._rows, empty=EMPTY)
            name = LineInput(placeholder="a name for it; enter saves, esc takes it back", compact=True)
            name.cursor_blink = False
            yield name
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        """Begin in the list."""
        self.name_line.display = False
        self._fill()
        self.table.focus()

    def _fill(self) -> None:
        self._saved = saved_queries.all_saved(self.studio.store)
        self.table.show(range(len(self._saved)), cursor_id=self.table.cursor_id)
        self.said.update(KEYS_LINE)
        texts = [saved.query for saved in self._saved]
        in_background(self, lambda store: self._count(store, texts), lambda _: None, group="count", exclusive=True)

    def _count(self, store: Store, texts: list[str]) -> None:
        worker = get_current_worker()
        with until(store, lambda: worker.is_cancelled):
            for text in texts:
                self.call_later(self._counted, text, count_words(store, self._kind, text))

    def _counted(self, text: str, words: str) -> None:
        self._counts[text] = words
        self.table.refresh_rows()

    def _rows(self, positions: list[int]) -> dict[int, Row]:
        found = ((i, self._saved[i]) for i in positions if i < len(self._saved))
        return {i: Row((saved.name, self._counts.get(saved.query, "..."), saved.query)) for i, saved in found}

    @on(RecordTable.Opened)
    def _apply(self, event: RecordTable.Opened) -> None:
        self.dismiss(self._saved[event.row_id].query)

    def action_save(self) -> None:
        """Ask for a name for the present query."""
        if not self._query:
            self.said.update("The list shows everything; there is no query to keep.")
            return
        self.said.update(f"to keep: {clean_line(self._query)}")
        self.name_line.display = True
        self.name_line.focus()

    @on(Input.Submitted)
    def _save(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if not name:
            return
        if all(saved.name != name for saved in self._saved):
            self._keep(name)
            return
        question = f"There is a query named {name}. Put this one in its place?"
        self.app.push_screen(Confirm(question, yes="Replace it"), lambda yes: self._keep(name) if yes else None)

    def _keep(self, name: str) -> None:
        try:
            saved_queries.save(self.studio.store, name, self._query)
        except StoreError as error:
            self.said.update(clean(str(error)))
            return
        self._close_line()
        self._fill()

    def action_delete(self) -> None:
        """Take the query under the cursor away, after a question."""
        if self.table.cursor_id is None:
            return
        name = self._saved[self.table.cursor_id].name

        def delete(yes: bool | None) -> None:
            if yes:
                saved_queries.delete(self.studio.store, name)
                self._fill()

        self.app.push_screen(Confirm(f"Delete the query {name}? No data goes with it.", yes="Delete it"), delete)

    def _close_line(self) -> None:
        self.name_line.value = ""
        self.name_line.display = False
        self.said.update(KEYS_LINE)
        self.table.focus()

    def action_cancel(self) -> None:
        """Leave the line for a name, then the window."""
        if self.name_line.display:
            self._close_line()
        else:
            self.dismiss(None)


def count_words(store: Store, kind: find.Kind, query: str) -> str:
    """Return how many rows a query finds, or that it can't be answered any more."""
    try:
        return f"{find.count(store, kind, query):,}"
    except StoreError:
        return "no answer"
