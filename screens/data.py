"""Data: the records of the project as they were read, what is wrong with them, and importing more."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from screens import keys
from screens.background import in_background
from screens.list_detail import ListDetailScreen
from screens.record_text import VIEWS, RecordView, record_detail, record_row
from screens.widgets.table import Column, RecordTable, Row
from store import examples, records
from store.database import Store
from store.records import RecordQuery, Source

EMPTY_PROJECT = "No data yet. Press i to import a file."
NOTHING_FOUND = "No record matches. Press esc to see all."


class DataScreen(ListDetailScreen[RecordQuery]):
    """The records, beside (or over) the one under the cursor."""

    AREA = "data"
    MARKS = "! unreadable, ? with a problem, f flagged, x excluded"
    SEARCH_HINT = "words, or a phrase in quotes; enter goes to the list"
    EVERYTHING = RecordQuery()
    CSS_PATH = "data.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.DATA

    def __init__(self) -> None:
        super().__init__()
        self._sources: list[Source] = []
        self._total = -1
        self._view: RecordView = VIEWS[0]

    def compose_list(self) -> RecordTable:
        """Lay the columns out."""
        return RecordTable([Column("", 3), Column("Line", 6), Column("Record")], self._rows, id="list")

    def on_screen_resume(self) -> None:
        """Show the records where they were left, and those that came in meanwhile."""
        if records.count(self.studio.store) != self._total:
            self._reload(cursor_id=self.left_at)

    def _reload(self, *, cursor_id: int | None = None) -> None:
        self._sources = records.sources(self.studio.store)
        self._total = records.count(self.studio.store)
        self.find(cursor_id=cursor_id)

    # Finding

    def find(self, *, cursor_id: int | None = None) -> None:
        """List the records that the query asks for; a text is searched for in a thread."""
        self._say_filters()
        if self._query.text:
            query = self._query
            # A search of all text may take a moment: another thread, with a connection of its own.
            in_background(self, partial(records.ids, query=query), partial(self._take_found, query), group="search")
        else:
            self._show(records.ids(self.studio.store, self._query), cursor_id=cursor_id)

    def _take_found(self, query: RecordQuery, ids: Sequence[int]) -> None:
        if query == self._query:
            self._show(ids)

    def _show(self, ids: Sequence[int], *, cursor_id: int | None = None) -> None:
        nothing = EMPTY_PROJECT if not self._total else NOTHING_FOUND
        self.table.show(ids, cursor_id=cursor_id or self.table.cursor_id, empty=nothing)
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
        self.say_filters(parts)

    def _say_count(self) -> None:
        shown = len(self.table.ids)
        place = f"{self.table.cursor + 1:,}/" if shown else ""
        of_all = f" of {self._total:,}" if shown != self._total else ""
        self.set_status(f"{place}{shown:,}{of_all} records")

    # The list

    @on(RecordTable.Highlighted, "#list")
    def _show_detail(self, event: RecordTable.Highlighted) -> None:
        self._say_count()
        if event.row_id is None:
            self.detail.show("")
            return
        self.detail.show(record_detail(records.get(self.studio.store, event.row_id), self._view))

    @on(RecordTable.Opened, "#list")
    async def _open_examples(self, event: RecordTable.Opened) -> None:
        found = examples.ids_of_record(self.studio.store, event.row_id)
        if not found:
            self.notify("This record made no example; the detail says why where it is known.", markup=False)
            return
        from screens.examples import ExamplesScreen

        screen = await self.studio.show_area("examples")
        if isinstance(screen, ExamplesScreen):
            screen.go_to(found[0])

    def action_flag(self) -> None:
        """Flag the chosen records, or take the flags off when all have one."""
        self._toggle("flagged", records.set_flagged)

    def action_exclude(self) -> None:
        """Exclude the chosen records, or let them in when all are out."""
        self._toggle("excluded", records.set_excluded)

    def _toggle(self, name: str, change: Callable[[Store, int, bool], None]) -> None:
        ids = self.chosen_ids()
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

    def action_problems_only(self) -> None:
        """Show only rows with a problem, or all."""
        self.filter(errors_only=not self._query.errors_only)

    def action_next_source(self) -> None:
        """Show the next source; after the last one, all."""
        ids = [None, *(source.id for source in self._sources)]
        self.filter(source_id=ids[(ids.index(self._query.source_id) + 1) % len(ids)])

    def action_view(self) -> None:
        """Show the fields, the JSON, or the row as it was read."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        if (here := self.table.cursor_id) is not None:
            self.detail.show(record_detail(records.get(self.studio.store, here), self._view))

    # Importing

    def action_import_file(self) -> None:
        """Ask for a file and import it."""
        from screens.import_file import ImportWindow

        self.studio.push_screen(ImportWindow(), self._imported)

    def _imported(self, done: bool | None) -> None:
        if done:
            self._reload()
