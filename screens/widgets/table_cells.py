"""How the cells of a table's row are laid out: which columns there is room for, and what is cut of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from studio.text import clean_line

GUTTER = 2

NOTHING = "-"
"""What a faint cell says whose row has nothing there."""

LEAST_REST = 12
"""Cells that a column without a width needs to be of use; with less it is left to be moved to."""


@dataclass(frozen=True)
class Column:
    """A column: its title and its width in cells, 0 for what is left."""

    title: str
    width: int = 0


@dataclass(frozen=True)
class Row:
    """What a row shows; texts are made safe here, callers pass them as they are."""

    cells: Sequence[str | None]
    """None where the row has nothing to say in a column."""
    dim: bool = False
    """Painted faintly, beside a word or sign in a cell that says the same."""


def cells_in_sight(
    columns: Sequence[Column], left: int, cells: Sequence[str | None], width: int
) -> Iterator[tuple[str, bool]]:
    """Yield the cells that are in sight, cut and filled to their columns, and whether each is faint."""
    for place, room in columns_in_sight(columns, left, width):
        cell = cells[place] if place < len(cells) else ""
        yield _fitted(NOTHING if cell is None else cell, room) + " ", cell is None


def columns_in_sight(columns: Sequence[Column], left: int, width: int) -> list[tuple[int, int]]:
    """Return the places of the columns that there is room for, with the cells that each gets.

    The first column stays; of the others `left` is the first in sight.
    """
    rest = width - GUTTER
    found: list[tuple[int, int]] = []
    for place in (0, *range(left, len(columns))):
        room = columns[place].width
        if found and rest < min(room or LEAST_REST, LEAST_REST):
            break
        after = sum(column.width + 1 for column in columns[place + 1 :]) if not room else 0
        room = max(min(room or max(rest - after, LEAST_REST), rest), 1)
        found.append((place, room))
        rest -= room + 1
    return found


def _fitted(cell: str, room: int) -> str:
    # Cut first: a cell may hold a megabyte, and only `room` cells of it are seen.
    text = clean_line(cell[: 4 * room])
    cut = cell_len(text) > room or len(cell) > 4 * room
    return set_cell_size(text, room - 1) + "…" if cut else set_cell_size(text, room)
