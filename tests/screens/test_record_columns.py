"""The Data screen's columns and their order, its views, notes and lines, with tame and hostile fields."""

import json
from pathlib import Path
from typing import Any

import pytest
from letters import add_source, new_record
from reading import screen_text, until
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.columns_window import ChooseColumns
from screens.data import DataScreen
from screens.examples import ExamplesScreen
from screens.hex_text import hex_lines
from screens.line_window import place_of
from screens.note_window import NoteWindow
from store import examples, find, records
from store.database import Store
from store.ordering import FACTS
from studio.project import Project

ROWS: list[dict[str, Any]] = [
    {"name": "Äpfel", "price": 10, "more": {"kind": "fruit", "box": {"size": 3}}},
    {"name": "zebra", "price": 9, "more": {"kind": "animal"}},
    {"name": "apple", "price": "11"},
    {"name": "Banana", "price": None},
    {"name": "kiwi", "price": 9},
]

HOSTILE_NAMES = ["[b]bold[/b]", "\x1b[31mred", "", "a\nb", "user\u202egnp", "\U0001f468\u200d\U0001f469", "x" * 3000]


def data_screen(app: StudioApp) -> DataScreen:
    assert isinstance(app.screen, DataScreen)
    return app.screen


def add_rows(project: Project, name: str, rows: list[dict[str, Any]]) -> None:
    with project.open_store() as store:
        records.add(store, add_source(store, name), [new_record(n, row) for n, row in enumerate(rows, start=1)])


@pytest.fixture
def goods(project: Project) -> Project:
    add_rows(project, "goods.jsonl", ROWS)
    return project


async def choose(pilot: Pilot[None], *titles: str) -> None:
    """Show these columns and no others."""
    await pilot.press("c")
    window = pilot.app.screen
    assert isinstance(window, ChooseColumns)
    places = [window._columns.index(_column(title)) for title in titles]
    window.table.select(places)
    await pilot.press("enter")
    await pilot.pause()


def _column(title: str) -> Any:
    return title if title in FACTS else tuple(title.split("."))


def lines(app: StudioApp) -> list[str]:
    return screen_text(app).split("\n")


async def order(app: StudioApp, pilot: Pilot[None], *keys: str) -> list[int]:
    """Choose a line of the window for the order; return the ids once they are ordered."""
    await pilot.press("O", "home", *keys, "enter")
    await until(pilot, lambda: "sorting by" not in screen_text(app))
    return list(data_screen(app).table.ids)


async def test_columns_are_chosen_and_remembered(goods: Project) -> None:
    app = StudioApp(goods)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, "line", "name", "price", "more.kind", "more.box.size")
        text = lines(app)
        assert text[2].split() == ["Line", "name", "price", "more.kind", "more.box.size"]
        assert text[3].split() == [">", "1", "Äpfel", "10", "fruit", "3"]
        assert text[5].split() == ["3", "apple", "11", "-", "-"]
        assert text[6].split() == ["4", "Banana", "null", "-", "-"]
    again = StudioApp(goods)
    async with again.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert lines(again)[3].split() == [">", "1", "Äpfel", "10", "fruit", "3"]
        await pilot.press("c", "r")
        await pilot.pause()
        assert lines(again)[2].split() == ["Line", "Record"]


async def test_columns_are_put_in_an_order_by_keys(goods: Project) -> None:
    app = StudioApp(goods)
    async with app.run_test(size=(80, 24)) as pilot:
        # The first are Line and Record; then come the fields that were found.
        await pilot.press("c")
        assert "space: choose  J K: move" in screen_text(app)
        await pilot.press("j", "j", "space", "K", "K", "K", "enter")
        await pilot.pause()
        assert lines(app)[2].split() == ["Line", "Record", "name"]
        await pilot.press("c", "J", "enter")
        await pilot.pause()
        assert lines(app)[2].split() == ["Record", "Line", "name"]


