"""What Data and Examples share: the list of what a query asks for beside, or over, the row under the cursor."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.getters import query_one
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from screens.found_list import QUERY_HINT
from screens.marked_rows import MarkedRows
from screens.widgets.text_view import TextView
from screens.widgets.typing_order import LineInput
from store import examples, records

if TYPE_CHECKING:
    from screens.findings import Asked

REST = 0.08
"""Seconds that the cursor must stand still before its row is laid out: a held key passes over the rows between.

With 0 each row is laid out at once.
"""

SEARCH_DELAY = 0.15
"""Seconds without a key before a search starts."""


class ListDetailScreen(MarkedRows):
    """A list with a query line and filters, and a pane for reading the row under the cursor."""

    detail = query_one("#detail", TextView)

    def __init__(self) -> None:
        super().__init__()
        self._opened_with = ""
        """What the query was when the line was opened."""
        self._debounce: Timer | None = None
        self._resting: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Lay the query over the list and the row."""
        yield Static("", id="filters", classes="status-line", markup=False)
        hint = "what to show; enter goes to the list, esc takes it back"
        search = LineInput(id="search", placeholder=hint, select_on_focus=False)
        search.cursor_blink = False
        yield search
        yield Static(QUERY_HINT, id="query-hint", markup=False)
        with Container(id="panes"):
            yield self.compose_list()
            yield from self.compose_detail()

    def compose_list(self) -> Widget:
        """Return the list, a RecordTable of the id `list`."""
        raise NotImplementedError

    def compose_detail(self) -> ComposeResult:
        """Lay the pane for reading."""
        yield TextView(id="detail")

    def on_mount(self) -> None:
        """Begin in the list."""
        self.search.display = self.hint.display = False
        self.table.focus()
        self.studio.indexing.moved.subscribe(self, self._index_moved)
        self.studio.lint_run.moved.subscribe(self, self._checks_moved)

    def on_screen_resume(self) -> None:
        """Show the rows where they were left, and what came in or changed meanwhile."""
        if self._sign is None:
            self.find(cursor_id=self.left_at)
        elif self._sign != self.studio.data_sign:
            self.reload()

    def on_imports_progressed(self) -> None:
        """Let the list grow; the answer to a query, and an order, are looked for again only at the end."""
        if self.query_text or self._order is not None:
            self.say_query()
            self.say_count()
        else:
            self.reload()

    def on_imports_ended(self) -> None:
        """Show all that came in."""
        self.reload()

    def _checks_moved(self, ended: bool) -> None:
        """Show what the checks found meanwhile."""
        if ended:
            self.reload()
            self.read_again()

    def remember(self) -> None:
        """Keep which row was looked at."""
        if self.table.cursor_id is not None:
            self.studio.note_place(f"{self.AREA}.row", self.table.cursor_id)

    def go_to(self, row_id: int) -> None:
        """Show one row, whatever the query is."""
        if not self.table.go_to(row_id):
            self._query = ""
            self.find(cursor_id=row_id)
        self.remove_class("-reading")
        self.table.focus()

    def action_findings(self) -> None:
        """Show what the checks found, and what can be done about it."""
        from screens.findings import FindingsWindow

        self.studio.push_screen(FindingsWindow(), self._leave_findings)

    async def _leave_findings(self, asked: "Asked | None") -> None:
        if self._sign != self.studio.data_sign:
            self.reload()
        if asked is None:
            return
        screen = await self.studio.show_area(asked.area)
        if isinstance(screen, ListDetailScreen):
            screen.ask(asked.query)

    def action_template(self) -> None:
        """Edit the template, with the record under the cursor to try it on."""
        from screens.template_editor import TemplateEditor

        store, here = self.studio.store, self.table.cursor_id
        if here is not None and self.KIND == "example":
            here = examples.get_many(store, [here])[here].record_id
        record_id = here or next(iter(records.span(store)), None)
        if record_id is None:
            self.notify("There is no record yet to make a template for. Import data first.", markup=False)
            return
        query = self.query_text if self.KIND == "record" else ""
        self.studio.push_screen(TemplateEditor(self.studio.project.settings.template, record_id, query))

    # The query line

    def action_search(self) -> None:
        """Open the query line over the list."""
        self.remove_class("-reading")
        if not self.search.display:
            self._opened_with = self._query
            self.search.value = f"{self._query} ".lstrip()
            self.search.cursor_position = len(self.search.value)
            self.search.display = True
            self._say_problem("")
        self.set_focus(self.search)

    @on(Input.Changed, "#search")
    def _search_soon(self, event: Input.Changed) -> None:
        self._stop_waiting()
        if self.search.display:
            self._debounce = self.set_timer(SEARCH_DELAY, lambda: self.ask(event.value))

    @on(Input.Submitted, "#search")
    def _search_now(self, event: Input.Submitted) -> None:
        self._stop_waiting()
        if self.ask(event.value):
            self._close_search()

    def _stop_waiting(self) -> None:
        if self._debounce is not None:
            self._debounce.stop()

    def _close_search(self) -> None:
        self._stop_waiting()
        self.search.display = False
        self._say_problem("")
        self.table.focus()

    def action_saved_queries(self) -> None:
        """Choose one of the saved queries, or save this one."""
        from screens.saved_queries import SavedQueriesWindow

        def chosen(text: str | None) -> None:
            if text is not None:
                self.ask(text)

        self.studio.push_screen(SavedQueriesWindow(self.KIND, self._query), chosen)

    # Panes

    def draw_at_rest(self, draw: Callable[[], object]) -> None:
        """Lay the row out once the cursor stands still, unless it is laid out before; see `drawn`."""
        self.drawn()
        if REST:
            self._resting = self.set_timer(REST, draw)
        else:
            draw()

    def drawn(self) -> None:
        """Forget a row that waits to be laid out."""
        if self._resting is not None:
            self._resting.stop()
            self._resting = None

    def action_switch_pane(self) -> None:
        """Go from the list to the row or back; the row fills a small screen."""
        to_detail = not self.detail.has_focus
        self.set_class(to_detail, "-reading")
        (self.detail if to_detail else self.table).focus()

    def action_back(self) -> None:
        """Leave the row, then the query line as it was before, then the query."""
        if self.detail.has_focus:
            self.action_switch_pane()
        elif self.search.display:
            self._close_search()
            self.ask(self._opened_with)
        else:
            self.ask("")
