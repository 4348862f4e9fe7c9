"""Painting with few bytes: what stands on the terminal is what Textual meant, and a key over a list costs little."""

import hashlib
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import RenderableType
from rich.style import Style
from rich.text import Text
from textual._compositor import ChopsUpdate, CompositorUpdate
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.strip import Strip

from screens.compact_update import CompactUpdate
from screens.widgets.bars import HeaderBar
from screens.widgets.repainting import changed_cells
from screens.widgets.table import Column, RecordTable, Row

SIZE = (60, 12)
TEXTS = ("plain words", "中文字 text", "e\u0301clair e\u0301", "👩 family", "नमस्ते", "", "plain worlds", "a…b…")
PIECES = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(.)", re.DOTALL)

Look = tuple[frozenset[str], tuple[str, ...]]
PLAIN: Look = (frozenset(), ())


def styled(look: Look, numbers: str) -> Look:
    """Return how a terminal writes after it was told these numbers."""
    attributes, colors = set(look[0]), list(look[1])
    told = numbers.split(";") if numbers else ["0"]
    while told:
        number = told.pop(0)
        if number in ("38", "48"):
            parts, told = told[:4], told[4:]
            colors = [each for each in colors if not each.startswith(number)] + [";".join([number, *parts])]
        elif int(number) >= 30:
            colors.append(number)
        elif number == "0":
            attributes, colors = set(), []
        elif 22 <= int(number) <= 29:
            attributes -= {"1", "2"} if number == "22" else {number[1]}
        else:
            attributes.add(number)
    return frozenset(attributes), tuple(sorted(colors))


class Terminal:
    """As much of a terminal as is written to."""

    def __init__(self) -> None:
        self.cells: list[list[tuple[str, Look]]] = [[(" ", PLAIN)] * SIZE[0] for _ in range(SIZE[1])]
        self.look = PLAIN

    def write(self, text: str) -> None:
        """Take what is written."""
        x = y = 0
        for line, column, style, char in PIECES.findall(text):
            if line:
                x, y = int(column) - 1, int(line) - 1
            elif not char:
                self.look = styled(self.look, style)
            elif char == "\n":
                x, y = 0, y + 1
            elif width := cell_len(char):
                self.cells[y][x : x + width] = [(char, self.look)] * width
                x += width
            else:
                before, look = self.cells[y][x - 1]
                self.cells[y][x - 1] = (before + char, look)


def odd(number: int) -> Row:
    """Return a row of text that terminals and programs measure with care, some of it faint."""
    return Row((str(number), None if number % 5 else "kind", TEXTS[number % len(TEXTS)] * 9), dim=number % 7 == 0)


def usual(number: int) -> Row:
    """Return a row as most are."""
    return Row((str(number), "train", hashlib.sha256(str(number).encode()).hexdigest()))


class Painted(App[None]):
    """A header over a table, painted on a terminal of our own."""

    CSS = "HeaderBar { height: 1; }"

    def __init__(self, row: Callable[[int], Row]) -> None:
        super().__init__()
        self.row = row
        self.terminal = Terminal()
        self.bytes = 0
        self.color_system = self.console._color_system or ColorSystem.TRUECOLOR

    def compose(self) -> ComposeResult:
        """Lay the two."""
        yield HeaderBar("a project", "data")
        columns = [Column("Id", 8), Column("Kind", 6), Column("Text")]
        yield RecordTable(columns, lambda ids: {each: self.row(each) for each in ids})

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate):
            renderable = CompactUpdate.of(renderable)
        if isinstance(renderable, CompositorUpdate):
            written = renderable.render_segments(self.console)
            self.terminal.write(written)
            self.bytes += len(written.encode())

    def meant(self) -> list[list[tuple[str, Look]]]:
        """Return the cells as they would be if all of them were painted now."""
        terminal = Terminal()
        for y, strip in enumerate(self.screen._compositor.render_strips()):
            plain = "".join(f"\x1b[0m\x1b[{Strip.render_ansi(s.style, self.color_system)}m{s.text}" for s in strip)
            terminal.write(f"\x1b[{y + 1};1H{plain}")
        return terminal.cells


async def test_what_is_painted_bit_by_bit_is_what_is_meant() -> None:
    app = Painted(odd)
    async with app.run_test(size=SIZE) as pilot:
        table, header = app.query_one(RecordTable), app.query_one(HeaderBar)
        table.show(range(1, 301))
        table.focus()
        keys = ["j"] * 15 + ["k"] * 16 + ["ctrl+d", "G"] + ["k"] * 12 + ["j"] * 3 + ["g", "g", "j", "space"] + ["j"] * 9
        for key in keys:
            await pilot.press(key)
            header.set_status(f"{table.cursor + 1:,}/300 rows")
            await pilot.pause()
            assert app.terminal.cells == app.meant(), key
        table.show(range(1, 6))
        await pilot.pause()
        assert app.terminal.cells == app.meant()
        for more in range(6, 12):
            table.extend([more])
            await pilot.pause()
            assert app.terminal.cells == app.meant(), more


async def test_a_turn_of_the_list_paints_only_what_differs() -> None:
    app = Painted(usual)
    async with app.run_test(size=SIZE) as pilot:
        table = app.query_one(RecordTable)
        table.show(range(1, 301))
        table.focus()
        await pilot.press("j", "k")
        await pilot.pause()
        costs = []
        for _ in range(40):
            app.bytes = 0
            await pilot.press("j")
            await pilot.pause()
            costs.append(app.bytes)
    # Ten rows of 60 cells, some of which stay; with a style for each it is 10 * 90 and the titles.
    assert 400 < max(costs) < 10 * (SIZE[0] + 15)
    assert min(costs) < 250


@pytest.mark.parametrize(
    ("before", "after", "cells"),
    [
        ("one row", "two row", (0, 3)),
        ("row 11 here", "row 12 here", (5, 6)),
        ("same", "same", (4, 4)),
        ("longer x", "long    ", (4, 8)),
        ("ab e\u0301 c", "ab e\u0300 c", (3, 5)),
        ("中 a 文", "中 b 文", (3, 4)),
        ("cut here…", "cut away…", (4, 8)),
    ],
)
def test_what_differs_between_lines(before, after, cells) -> None:
    assert changed_cells([(char, None) for char in before], [(char, None) for char in after]) == cells


def test_another_style_is_a_difference() -> None:
    bold, plain = Style(bold=True), Style()
    assert changed_cells([("a", plain), ("b", plain)], [("a", plain), ("b", bold)]) == (1, 2)


STYLES = ("bold", "bold dim red", "dim red", "red on blue", "", "reverse", "u")


@pytest.mark.parametrize("styles", list(pairwise(STYLES)))
def test_styles_follow_one_another(styles) -> None:
    text = Text.assemble(*(("ab", style) for style in styles))
    app = Painted(usual)
    strip = Strip([each for each in text.render(app.console) if each.text.strip()])
    update = CompactUpdate([{0: strip}], [(0, 0, 4)], [[4]])
    terminal = Terminal()
    terminal.write(update.render_segments(app.console))
    looks = [styled(PLAIN, Strip.render_ansi(Style.parse(style), app.color_system)) for style in styles]
    assert [look for _, look in terminal.cells[0][:4:2]] == looks
    assert terminal.look == PLAIN
