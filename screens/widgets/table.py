"""A table over any number of rows: it holds ids, fetches what is in sight, repaints what changed."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.keys import LIST
from screens.widgets.repainting import changed_cells, chars_of
from screens.widgets.row_ids import joined, position_of
from screens.widgets.table_cells import GUTTER, Column, Row, cells_in_sight, columns_in_sight

__all__ = ["Column", "RecordTable", "Row"]

PAGE = 64
"""Rows fetched at once."""

PAGES_KEPT = 32
DOUBLE_PRESS_SECONDS = 1.0


Fetch = Callable[[list[int]], Mapping[int, Row]]
"""Gives the rows of a screenful of ids; an id that it leaves out shows as gone."""


class RecordTable(Widget, can_focus=True, inherit_bindings=False):
    """Rows under a line of titles, with a cursor and a selection, moved by keys."""

    BINDINGS = LIST
    COMPONENT_CLASSES = {"table--title", "table--cursor", "table--dim", "table--blurred"}
    DEFAULT_CSS = """
    RecordTable {
        width: 1fr;
        height: 1fr;
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
    class SelectionChanged(Message):
        """Rows were selected or deselected; `number` of them are selected now."""

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
        self._left = 1
        """The first column in sight after the marks, which stay."""
        self._fetch = fetch
        self._empty = empty
        self._ids: Sequence[int] = ()
        self._cursor = 0
        self._top = 0
        """The position of the first row in sight."""
        self._painted: dict[int, Strip] = {}
        """The lines as they stand on the screen."""
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
        if len(self._selected) > PAGE:
            # One pass over the list is quicker than to look a million ids up in it.
            return self._selected.intersection(self._ids)
        return {row_id for row_id in self._selected if position_of(self._ids, row_id) is not None}

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
        position = position_of(ids, cursor_id)
        self._cursor = max(0, min(self._cursor if position is None else position, len(ids) - 1))
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Highlighted(self, self.cursor_id))

    def extend(self, ids: Sequence[int], *, more: bool = False) -> None:
        """Add rows at the end; the cursor stays, or goes on to the end where the end was asked for."""
        before = len(self._ids)
        self._ids = joined(self._ids, ids)
        self._incomplete, follows = more, self._follows_end
        # The last page may have been fetched when it was half full.
        self._pages.pop(before // PAGE, None)
        self._refresh_changed()
        if follows:
            self._move_to(len(self._ids) - 1)
        elif not before:
            self.post_message(self.Highlighted(self, self.cursor_id))
        self._follows_end = follows and more

    def go_to(self, row_id: int) -> bool:
        """Put the cursor on a row; tell whether it is here."""
        position = position_of(self._ids, row_id)
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
            position = position_of(self._ids, row_id)
            if position is not None:
                self._pages.pop(position // PAGE, None)
                self._refresh_position(position)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns; the rows are fetched anew."""
        self._columns = tuple(columns)
        self._left = 1
        self._pages.clear()
        self.refresh()

    def select(self, ids: Collection[int]) -> None:
        """Select these rows and no others."""
        self._selected = set(ids)
        self.refresh()

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

    def action_scroll_columns(self, step: int) -> None:
        """Move the columns that do not all fit, by one."""
        last = len(self._columns) - 1
        before = self._left
        if step < 0 or columns_in_sight(self._columns, self._left, self.size.width)[-1][0] < last:
            self._left = max(1, min(self._left + step, last))
        if self._left != before:
            self.refresh()

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
            # Of very many it takes long to tell which are in the list now.
            number = len(self.selected if len(self._selected) <= PAGE else self._selected)
            self.post_message(self.SelectionChanged(self, number))

    def action_select_all(self) -> None:
        """Select all rows that are in the list now; where all are, none."""
        everything = set(self._ids)
        self._selected = set() if self._selected == everything else everything
        self.refresh()
        self.post_message(self.SelectionChanged(self, len(self._selected)))

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
        if not self._keep_in_sight():
            self._refresh_position(before)
            self._refresh_position(position)
        self.post_message(self.Highlighted(self, self.cursor_id))

    def _keep_in_sight(self) -> bool:
        """Turn the list where the cursor is out of sight; tell whether it was."""
        before, rows = self._top, self._rows_in_sight
        if not rows:
            return False
        if not self._top <= self._cursor < self._top + rows:
            # By half of what is in sight: turning paints every row, which over a slow line is not for every key.
            self._top = self._cursor - rows // 2
        self._top = max(0, min(self._top, len(self._ids) - rows))
        if self._top != before:
            self._refresh_changed()
        return self._top != before

    def _refresh_changed(self) -> None:
        """Paint what is not as it stands on the screen."""
        for y in range(self.size.height):
            line = self._line(y)
            if line != (before := self._painted.get(y)):
                start, end = changed_cells(chars_of(before), chars_of(line)) if before else (0, self.size.width)
                self.refresh(Region(start, y, end - start, 1))

    def _refresh_position(self, position: int) -> None:
        y = position - self._top + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        """Keep the cursor in sight when there is less room, and fill what there is more."""
        self._keep_in_sight()
        self.refresh()

    def on_focus(self) -> None:
        """Show that keys come here."""
        self._refresh_position(self._cursor)

    def on_blur(self) -> None:
        """Show that keys go elsewhere."""
        self._refresh_position(self._cursor)

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        line = self._painted[y] = self._line(y)
        return line

    def _line(self, y: int) -> Strip:
        """Return a line: the titles, a row, or nothing."""
        width = self.size.width
        if y == 0:
            return self._title_strip(width)
        position = self._top + y - 1
        if position < len(self._ids):
            return self._row_strip(position, width)
        if not self._ids and y == 2:
            return _strip([Segment(" " * GUTTER + self._empty, self.rich_style)], self.rich_style, width)
        return Strip.blank(width, self.rich_style)

    def _title_strip(self, width: int) -> Strip:
        style = self._style("table--title")
        titles = [column.title for column in self._columns]
        line = "".join(text for text, _ in cells_in_sight(self._columns, self._left, titles, width))
        places = columns_in_sight(self._columns, self._left, width)
        # Signs for columns that are out of sight, where the gutter and the last cell are free anyhow.
        before = "<" if self._left > 1 else " "
        after = ">" if places and places[-1][0] < len(self._columns) - 1 else ""
        after += self._beyond()
        text = set_cell_size(f" {before}{line}", width - len(after)) + after
        return _strip([Segment(text, style)], style, width)

    def _beyond(self) -> str:
        """Return signs for rows that are out of sight."""
        above, below = self._top > 0, self._top + self._rows_in_sight < len(self._ids)
        return " " * (above or below) + "\N{UPWARDS ARROW}" * above + "\N{DOWNWARDS ARROW}" * below

    def _row_strip(self, position: int, width: int) -> Strip:
        row_id = self._ids[position]
        row = self._row(position)
        style = self._style("table--dim") if row.dim else self.rich_style
        here = position == self._cursor
        if here:
            style = self._style("table--cursor" if self.has_focus else "table--blurred")
        sign = (">" if here else " ") + ("*" if row_id in self._selected else " ")
        faint = style + Style(dim=True)
        segments = [Segment(sign, style)]
        cells = cells_in_sight(self._columns, self._left, row.cells, width)
        for is_faint, texts in groupby(cells, key=itemgetter(1)):
            segments.append(Segment("".join(text for text, _ in texts), faint if is_faint else style))
        return _strip(segments, style, width)

    def _row(self, position: int) -> Row:
        page = position // PAGE
        rows = self._pages.get(page)
        if rows is None:
            if len(self._pages) >= PAGES_KEPT:
                self._pages.pop(next(iter(self._pages)))
            rows = self._pages[page] = self._fetch(list(self._ids[page * PAGE : (page + 1) * PAGE]))
        return rows.get(self._ids[position]) or Row(("(gone)",), dim=True)

    def _style(self, name: str) -> Style:
        return self.rich_style + self.get_component_rich_style(name, partial=True)


def _strip(segments: list[Segment], style: Style, width: int) -> Strip:
    # Pieces of one style as one: each would cost its own escape sequence on the line.
    return Strip(segments).adjust_cell_length(width, style).simplify()
