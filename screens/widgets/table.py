"""A table over any number of rows: it holds ids, fetches what is in sight, repaints what changed."""

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.keys import LIST
from studio.text import clean_line

PAGE = 64
"""Rows fetched at once."""

PAGES_KEPT = 32
GUTTER = 2
DOUBLE_PRESS_SECONDS = 1.0


@dataclass(frozen=True)
class Column:
    """A column: its title and its width in cells, 0 for what is left."""

    title: str
    width: int = 0


@dataclass(frozen=True)
class Row:
    """What a row shows; texts are made safe here, callers pass them as they are."""

    cells: Sequence[str]
    dim: bool = False
    """Painted faintly, beside a word or sign in a cell that says the same."""


Fetch = Callable[[list[int]], Mapping[int, Row]]
"""Gives the rows of a screenful of ids; an id that it leaves out shows as gone."""


class RecordTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows under a line of titles, with a cursor and a selection, moved by keys."""

    BINDINGS = LIST
    COMPONENT_CLASSES = {"table--title", "table--cursor", "table--dim", "table--blurred"}
    DEFAULT_CSS = """
    RecordTable {
        overflow-x: hidden;
        & > .table--title { text-style: bold underline; }
        & > .table--cursor { text-style: reverse; }
        & > .table--blurred { text-style: bold; }
        & > .table--dim { text-style: dim; }
    }
    """

    @dataclass
    class Highlighted(Message):
        """The cursor went to another row; `row_id` is None where the table is empty."""

        table: "RecordTable"
        row_id: int | None

        # A held key goes over many rows: only the last one needs its detail shown.
        def can_replace(self, message: Message) -> bool:
            """Give way to a newer one that waits."""
            return isinstance(message, RecordTable.Highlighted) and message.table is self.table

        @property
        def control(self) -> "RecordTable":
            """The table, for handlers that name it."""
            return self.table

    @dataclass
    class AllSelected(Message):
        """All rows were selected, or none."""

        table: "RecordTable"
        number: int

        @property
        def control(self) -> "RecordTable":
            """The table, for handlers that name it."""
            return self.table

    @dataclass
    class Opened(Message):
        """Enter was pressed on a row."""

        table: "RecordTable"
        row_id: int

        @property
        def control(self) -> "RecordTable":
            """The table, for handlers that name it."""
            return self.table

    def __init__(
        self, columns: Sequence[Column], fetch: Fetch, *, empty: str = "Nothing here.", id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._fetch = fetch
        self._empty = empty
        self._ids: Sequence[int] = ()
        self._cursor = 0
        self._selected: set[int] = set()
        self._pages: dict[int, Mapping[int, Row]] = {}
        self._first_pressed = 0.0
        self._incomplete = False
        self._follows_end = False

    # What is in it

    @property
    def ids(self) -> Sequence[int]:
        """The ids of all rows, in order."""
        return self._ids

    @property
    def cursor_id(self) -> int | None:
        """The id of the row under the cursor."""
        return self._ids[self._cursor] if self._ids else None

    @property
    def cursor(self) -> int:
        """The position of the row under the cursor, from 0."""
        return self._cursor

    @property
    def selected(self) -> set[int]:
        """The ids of the selected rows, those left out that are not in the list now."""
        return {row_id for row_id in self._selected if _position(self._ids, row_id) is not None}

    @property
    def incomplete(self) -> bool:
        """Whether more rows are on their way."""
        return self._incomplete

    def show(
        self, ids: Sequence[int], *, cursor_id: int | None = None, empty: str | None = None, more: bool = False
    ) -> None:
        """Show other rows; the cursor goes to a row of that id, or stays near where it was.

        Args:
            ids: of the rows, in order; those of an array must ascend, then a row is found in no time.
                An array is taken over: `extend` adds to it.
            cursor_id: the row that the cursor goes to, where it is here.
            empty: what is said where there are no rows.
            more: whether `extend` will bring the rest.
        """
        self._ids = ids
        self._empty = self._empty if empty is None else empty
        self._incomplete, self._follows_end = more, False
        self._pages.clear()
        position = _position(ids, cursor_id)
        self._cursor = max(0, min(self._cursor if position is None else position, len(ids) - 1))
        self.virtual_size = Size(0, len(ids) + 1)
        self._keep_in_sight()
        # A list that did not scroll before can be scrolled only once it was laid out anew.
        self.call_after_refresh(self._keep_in_sight)
        self.refresh()
        self.post_message(self.Highlighted(self, self.cursor_id))

    def extend(self, ids: Sequence[int], *, more: bool = False) -> None:
        """Add rows at the end; the cursor stays, or goes on to the end where the end was asked for."""
        before = len(self._ids)
        self._ids = _joined(self._ids, ids)
        self._incomplete, follows = more, self._follows_end
        # The last page may have been fetched when it was half full.
        self._pages.pop(before // PAGE, None)
        self.virtual_size = Size(0, len(self._ids) + 1)
        if follows:
            self._move_to(len(self._ids) - 1)
        elif not before:
            self.post_message(self.Highlighted(self, self.cursor_id))
        self._follows_end = follows and more

    def go_to(self, row_id: int) -> bool:
        """Put the cursor on a row; tell whether it is here."""
        position = _position(self._ids, row_id)
        if position is not None:
            self._move_to(position)
        return position is not None

    def refresh_rows(self, ids: Collection[int] | None = None) -> None:
        """Fetch and paint some rows again, or all that are in sight."""
        if ids is None or len(ids) > PAGE:
            self._pages.clear()
            self.refresh()
            return
        for row_id in ids:
            position = _position(self._ids, row_id)
            if position is not None:
                self._pages.pop(position // PAGE, None)
                self._refresh_position(position)

    # Keys

    def action_move(self, step: int) -> None:
        """Move by rows."""
        self._move_to(self._cursor + step)

    def action_half_page(self, direction: int) -> None:
        """Move by half of what is in sight."""
        self._move_to(self._cursor + direction * max(self._rows_in_sight // 2, 1))

    def action_page(self, direction: int) -> None:
        """Move by what is in sight."""
        self._move_to(self._cursor + direction * max(self._rows_in_sight, 1))

    def action_first_key(self) -> None:
        """Go to the first row at the second press."""
        moment = time.monotonic()
        if moment - self._first_pressed < DOUBLE_PRESS_SECONDS:
            self._move_to(0)
            moment = 0.0
        self._first_pressed = moment

    def action_first(self) -> None:
        """Go to the first row."""
        self._move_to(0)

    def action_last(self) -> None:
        """Go to the last row, and while rows come in stay at the end."""
        self._move_to(len(self._ids) - 1)
        self._follows_end = self._incomplete

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_id is not None:
            self.post_message(self.Opened(self, self.cursor_id))

    def action_select(self) -> None:
        """Select or deselect the row, and go to the next."""
        if self.cursor_id is not None:
            self._selected ^= {self.cursor_id}
            self._refresh_position(self._cursor)
            self._move_to(self._cursor + 1)

    def action_select_all(self) -> None:
        """Select all rows that are in the list now; where all are, none."""
        everything = set(self._ids)
        self._selected = set() if self._selected == everything else everything
        self.refresh()
        self.post_message(self.AllSelected(self, len(self._selected)))

    # Moving and painting

    @property
    def _rows_in_sight(self) -> int:
        return max(self.size.height - 1, 0)

    def _move_to(self, position: int) -> None:
        position = max(0, min(position, len(self._ids) - 1))
        self._follows_end = False
        if position == self._cursor or not self._ids:
            return
        before, self._cursor = self._cursor, position
        self._refresh_position(before)
        self._refresh_position(position)
        self._keep_in_sight()
        self.post_message(self.Highlighted(self, self.cursor_id))

    def _keep_in_sight(self) -> None:
        top = round(self.scroll_offset.y)
        rows = self._rows_in_sight
        if not rows:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + rows:
            self.scroll_to(y=self._cursor - rows + 1, animate=False, immediate=True)

    def _refresh_position(self, position: int) -> None:
        y = position - round(self.scroll_offset.y) + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        """Keep the cursor in sight when there is less room."""
        self.virtual_size = Size(0, len(self._ids) + 1)
        self._keep_in_sight()

    def on_focus(self) -> None:
        """Show that keys come here."""
        self._refresh_position(self._cursor)

    def on_blur(self) -> None:
        """Show that keys go elsewhere."""
        self._refresh_position(self._cursor)

    def render_line(self, y: int) -> Strip:
        """Paint one line: the titles, a row, or nothing."""
        width = self.size.width
        if y == 0:
            titles = self._line([column.title for column in self._columns], width)
            return self._strip(" " * GUTTER + titles, self._style("table--title"), width)
        position = round(self.scroll_offset.y) + y - 1
        if position < len(self._ids):
            return self._row_strip(position, width)
        if not self._ids and y == 2:
            return self._strip(" " * GUTTER + self._empty, self.rich_style, width)
        return Strip.blank(width, self.rich_style)

    def _row_strip(self, position: int, width: int) -> Strip:
        row_id = self._ids[position]
        row = self._row(position)
        style = self._style("table--dim") if row.dim else self.rich_style
        here = position == self._cursor
        if here:
            style = self._style("table--cursor" if self.has_focus else "table--blurred")
        sign = (">" if here else " ") + ("*" if row_id in self._selected else " ")
        return self._strip(sign + self._line(row.cells, width), style, width)

    def _row(self, position: int) -> Row:
        page = position // PAGE
        rows = self._pages.get(page)
        if rows is None:
            if len(self._pages) >= PAGES_KEPT:
                self._pages.pop(next(iter(self._pages)))
            rows = self._pages[page] = self._fetch(list(self._ids[page * PAGE : (page + 1) * PAGE]))
        return rows.get(self._ids[position]) or Row(("(gone)",), dim=True)

    def _line(self, cells: Sequence[str], width: int) -> str:
        fixed = sum(column.width + 1 for column in self._columns if column.width)
        rest = max(width - GUTTER - fixed, 1)
        parts = []
        for column, cell in zip(self._columns, cells, strict=False):
            room = column.width or rest
            # Cut first: a cell may hold a megabyte, and only `room` cells of it are seen.
            text = clean_line(cell[: 4 * room])
            cut = cell_len(text) > room or len(cell) > 4 * room
            parts.append(set_cell_size(text, room - 1) + "…" if cut else set_cell_size(text, room))
        return " ".join(parts)

    def _style(self, name: str) -> Style:
        return self.rich_style + self.get_component_rich_style(name, partial=True)

    @staticmethod
    def _strip(text: str, style: Style, width: int) -> Strip:
        return Strip([Segment(text, style)], cell_len(text)).adjust_cell_length(width, style)


def _joined(ids: Sequence[int], more: Sequence[int]) -> Sequence[int]:
    if isinstance(ids, range) and isinstance(more, range) and ids.stop == more.start:
        return range(ids.start, more.stop)
    joined = ids if isinstance(ids, array) else array("q", ids)
    joined.extend(more)
    return joined


def _position(ids: Sequence[int], row_id: int | None) -> int | None:
    if row_id is None:
        return None
    if isinstance(ids, array):
        position = bisect_left(ids, row_id)
        return position if position < len(ids) and ids[position] == row_id else None
    try:
        return ids.index(row_id)
    except ValueError:
        return None
