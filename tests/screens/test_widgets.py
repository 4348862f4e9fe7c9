"""The table over many rows and the text that is wrapped once."""

from array import array

from hypothesis import given
from hypothesis import strategies as st
from reading import screen_text
from rich.cells import cell_len
from textual.app import App, ComposeResult

from screens.widgets.table import PAGE, Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView, wrap
from studio.text import clean

MANY = 500_000


class TableApp(App[None]):
    """A table of half a million rows that notes what it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def compose(self) -> ComposeResult:
        """Lay only the table."""
        yield RecordTable([Column("Id", 8), Column("Text")], self.fetch)

    def fetch(self, ids: list[int]) -> dict[int, Row]:
        """Give all but every hundredth row."""
        self.asked.extend(ids)
        return {i: Row((str(i), "x" * i)) for i in ids if i % 100}


async def test_only_what_is_in_sight_is_fetched() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(RecordTable)
        table.show(array("q", range(1, MANY + 1)))
        table.focus()
        await pilot.press("G", "k", "g", "g", "pagedown")
        assert table.cursor_id == 24
        assert len(app.asked) <= 6 * PAGE


async def test_a_row_that_is_gone_says_so() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(RecordTable)
        table.show(range(100, 102))
        await pilot.pause()
        assert "(gone)" in "".join(segment.text for segment in table.render_line(1))


async def test_the_cursor_stays_on_its_row_when_rows_change() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(RecordTable)
        table.show(range(1, 50))
        table.go_to(30)
        table.show([1, 30, 31], cursor_id=table.cursor_id)
        await pilot.pause()
        assert table.cursor_id == 30
        table.show([])
        assert table.cursor_id is None


class TextApp(App[None]):
    """One text."""

    def compose(self) -> ComposeResult:
        """Lay only the text."""
        yield TextView()


async def test_a_long_text_is_scrolled_and_keeps_its_place() -> None:
    app = TextApp()
    app.animation_level = "none"
    async with app.run_test(size=(40, 10)) as pilot:
        view = app.query_one(TextView)
        view.show("\n".join(f"line {n}" for n in range(1000)))
        view.focus()
        await pilot.pause()
        await pilot.press("G")
        await pilot.pause()
        assert view.scroll_offset.y == 990
        view.show("\n".join(f"line {n}" for n in range(1000)), keep_place=True)
        assert view.scroll_offset.y == 990
        await pilot.press("g", "g")
        await pilot.pause()
        assert view.scroll_offset.y == 0


async def test_a_very_long_text_is_cut_and_a_key_shows_more() -> None:
    app = TextApp()
    async with app.run_test(size=(40, 10)) as pilot:
        view = app.query_one(TextView)
        view.show([Span("a" * 40_000, "bold"), Span("b" * 30_000), Span("c")])
        view.focus()
        await pilot.pause()
        said = "".join(view.plain.split())
        assert said == "a" * 40_000 + "b" * 10_000 + "...20,001morecharacters;+showsmore"
        await pilot.press("plus")
        assert view.plain.replace("\n", "") == "a" * 40_000 + "b" * 30_000 + "c"
        view.show("d" * 60_000)
        assert "... 10,000 more characters" in view.plain


@given(st.text(), st.integers(2, 30))
def test_no_line_is_too_wide_and_nothing_but_spaces_at_breaks_is_lost(text: str, width: int) -> None:
    lines = ["".join(piece for piece, _ in line) for line in wrap([Span(text)], width)]
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == clean(text).replace("\n", "").replace(" ", "")


def test_spans_keep_their_styles_across_lines() -> None:
    lines = list(wrap([Span("one two ", "bold"), Span("three", "underline")], 5))
    assert [[(text, style.bold, style.underline) for text, style in line] for line in lines] == [
        [("one", True, None)],
        [("two ", True, None)],
        [("three", None, True)],
    ]


async def test_a_text_that_became_shorter_is_not_scrolled_past_its_end() -> None:
    app = TextApp()
    async with app.run_test(size=(40, 10)) as pilot:
        view = app.query_one(TextView)
        view.focus()
        for number in (1000, 500, 20, 5, 300):
            before = view.scroll_offset.y
            view.show("\n".join(f"line {n}" for n in range(number)), keep_place=True)
            await pilot.pause()
            assert view.scroll_offset.y == min(before, max(number - 10, 0))
            await pilot.press("G")
            await pilot.pause()
            assert view.scroll_offset.y == max(number - 10, 0)
            assert f"line {number - 1}" in screen_text(app)
