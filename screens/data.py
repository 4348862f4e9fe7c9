"""Data: the records of the project as they were read, what is wrong with them, and importing more."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.events import Resize

from screens import keys
from screens.list_detail import ListDetailScreen
from screens.marked_rows import FEW_ROWS
from screens.query_text import added
from screens.record_list import RecordList
from screens.record_text import VIEWS, RecordView, as_text, record_detail
from screens.widgets.table import RecordTable
from store import examples, findings, records, tags
from store.database import Store
from store.records import Record
from studio.errors import StudioError
from studio.text import clean_line

if TYPE_CHECKING:
    from screens.duplicates import Place

LONGEST_AS_FIELDS = 400_000
"""Characters; of a longer record only the beginning is shown, as it was read."""


class DataScreen(RecordList):
    """The records, beside (or over) the one under the cursor."""

    AREA = "data"
    MARKS = "! unreadable, ? with a problem, = repeats an earlier row, f flagged, x excluded, # tagged, n with a note"
    CSS_PATH = "data.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.DATA

    def __init__(self) -> None:
        super().__init__()
        self._view: RecordView = VIEWS[0]

    # The record

    @on(RecordTable.Highlighted, "#list")
    def _follow(self) -> None:
        self.say_count()
        self.draw_at_rest(lambda: self._read(self.table.cursor_id))

    def read_again(self) -> None:
        """Show the record under the cursor as it is now."""
        self._read(self.table.cursor_id, keep_place=True)

    def _read(self, record_id: int | None, *, keep_place: bool = False) -> None:
        self.drawn()
        if record_id is None:
            self.detail.show("")
            return
        store = self.studio.store
        record = self._glimpse(record_id)
        first = None if record.duplicate_of is None else self._glimpse(record.duplicate_of)
        spans = record_detail(
            record,
            self._view,
            tags=tags.of_many(store, "record", [record_id]).get(record_id, []),
            first=first,
            found=findings.details_of(store, "record", record_id),
            encoding=records.source(store, record.source_id).encoding if self._view == "bytes" else "",
            width=self.detail.scrollable_content_region.width,
        )
        self.detail.show(spans, keep_place=keep_place)

    def _glimpse(self, record_id: int) -> Record:
        return records.glimpse_many(self.studio.store, [record_id], LONGEST_AS_FIELDS)[record_id]

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

    def action_origin(self) -> None:
        """Go to the first of the records that have the same bytes."""
        here = self.table.cursor_id
        first = None if here is None else self._glimpse(here).duplicate_of
        if first is None:
            self.notify("This record repeats none before it.", markup=False)
        else:
            self.go_to(first)

    def action_view(self) -> None:
        """Show the fields, the JSON, the row as it was read, or its bytes."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        self._read(self.table.cursor_id)

    def on_resize(self, event: Resize) -> None:
        """Lay bytes out to the new width."""
        super().on_resize(event)
        if self._view == "bytes":
            self.call_after_refresh(self.read_again)

    def action_edit_outside(self) -> None:
        """Look at the whole row, as it was read, in the user's own editor."""
        if self.table.cursor_id is None:
            return
        from screens.external_editor import edit_outside

        record = records.get(self.studio.store, self.table.cursor_id)
        suffix = ".txt" if record.fields is None else ".json"
        if edit_outside(self.studio, as_text(record.raw), suffix=suffix) is not None:
            self.notify_error(
                StudioError(
                    "The change was not taken over: records are kept as they were read.",
                    "Edit the example instead: enter goes to it.",
                )
            )

    # Marks

    def notes(self, ids: Sequence[int]) -> list[str]:
        """Return the notes of a few records."""
        return [record.note for record in records.glimpse_many(self.studio.store, list(ids), 0).values()]

    def set_note(self, store: Store, row_id: int, note: str) -> None:
        """Keep a note on a record."""
        records.set_note(store, row_id, note)

    def action_flag(self) -> None:
        """Flag the chosen records, or take the flags off when all have one."""
        self._toggle("flagged", ("Flag", "Take the flags off"), records.set_flagged)

    def action_exclude(self) -> None:
        """Exclude the chosen records, or let them in when all are out."""
        self._toggle("excluded", ("Exclude", "Let in"), records.set_excluded)

    def _toggle(self, name: str, does: tuple[str, str], change: Callable[[Store, int, bool], None]) -> None:
        ids = self.chosen_ids()
        if len(ids) > FEW_ROWS and self.table.cursor_id is not None:
            # Of so many the row under the cursor decides what is to be done.
            is_on = bool(getattr(self._glimpse(self.table.cursor_id), name))
            self.change_many(does[is_on], lambda store, number: change(store, number, not is_on))
            return
        found = records.glimpse_many(self.studio.store, ids, 0).values()
        on = not all(getattr(record, name) for record in found)
        with self.studio.store.transaction():
            for record_id in ids:
                change(self.studio.store, record_id, on)
        self.show_changed(ids)

    def action_duplicates(self) -> None:
        """Review what repeats other rows, group by group."""
        from screens.duplicates import DuplicatesWindow

        self.studio.push_screen(DuplicatesWindow(), self._leave_duplicates)

    async def _leave_duplicates(self, place: "Place | None") -> None:
        if self._sign != self.studio.data_sign:
            self.reload()
        if place is None:
            return
        screen = await self.studio.show_area(place.area)
        if isinstance(screen, ListDetailScreen):
            screen.go_to(place.row_id)

    def action_column_statistics(self) -> None:
        """Show what the columns of the rows that the query finds hold."""
        from screens.column_statistics import ColumnsWindow

        def chosen(term: str | None) -> None:
            if term is not None:
                self.ask(added(self.query_text, term))

        self.studio.push_screen(ColumnsWindow(self.query_text), chosen)

    # Filters

    def action_problems_only(self) -> None:
        """Show only rows with a problem, or all."""
        self.toggle_term("has:problem")

    def action_next_source(self) -> None:
        """Show the next source; after the last one, all."""
        names = dict.fromkeys(source.name for source in records.sources(self.studio.store))
        self.show_next("source", list(names))

    # Importing

    def action_import_file(self) -> None:
        """Ask for a file and import it."""
        from screens.import_file import ImportWindow

        self.studio.push_screen(ImportWindow(), self._imported)

    def _imported(self, done: bool | None) -> None:
        if done:
            self.reload()

    def action_stop_import(self) -> None:
        """Stop the import that goes on behind the list; its rows so far stay."""
        self.studio.imports.cancel()

    def say_query(self) -> None:
        """Say which part of the whole the list shows, and how far an import behind it is."""
        super().say_query()
        if self.studio.imports.running:
            shown = f"query: {self.query_text}  |  " if self.query_text else ""
            words = f"importing (ctrl+x stops it): {self.studio.imports.words}"
            self.filters.update(clean_line(f" {shown}{words}"), layout=False)
