"""What Data and Examples share: the list of what a query asks for beside, or over, the row under the cursor."""

from array import array
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.getters import query_one
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.worker import Worker

from screens.background import in_background
from screens.base import StudioScreen
from screens.dialogs import Confirm
from screens.id_stream import stream_ids
from screens.query_text import replaced, toggled, value_of
from screens.widgets.table import RecordTable
from screens.widgets.text_view import TextView
from screens.widgets.typing_order import LineInput
from store import interface_state, tags
from store.database import Store
from store.errors import StoreError
from studio.errors import StudioError
from studio.text import clean, clean_line

if TYPE_CHECKING:
    from store.find import Kind

FEW_ROWS = 100
"""So many are changed at once; of more it is asked first, and they are changed in the background."""

ROWS_AT_ONCE = 10_000
"""Rows of a transaction: others that write wait for a fraction of a second."""

SEARCH_DELAY = 0.15
"""Seconds without a key before a search starts."""

QUERY_HINT = 'words  "a phrase"  -not  OR  has:flag  source:NAME  tag:NAME  len>99  @saved'
NOTHING_FOUND = "Nothing matches. Press esc to go back."


class ListDetailScreen(StudioScreen):
    """A list with a query line and filters, and a pane for reading the row under the cursor."""

    KIND: ClassVar["Kind"]
    NOUN: ClassVar[str]
    """What the rows are, in the plural."""
    EMPTY: ClassVar[str]
    """What is said while there are none at all."""

    table = query_one("#list", RecordTable)
    detail = query_one("#detail", TextView)
    filters = query_one("#filters", Static)
    search = query_one("#search", Input)
    hint = query_one("#query-hint", Static)

    def __init__(self) -> None:
        super().__init__()
        self._query = ""
        self._listed = ""
        """The query that the list has begun to answer; another may be asked by now."""
        self._opened_with = ""
        """What the query was when the line was opened."""
        self._stream: Worker[None] | None = None
        self._sign: tuple[int, int] | None = None
        self._debounce: Timer | None = None

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

    def everything(self) -> range:
        """Return the ids of all rows, which must take no time."""
        raise NotImplementedError

    def describe_everything(self) -> str:
        """Say in words what is shown where the query leaves nothing out."""
        return f"all {self.NOUN}"

    def read_again(self) -> None:
        """Show the row under the cursor as it is now, from where one was."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begin in the list."""
        self.search.display = self.hint.display = False
        self.table.focus()
        self.studio.indexing.moved.subscribe(self, self._index_moved)

    def on_screen_resume(self) -> None:
        """Show the rows where they were left, and what came in or changed meanwhile."""
        if self._sign is None:
            self.find(cursor_id=self.left_at)
        elif self._sign != self.studio.data_sign:
            self.reload()

    def on_imports_progressed(self) -> None:
        """Let the list grow; the answer to a query is looked for again only at the end."""
        if self.query_text:
            self.say_query()
            self.say_count()
        else:
            self.reload()

    def on_imports_ended(self) -> None:
        """Show all that came in."""
        self.reload()

    @property
    def query_text(self) -> str:
        """What the list is asked for; empty where it shows everything."""
        return self._query

    @property
    def left_at(self) -> int | None:
        """The row under the cursor, or the one where the last session ended."""
        return self.table.cursor_id or interface_state.recall(self.studio.store, f"{self.AREA}.row")

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

    def chosen_ids(self) -> list[int]:
        """Return the selected rows, or the one under the cursor."""
        here = self.table.cursor_id
        return sorted(self.table.selected) or ([] if here is None else [here])

    def change_many(self, does: str, change: Callable[[Store, int], None]) -> None:
        """Ask whether all selected rows are to be changed, and do it in the background."""
        ids = self.chosen_ids()

        def work(store: Store) -> None:
            for start in range(0, len(ids), ROWS_AT_ONCE):
                with store.transaction():
                    for row_id in ids[start : start + ROWS_AT_ONCE]:
                        change(store, row_id)

        def answered(yes: bool | None) -> None:
            if yes:
                self._change_behind(ids, work)

        self.studio.push_screen(Confirm(f"{does} {len(ids):,} {self.NOUN}?", yes=does), answered)

    def _change_behind(self, ids: list[int], work: Callable[[Store], None]) -> None:
        self.set_status(f"changing {len(ids):,} {self.NOUN} ...")

        def changed(_: None) -> None:
            self.show_changed(ids)
            self.set_status(f"{len(ids):,} {self.NOUN} changed")

        in_background(self, work, changed)

    @on(RecordTable.AllSelected, "#list")
    def _say_selected(self, event: RecordTable.AllSelected) -> None:
        self.set_status(f"{event.number:,} {self.NOUN} selected")

    # Finding

    def find(self, *, cursor_id: int | None = None) -> None:
        """List what the query asks for: everything at once, a part of it bit by bit from a thread."""
        self._break_off()
        self._sign = self.studio.data_sign
        if self._query:
            self._stream = stream_ids(self, self.KIND, self._query, self._taker(cursor_id), self._not_found)
        else:
            self._listed = ""
            self.table.show(self.everything(), cursor_id=cursor_id or self.table.cursor_id, empty=self.EMPTY)
        self.say_query()
        self.say_count()

    def reload(self) -> None:
        """Take up what came in or changed elsewhere; the cursor and what is in sight stay."""
        self._sign = self.studio.data_sign
        ids, known = self.everything(), self.table.ids
        if self._query:
            self._look_again()
        elif isinstance(known, range) and 0 < len(known) <= len(ids):
            self.table.extend(ids[len(known) :])
            self.table.refresh_rows()
            self.read_again()
        else:
            self.table.show(ids, cursor_id=self.left_at, empty=self.EMPTY)
        self.say_query()
        self.say_count()

    def _taker(self, cursor_id: int | None) -> Callable[["array[int]", bool], None]:
        """Return what puts the ids of a new query into the list as they come."""
        begun = False

        def take(ids: "array[int]", more: bool) -> None:
            nonlocal begun
            if begun:
                self.table.extend(ids, more=more)
            else:
                begun, self._listed = True, self._query
                self.table.show(ids, cursor_id=cursor_id or self.table.cursor_id, empty=NOTHING_FOUND, more=more)
            self.say_count()

        return take

    def _look_again(self) -> None:
        """Find once more; the list stays as it is until all is known, and where nothing changed also then."""
        if self.table.incomplete:
            return
        found = array("q")

        def take(ids: "array[int]", more: bool) -> None:
            found.extend(ids)
            if more:
                return
            if found == self.table.ids:
                self.table.refresh_rows()
                self.read_again()
            else:
                self.table.show(found, cursor_id=self.table.cursor_id, empty=NOTHING_FOUND)
            self.say_count()

        self._stream = stream_ids(self, self.KIND, self._query, take, self._not_found)

    def _break_off(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    def _not_found(self, error: StudioError) -> None:
        """Say why a query could not be answered; the list shows what it did before."""
        self._say_problem(error.message)
        self._query = self._listed
        self.say_query()

    def ask(self, text: str) -> bool:
        """List what another query asks for; one that can't be understood changes nothing. Tell whether it could."""
        # Off the way to the first paint, which needs no query.
        from store.query import QueryError, parse

        text = text.strip()
        try:
            parse(text)
        except QueryError as error:
            self._say_problem(str(error))
            return False
        self._say_problem("")
        if text != self._query:
            self._query = text
            self.find()
        return True

    def toggle_term(self, term: str) -> None:
        """Put a term into the query, or take it out."""
        self.ask(toggled(self._query, term))

    def show_next(self, field: str, values: list[str]) -> None:
        """Ask for the next of a field's values; after the last one, for all."""
        choices = ["", *values]
        here = value_of(self._query, field)
        at = choices.index(here) if here in choices else -1
        self.ask(replaced(self._query, field, choices[(at + 1) % len(choices)]))

    def show_changed(self, ids: list[int]) -> None:
        """Paint rows that were changed here; they stay in the list even where the query would leave them out now."""
        self._sign = self.studio.data_sign
        self.table.refresh_rows(ids)
        self.read_again()

    def _index_moved(self, missing: int) -> None:
        self.say_query()
        if self._query and not missing:
            self._look_again()

    # Words about the state

    def say_query(self) -> None:
        """Say which part of the whole the list shows, and whether the search knows all of it."""
        shown = f"query: {self._query}" if self._query else self.describe_everything()
        behind = f"   ({missing:,} rows are not searchable yet)" if (missing := self._not_searchable()) else ""
        self.filters.update(f" {clean_line(shown)}{behind}", layout=False)

    def _not_searchable(self) -> int:
        """Return how many rows the answer may lack."""
        if not self._query:
            return 0
        from store.find import FEW

        # So few are made searchable by the search itself, before it answers.
        missing = self.studio.indexing.missing
        return missing if missing > FEW else 0

    def say_count(self) -> None:
        """Say where the cursor is, and how many rows there are of how many."""
        shown, total = len(self.table.ids), len(self.everything())
        place = f"{self.table.cursor + 1:,}/" if shown else ""
        more = "+" if self.table.incomplete else ""
        of_all = f" of {total:,}" if more or shown != total else ""
        count = f"{place}{shown:,}{more}{of_all}"
        self.set_status(f"{count} {self.NOUN}", shorter=count)

    def _say_problem(self, words: str) -> None:
        self.hint.update(clean(words) or QUERY_HINT)
        self.hint.set_class(bool(words), "-problem")
        self.hint.display = self.search.display or bool(words)
        self.filters.display = not self.search.display

    # Keys

    def action_search(self) -> None:
        """Open the query line over the list."""
        self.remove_class("-reading")
        if not self.search.display:
            self._opened_with = self._query
            self.search.value = f"{self._query} ".lstrip()
            self.search.cursor_position = len(self.search.value)
            self.search.display = True
            self._say_problem("")
        self.search.focus()

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

    def action_tags(self) -> None:
        """Ask for tags to add to the chosen rows, or to take off."""
        from screens.tags_window import Changes, TagsWindow

        ids = self.chosen_ids()
        if not ids:
            return
        store = self.studio.store
        known = tags.names(store)
        few = len(ids) <= FEW_ROWS
        found = tags.of_many(store, self.KIND, ids).values() if few else [known]
        present = sorted({name for names in found for name in names})
        rows = f"{len(ids):,} {self.NOUN}" if len(ids) > 1 else f"{self.KIND} {ids[0]}"

        def changed(changes: Changes | None) -> None:
            if changes is None:
                return
            change = partial(tags.change, kind=self.KIND, ids=ids, add=changes[0], remove=changes[1])
            if not few:
                self._change_behind(ids, change)
                return
            try:
                change(store)
            except StoreError as error:
                self.notify_error(StudioError(str(error)))
            self.show_changed(ids)

        self.studio.push_screen(TagsWindow(rows, known, present), changed)

    def action_flagged_only(self) -> None:
        """Show only what is flagged, or all."""
        self.toggle_term("has:flag")

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
