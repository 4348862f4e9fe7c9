"""The list of the Data screen: its columns and their order, and going to a line of a file."""

from typing import TYPE_CHECKING, Any

from screens.list_detail import ListDetailScreen
from screens.query_text import value_of
from screens.record_columns import Shown, column_from, fitted, found_columns, rows_of, shown_from, title
from screens.widgets.table import RecordTable, Row
from store import interface_state, record_places, records
from store.ordering import Column, Order

if TYPE_CHECKING:
    from screens.line_window import Place


class RecordList(ListDetailScreen):
    """The records of the project, in columns that are chosen and remembered."""

    KIND = "record"
    NOUN = "records"
    EMPTY = "No data yet. Press i to import a file."

    def __init__(self) -> None:
        super().__init__()
        self._shown = Shown()

    def compose_list(self) -> RecordTable:
        """Lay the columns out, as they were left."""
        store = self.studio.store
        self._shown = shown_from(interface_state.recall(store, "data.columns", []))
        self._order = _order_from(interface_state.recall(store, "data.order"))
        return RecordTable(self._shown.as_table(), self._rows, id="list")

    def everything(self) -> range:
        """Return the ids of all records."""
        return records.span(self.studio.store)

    def describe_everything(self) -> str:
        """Name the sources."""
        sources = records.sources(self.studio.store)
        if not sources:
            return "no source yet"
        return f"source: {sources[0].name}" if len(sources) == 1 else f"all {len(sources)} sources"

    def order_words(self) -> str:
        """Name the column that the list is ordered by."""
        return "" if self._order is None else _words_of(self._order)

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        return rows_of(self.studio.store, self._shown.columns, ids)

    # Columns and their order

    @property
    def _in_sight(self) -> list[int]:
        here = self.table.cursor
        return list(self.table.ids[max(here - 20, 0) : here + 20])

    def action_columns(self) -> None:
        """Choose what the list shows of each record."""
        from screens.columns_window import ChooseColumns

        found = found_columns(self.studio.store, self._in_sight)
        self.studio.push_screen(ChooseColumns(self._shown.columns, found), self._show_columns)

    def _show_columns(self, columns: list[Column] | None) -> None:
        if columns is None:
            return
        self._shown = fitted(self.studio.store, columns, self._in_sight) if columns else Shown()
        self.studio.note_place("data.columns", self._shown.as_json() if columns else [])
        self.table.set_columns(self._shown.as_table())

    def action_order(self) -> None:
        """Choose a column and a direction to order the list by."""
        from screens.choose import ChooseLine

        orders = [Order(column, down) for column in self._shown.columns for down in (False, True)]
        at = orders.index(self._order) + 1 if self._order in orders else 0

        def chosen(place: int | None) -> None:
            if place is not None:
                self._order_by(orders[place - 1] if place else None)

        lines = ["as they were read", *map(_words_of, orders)]
        self.studio.push_screen(ChooseLine("Order by", lines, at), chosen)

    def _order_by(self, order: Order | None) -> None:
        self.studio.note_place("data.order", None if order is None else [order.column, order.descending])
        self.order_by(order)

    def action_line(self) -> None:
        """Go to a line of a file."""
        from screens.line_window import LineWindow

        found = records.sources(self.studio.store)
        if not found:
            return
        names = list(dict.fromkeys(source.name for source in found))
        wanted = value_of(self.query_text, "source")
        shown = next((name for name in names if wanted and wanted in name), names[0])

        def asked(place: "Place | None") -> None:
            if place is not None:
                self._go_to_line(*place, [source.id for source in found if source.name == place[0]])

        self.studio.push_screen(LineWindow(shown, names), asked)

    def _go_to_line(self, name: str, line: int, source_ids: list[int]) -> None:
        place = record_places.at_line(self.studio.store, source_ids, line)
        if place is None:
            self.notify(f"{name} has no record at line {line:,} or after it.", markup=False)
            return
        if place[1] != line:
            self.notify(f"{name} has no record at line {line:,}; this is the next one.", markup=False)
        self.go_to(place[0])


def _words_of(order: Order) -> str:
    return f"{title(order.column)}, {'descending' if order.descending else 'ascending'}"


def _order_from(kept: Any) -> Order | None:
    try:
        column, descending = kept
        return Order(column_from(column), bool(descending))
    except (TypeError, ValueError):
        return None
