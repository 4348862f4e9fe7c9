"""The Data screen: reading, finding, marking and importing records."""

import pytest
from letters import HOSTILE
from reading import screen_text, until

from screens.app import StudioApp
from screens.data import DataScreen
from screens.examples import ExamplesScreen
from screens.record_text import preview
from store import records
from studio.project import Project


def data_screen(app: StudioApp) -> DataScreen:
    assert isinstance(app.screen, DataScreen)
    return app.screen


async def test_an_empty_project_says_what_to_do(project: Project) -> None:
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "No data yet. Press i to import a file." in screen_text(app)
        await pilot.press("f", "x", "enter", "v", "tab", "j", "escape", "G", "g", "g", "space")
        assert "0 records" in screen_text(app)


async def test_the_record_is_shown_as_fields_json_and_as_read(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("j")
        assert "letters.jsonl:2" in screen_text(app)
        await pilot.press("v")
        assert '"subject": "Order 2",' in screen_text(app)
        await pilot.press("v")
        assert r'book 2?\nThanks"}' in screen_text(app)


async def test_an_unreadable_row_says_why(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "1/1 of 18 records" in screen_text(app))
        text = screen_text(app)
        assert "query: has:problem" in text
        assert "letters.jsonl:13" in text
        assert "! Unreadable: the row ends inside a text" in text
        await pilot.press("escape")
        assert "18 records" in screen_text(app)


async def test_search_runs_while_typing_and_esc_shows_all(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"book 11")
        await until(pilot, lambda: len(data_screen(app).table.ids) == 1)
        await pilot.press("enter")
        assert data_screen(app).table.has_focus
        assert "letters.jsonl:11" in screen_text(app)
        await pilot.press("slash", *" nothing", "enter")
        await until(pilot, lambda: "Nothing matches" in screen_text(app))
        await pilot.press("escape")
        assert len(data_screen(app).table.ids) == 18


async def test_a_source_is_chosen_by_a_key(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s", "s")
        assert "query: source:hostile.jsonl" in screen_text(app)
        await until(pilot, lambda: len(data_screen(app).table.ids) == 5)
        await pilot.press("s")
        assert len(data_screen(app).table.ids) == 18


async def test_flags_and_exclusions_hold_for_the_selection(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f", "j", "space", "space", "x")
        table = data_screen(app).table
        assert [records.get(app.store, number).flagged for number in table.ids[:3]] == [True, False, False]
        assert [records.get(app.store, number).excluded for number in table.ids[:4]] == [False, True, True, False]
        assert " *   x   2  " in screen_text(app)
        await pilot.press("x", "F")
        assert not records.get(app.store, 2).excluded
        await until(pilot, lambda: "1/1 of 18 records" in screen_text(app))


async def test_enter_opens_the_example_of_the_record(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ExamplesScreen)
        assert app.screen.table.cursor_id == 3
        await pilot.press("1", "G", "enter")
        await pilot.pause()
        assert app.screen.table.cursor_id == 18  # type: ignore[attr-defined]


async def test_hostile_records_are_shown_without_harm(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s", "s", "tab")
        for _ in HOSTILE:
            for view in range(4):
                await pilot.press("v" if view else "j")
                text = screen_text(app)
                assert not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0]
                assert not set(text) & set("\u202e\u2066\u200b")
            await pilot.press("tab", "j", "tab")


async def test_markup_of_the_data_is_read_as_it_is(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("s", "s")
        text = "[i]not italic[/i] [/INST] [/] [@click=app.quit]press[/]"
        await until(pilot, lambda: screen_text(app).count(text) == 2)


def test_a_preview_of_any_record_is_short(filled: Project) -> None:
    with filled.open_store() as store:
        found = records.get_many(store, list(records.span(store)))
    assert all(len(preview(record)) <= 420 for record in found.values())


async def test_areas_are_left_while_another_process_writes(filled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.database.BUSY_TIMEOUT_MS", 50)
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j")
        with filled.open_store() as other, other.transaction():
            await pilot.press("2")
            await pilot.pause()
            assert "[2 Examples]" in screen_text(app)
            await pilot.press("q")
            await pilot.pause()
        assert app.return_code == 0


async def test_a_record_that_is_opened_is_followed_to_the_list(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "tab", "1", "j", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ExamplesScreen)
        assert app.screen.table.region.height
        assert app.screen.table.has_focus
