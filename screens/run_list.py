"""The runs in Train's list: which line is which run, and which of them the keys and the curves are about."""

from collections.abc import Iterable

from screens.base import StudioScreen
from screens.curves_in_sight import lettered
from screens.train_text import columns, is_named, row_of
from screens.widgets.table import Column, RecordTable, Row
from store.runs import Run
from studio.training.history.overview import RunLine

LIST_SHARE = 3
"""The list takes at most one line in so many; it scrolls beyond."""


class RunList:
    """The lines of the list; a run keeps its number while the screen lives."""

    def __init__(self, screen: StudioScreen) -> None:
        self.selected: str | None = None
        """The run that the cursor is on, or goes to as soon as it is in the list."""
        self._screen = screen
        self._numbers: dict[str, int] = {}
        self._lines: dict[int, RunLine] = {}
        self._columns: list[Column] = []

    @property
    def here(self) -> Run | None:
        """The run under the cursor."""
        number = self._table.cursor_id
        line = self._lines.get(number) if number is not None else None
        return line.run if line else None

    @property
    def marked(self) -> list[str]:
        """The marked runs, in the order of the list."""
        marked = self._table.selected
        return [line.run.id for number, line in self._lines.items() if number in marked]

    def overlaid(self) -> tuple[str, ...]:
        """Return the marked runs, with the one under the cursor; none where only that one is meant."""
        ids = self.marked
        if ids and self.selected and self.selected not in ids:
            ids.append(self.selected)
        return tuple(ids)

    def go_to(self, run_id: str) -> None:
        """Put the cursor on a run, if it is in the list."""
        if run_id in self._numbers:
            self._table.go_to(self._numbers[run_id])

    def show(self, lines: Iterable[RunLine]) -> None:
        """Show what is known of the runs now; of those that were there, only what changed is painted."""
        before, self._lines = self._lines, {self._number(line.run.id): line for line in lines}
        if self._named != any(map(is_named, before.values())):
            self.lay_out()
        if list(before) == list(self._lines):
            self._table.refresh_rows([number for number, line in self._lines.items() if line != before[number]])
            return
        self.lay_out()
        here = self._numbers.get(self.selected) if self.selected else None
        self._table.show(list(self._lines), cursor_id=here)

    def lay_out(self) -> None:
        """Take as much of the screen as there are runs, up to a share of it."""
        size = self._screen.size
        self._table.styles.height = max(3, min(len(self._lines) + 1, size.height // LIST_SHARE))
        wanted = columns(size.width, named=self._named)
        if wanted != self._columns:
            # Columns that stay as they are stay where they were moved to.
            self._columns = wanted
            self._table.set_columns(wanted)

    def rows(self, numbers: list[int]) -> dict[int, Row]:
        """Return the lines of these numbers as the table paints them."""
        letters = {run_id: letter for letter, run_id in lettered(self.overlaid()).items()}
        found = ((number, self._lines[number]) for number in numbers if number in self._lines)
        return {number: row_of(line, letter=letters.get(line.run.id, ""), named=self._named) for number, line in found}

    @property
    def _table(self) -> RecordTable:
        return self._screen.query_one("#runs", RecordTable)

    @property
    def _named(self) -> bool:
        return any(map(is_named, self._lines.values()))

    def _number(self, run_id: str) -> int:
        return self._numbers.setdefault(run_id, len(self._numbers))