async def test_what_is_known_of_rows_can_be_shown(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("f", "x")
        await choose(pilot, "source", "length", "tags", "note", "state")
        assert lines(app)[3].split()[1:8] == ["fx", "letters.jsonl", "61", "-", "-", "flagged,", "excluded"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        # name ascending: letters of any case, and accents after them; then descending
        ((), [1, 2, 3, 4, 5]),
        (("j", "j", "j"), [3, 4, 5, 2, 1]),
        (("j", "j", "j", "j"), [1, 2, 5, 4, 3]),
        # price: numbers as numbers, also in texts, nothing at the end
        (("j", "j", "j", "j", "j"), [2, 5, 1, 3, 4]),
        (("end",), [3, 1, 2, 5, 4]),
    ],
)
async def test_rows_are_ordered_by_a_column(goods: Project, keys: tuple[str, ...], expected: list[int]) -> None:
    app = StudioApp(goods)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, "line", "name", "price")
        await pilot.press("j")
        assert await order(app, pilot, *keys) == expected
        assert data_screen(app).table.cursor_id == 2


async def test_an_order_holds_for_queries_and_the_next_session(goods: Project) -> None:
    app = StudioApp(goods)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, "line", "name", "price")
        await order(app, pilot, "end")
        assert "by price, descending" in screen_text(app)
        await pilot.press("slash", *"price=9", "enter")
        await until(pilot, lambda: list(data_screen(app).table.ids) == [2, 5])
        assert "2 of 5 records" in lines(app)[0]
        await pilot.press("escape")
        await until(pilot, lambda: len(data_screen(app).table.ids) == 5)
    again = StudioApp(goods)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: list(data_screen(again).table.ids) == [3, 1, 2, 5, 4])
        # A row is found in it, selected and marked as in any other.
        await pilot.press("home", "space", "space", "f")
        flags = [records.get(again.store, number).flagged for number in range(1, 6)]
        assert flags == [True, False, True, False, False]
        assert await order(again, pilot) == [1, 2, 3, 4, 5]
        add_rows(goods, "late.jsonl", [{"name": "late", "price": 1}])
        await pilot.press("2", "1")
        await until(pilot, lambda: list(data_screen(again).table.ids) == [1, 2, 3, 4, 5, 6])


async def test_hostile_names_and_long_cells_are_shown_without_harm(project: Project) -> None:
    rows = [
        {name: f"[i]{n}[/i]\x1b[1m" for n, name in enumerate(HOSTILE_NAMES)},
        {"first": 1, "long": "word " * 200_000, "after": 2},
        {f"field {n}": {"deep": [n] * 50} for n in range(500)},
        {"": {"": {"": "nothing but names"}}},
        json.loads('{"deep": ' * 300 + "1" + "}" * 300),
    ]
    add_rows(project, "hostile.jsonl", rows)
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        window = app.screen
        assert isinstance(window, ChooseColumns)
        await pilot.press("G", "pageup", "pageup", "home")
        assert harmless(screen_text(app))
        window.table.select(range(len(window._columns)))
        await pilot.press("enter")
        for key in ("right",) * 12 + ("O", "G", "escape", "end", "left", "v", "k", "v", "k", "v", "k", "v", "tab", "G"):
            await pilot.press(key)
            assert harmless(screen_text(app))
        await pilot.press("escape")
        await choose(pilot, "first", "long")
        # Of a long row the beginning says what it can.
        assert "1     word word" in lines(app)[4]


def harmless(text: str) -> bool:
    return not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0] and "\u202e" not in text


async def test_columns_that_do_not_fit_are_moved_to(goods: Project) -> None:
    app = StudioApp(goods)
    async with app.run_test(size=(40, 20)) as pilot:
        await choose(pilot, "line", "name", "source", "length", "state")
        assert lines(app)[2].endswith(">")
        assert "State" not in lines(app)[2]
        await pilot.press("right", "right", "right")
        assert lines(app)[2].startswith(" <")
        assert "State" in lines(app)[2]
        await pilot.press("left", "left", "left", "left")
        assert "Line" in lines(app)[2]


async def test_json_is_told_apart_without_colour(goods: Project) -> None:
    app = StudioApp(goods)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("v")
        await pilot.pause()
        styles = {text: style for line in data_screen(app).detail._lines for text, style in line}
        assert styles['"name"'].bold
        assert not styles['"Äpfel"'].bold
        assert styles["10"].italic


async def test_the_bytes_of_a_row_are_shown(goods: Project) -> None:
    app = StudioApp(goods)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("v", "v", "v")
        assert '000000  7b 22 6e 61 6d 65 22 3a  20 22 5c 75 30 30 63 34  {"name": "\\u00c4' in screen_text(app)
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        assert '000008  20 22 5c 75 30 30 63 34   "\\u00c4' in screen_text(app)


