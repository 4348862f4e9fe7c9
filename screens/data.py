"""Data: the records of the project as they were read, what is wrong with them, and importing more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.getters import query_one
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from screens import keys
from screens.base import StudioScreen
from screens.record_text import VIEWS, RecordView, record_detail, record_row
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from store import examples, interface_state, records
from store.database import Store
from store.records import RecordQuery, Source
from studio.project import Project
from studio.text import clean_line

SEARCH_DELAY = 0.15
"""Seconds without a key before a search starts."""

EMPTY_PROJECT = "No data yet. Press i to import a file."
NOTHING_FOUND = "No record matches. Press esc to see all."


class DataScreen(StudioScreen):
    """A list of records beside (or over) the record under the cursor."""

    AREA = "data"
    MARKS = "! unreadable, ? with a problem, f flagged, x excluded"
    CSS_PATH = "data.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.DATA

    table = query_one("#records", RecordTable)
    detail = query_one("#record", TextView)
    filters = query_one("#filters", Static)
    search = query_one("#search", Input)

    @dataclass
    class Found(Message):
        """A search is done; `problem` says why where it could not be."""

        query: RecordQuery
        ids: Sequence[int]
        problem: str = ""

    def __init__(self) -> None:
        super().__init__()
        self._query = RecordQuery()
        self._sources: list[Source] = []
        self._total = -1
        self._view: RecordView = VIEWS[0]
        self._debounce: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Lay the filters over the list and the record."""
        yield Static("", id="filters", classes="status-line", markup=False)
        search = Input(id="search", placeholder="words, or a phrase in quotes; enter goes to the list")
        search.cursor_blink = False
        yield search
        with Container(id="panes"):
            yield RecordTable([Column("", 3), Column("Line", 6), Column("Record")], self._rows, id="records")
            yield TextView(id="record")

    def on_mount(self) -> None:
        """Begin in the list."""
        self.search.display = False
        self.table.focus()

    def on_screen_resume(self) -> None:
        """Show the records where they were left, and those that came in meanwhile."""
        if records.count(self.studio.store) != self._total:
            left_at = interface_state.recall(self.studio.store, "data.record")
            self._reload(cursor_id=self.table.cursor_id or left_at)

    def _reload(self, *, cursor_id: int | None = None) -> None:
        self._sources = records.sources(self.studio.store)
        self._total = records.count(self.studio.store)
        self._find(cursor_id=cursor_id)

    def go_to(self, record_id: int) -> None:
        """Show one record, whatever the filters are."""
        if not self.table.go_to(record_id):
            self._query = RecordQuery()
            self._find(cursor_id=record_id)
        self.table.focus()

    # Finding

    def _find(self, *, cursor_id: int | None = None) -> None:
        self._say_filters()
        if self._query.text:
            self._search(self.studio.project, self._query)
        else:
            self._show(records.ids(self.studio.store, self._query), cursor_id=cursor_id)

    @work(thread=True, exclusive=True, group="search")
    def _search(self, project: Project, query: RecordQuery) -> None:
        # A search of all text may take a moment: another thread, with a connection of its own.
        with project.open_store() as store:
            try:
                found = self.Found(query, records.ids(store, query))
            except ValueError as error:
                found = self.Found(query, [], str(error))
        self.post_message(found)

    @on(Found)
    def _take_found(self, found: Found) -> None:
        if found.query == self._query:
            self._show(found.ids, empty=found.problem or None)

    def _show(self, ids: Sequence[int], *, cursor_id: int | None = None, empty: str | None = None) -> None:
        nothing = EMPTY_PROJECT if not self._total else NOTHING_FOUND
        self.table.show(ids, cursor_id=cursor_id or self.table.cursor_id, empty=empty or nothing)
        self._say_count()

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        found = records.get_many(self.studio.store, ids)
        return {record_id: record_row(record) for record_id, record in found.items()}

    # Words about the state

    def _say_filters(self) -> None:
        name = next((s.name for s in self._sources if s.id == self._query.source_id), "")
        source = f"source: {name}" if name else f"all {len(self._sources)} sources"
        if len(self._sources) == 1:
            source = f"source: {self._sources[0].name}"
        parts = [source]
        parts += ["only problems"] if self._query.errors_only else []
        parts += ["only flagged"] if self._query.flagged_only else []
        parts += [f"search: {self._query.text}"] if self._query.text else []
        self.filters.update(" " + clean_line("  |  ".join(parts)))

    def _say_count(self) -> None:
        shown = len(self.table.ids)
        place = f"{self.table.cursor + 1:,}/" if shown else ""
        of_all = f" of {self._total:,}" if shown != self._total else ""
        self.set_status(f"{place}{shown:,}{of_all} records")

    # The list

    @on(RecordTable.Highlighted, "#records")
    def _show_detail(self, event: RecordTable.Highlighted) -> None:
        self._say_count()
        if event.row_id is None:
            self.detail.show("")
            return
        self.detail.show(record_detail(records.get(self.studio.store, event.row_id), self._view))

    @on(RecordTable.Opened, "#records")
    async def _open_examples(self, event: RecordTable.Opened) -> None:
        found = examples.ids_of_record(self.studio.store, event.row_id)
        if not found:
            self.notify("This record made no example; the detail says why where it is known.", markup=False)
            return
        from screens.examples import ExamplesScreen

        screen = await self.studio.show_area("examples")
        if isinstance(screen, ExamplesScreen):
            screen.go_to(found[0])

    def _chosen(self) -> list[int]:
        """Return the selected records, or the one under the cursor."""
        here = self.table.cursor_id
        return sorted(self.table.selected) or ([] if here is None else [here])

    def action_flag(self) -> None:
        """Flag the chosen records, or take the flags off when all have one."""
        self._toggle("flagged", records.set_flagged)

    def action_exclude(self) -> None:
        """Exclude the chosen records, or let them in when all are out."""
        self._toggle("excluded", records.set_excluded)

    def _toggle(self, name: str, change: Callable[[Store, int, bool], None]) -> None:
        ids = self._chosen()
        found = records.get_many(self.studio.store, ids).values()
        on = not all(getattr(record, name) for record in found)
        with self.studio.store.transaction():
            for record_id in ids:
                change(self.studio.store, record_id, on)
        self.table.refresh_rows(ids)
        if (here := self.table.cursor_id) is not None:
            record = records.get(self.studio.store, here)
            self.detail.show(record_detail(record, self._view), keep_place=True)

    # Filters

    def action_search(self) -> None:
        """Open the search line over the list."""
        self.remove_class("-reading")
        self.search.display = True
        self.search.focus()

    @on(Input.Changed, "#search")
    def _search_soon(self, event: Input.Changed) -> None:
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(SEARCH_DELAY, lambda: self._filter(text=event.value.strip()))

    @on(Input.Submitted, "#search")
    def _search_now(self, event: Input.Submitted) -> None:
        self._filter(text=event.value.strip())
        self.table.focus()

    def action_problems_only(self) -> None:
        """Show only rows with a problem, or all."""
        self._filter(errors_only=not self._query.errors_only)

    def action_flagged_only(self) -> None:
        """Show only what is flagged, or all."""
        self._filter(flagged_only=not self._query.flagged_only)

    def action_next_source(self) -> None:
        """Show the next source; after the last one, all."""
        ids = [None, *(source.id for source in self._sources)]
        self._filter(source_id=ids[(ids.index(self._query.source_id) + 1) % len(ids)])

    def _filter(self, **changes: Any) -> None:
        query = replace(self._query, **changes)
        if query != self._query:
            self._query = query
            self._find()

    # Panes

    def action_view(self) -> None:
        """Show the fields, the JSON, or the row as it was read."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        if (here := self.table.cursor_id) is not None:
            self.detail.show(record_detail(records.get(self.studio.store, here), self._view))

    def action_switch_pane(self) -> None:
        """Go from the list to the record or back; the record fills a small screen."""
        to_detail = not self.detail.has_focus
        self.set_class(to_detail, "-reading")
        (self.detail if to_detail else self.table).focus()

    def action_back(self) -> None:
        """Leave the record, then the search, then the filters."""
        if self.detail.has_focus:
            self.action_switch_pane()
        elif self.search.display:
            self.search.display = False
            self.search.value = ""
            self._filter(text="")
            self.table.focus()
        elif self._query != RecordQuery():
            self._filter(source_id=None, errors_only=False, flagged_only=False)

    # Importing

    def action_import_file(self) -> None:
        """Ask for a file and import it."""
        from screens.import_file import ImportWindow

        self.studio.push_screen(ImportWindow(), self._imported)

    def _imported(self, done: bool | None) -> None:
        if done:
            self._reload()

    def remember(self) -> None:
        """Keep which record was looked at."""
        if self.table.cursor_id is not None:
            interface_state.remember(self.studio.store, "data.record", self.table.cursor_id)