def test_hex_lines_end_where_the_bytes_do() -> None:
    assert list(hex_lines(b"\x00A\xff", 40)) == ["000000  00 41 ff                 .A."]
    assert list(hex_lines(bytes(17), 80))[1] == "000010  00" + " " * 48 + "."
    assert list(hex_lines(b"", 80)) == []


async def test_a_line_is_gone_to(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l", *"11", "enter")
        await pilot.pause()
        assert data_screen(app).table.cursor_id == 11
        await pilot.press("l", *"hostile:2", "enter")
        await pilot.pause()
        assert data_screen(app).table.cursor_id == 15
        await pilot.press("l", *"nine", "enter")
        assert "A line is a number from 1 on." in screen_text(app)
        await pilot.press("escape", "l", *"99", "enter")
        await pilot.pause()
        assert data_screen(app).table.cursor_id == 15
        await pilot.press("s", "s", "l", *"3", "enter")
        await pilot.pause()
        assert data_screen(app).table.cursor_id == 16


def test_a_place_is_a_line_or_a_name_and_a_line() -> None:
    names = ["a.jsonl", "b:c.csv"]
    assert place_of(" 1,204 ", "a.jsonl", names) == ("a.jsonl", 1204)
    assert place_of("b:c.csv:7", "a.jsonl", names) == ("b:c.csv", 7)
    assert place_of("d:7", "a.jsonl", names) == "No source has 'd' in its name."
    assert place_of("9" * 30, "a.jsonl", names) == "A line is a number from 1 on."
    assert place_of("0" * 5_000, "a.jsonl", names) == "A line is a number from 1 on."
    assert place_of("may, june.csv:1,200", "a.jsonl", ["may, june.csv"]) == ("may, june.csv", 1200)


async def test_notes_are_written_on_rows_of_both_kinds(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "space", "w", *"odd [b]", "f2")
        assert [records.get(app.store, number).note for number in (1, 2, 3)] == ["odd [b]", "odd [b]", ""]
        assert " *     n 1 " in screen_text(app)
        await pilot.press("A", "A", "k", "k", "w")
        assert isinstance(app.screen, NoteWindow)
        assert app.screen.area.text == "odd [b]"
        await pilot.press("escape")
        assert "n odd [b]" in screen_text(app)
        await pilot.press("2", "w", *"ask Ann", "f2")
        assert examples.get(app.store, 1).note == "ask Ann"
        assert "n ask Ann" in screen_text(app)
        found = {kind: list(next(iter(find.ids(app.store, kind, "has:note")))) for kind in ("record", "example")}
        assert found == {"record": [1, 2], "example": [1]}
        await pilot.press("w", *["backspace"] * 7, "f2")
        assert examples.get(app.store, 1).note == ""


async def test_a_note_that_would_replace_others_says_so(project: Project, store: Store) -> None:
    ids = records.add(store, add_source(store, "many.jsonl"), [new_record(n, {"n": n}) for n in range(1, 121)])
    records.set_note(store, ids[110], "far down")
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w")
        assert "Note on this record" in screen_text(app)
        assert "replaces" not in screen_text(app)
        await pilot.press("escape", "A", "w")
        assert "It replaces any notes that they have." in screen_text(app)
        await pilot.press("escape")
        assert records.get(app.store, ids[110]).note == "far down"


async def test_a_row_is_looked_at_in_the_editor_and_kept_as_it_was_read(
    goods: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text(f'#!/bin/sh\ncat "$1" > {tmp_path}/seen\necho changed > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    app = StudioApp(goods)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert json.loads((tmp_path / "seen").read_text()) == ROWS[0]
        assert "records are kept as they were read" in " ".join(screen_text(app).split())
        assert records.get(app.store, 1).fields == ROWS[0]


async def test_the_count_stays_whatever_goes_on(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("A")
        assert "1/18 records" in lines(app)[0]
        assert "18 records selected" in lines(app)[1]
        await pilot.press("2")
        await pilot.pause()
        assert isinstance(app.screen, ExamplesScreen)
        assert "1/18 examples" in lines(app)[0]
