"""Reviewing rows that repeat others: equal bytes, similar rows, leaks between splits."""

import pytest
from letters import add_source, new_record, turns
from reading import screen_text, until

from screens.app import StudioApp
from screens.duplicate_groups import difference
from screens.duplicates import DuplicatesWindow
from screens.examples import ExamplesScreen
from screens.list_detail import ListDetailScreen
from store import duplicates, examples, records, repeats
from store.database import Store
from studio.project import Project

LETTER = "The parcel that I ordered on Monday has not come yet, please send it again to the same address as before"


@pytest.fixture
def repeating(project: Project, store: Store) -> Project:
    """Six records: two of the same bytes, a similar one; a prompt that is in two splits."""
    texts = [LETTER, "Something else", LETTER, LETTER + " soon", "A book", "A pen"]
    rows = [new_record(n, {"text": text}) for n, text in enumerate(texts, start=1)]
    ids = records.add(store, add_source(store, "letters.jsonl"), rows)
    repeats.mark_duplicates(store)
    for row, split in zip(ids[4:], ("train", "test"), strict=True):
        examples.add(store, record_id=row, messages=turns("Do you have it?", "Yes."), split=split)
    return project


def window(app: StudioApp) -> DuplicatesWindow:
    assert isinstance(app.screen, DuplicatesWindow)
    return app.screen


def excluded(app: StudioApp) -> list[int]:
    return [number for number, r in records.get_many(app.store, list(records.span(app.store))).items() if r.excluded]


async def test_a_repeated_row_is_marked_and_leads_to_the_first(repeating: Project) -> None:
    app = StudioApp(repeating)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "j")
        text = screen_text(app)
        assert ">  =     3 " in text
        assert "The same bytes as letters.jsonl:1" in text
        await pilot.press("o")
        assert isinstance(app.screen, ListDetailScreen)
        assert app.screen.table.cursor_id == 1


async def test_equal_rows_are_excluded_and_let_in_again(repeating: Project) -> None:
    app = StudioApp(repeating)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D")
        assert "1 group " in screen_text(app)
        await pilot.press("X")
        assert excluded(app) == [3]
        await pilot.press("R")
        assert excluded(app) == []
        await pilot.press("enter", "j", "x")
        assert excluded(app) == [3]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ListDetailScreen))
        assert isinstance(app.screen, ListDetailScreen)
        assert app.screen.table.cursor_id == 3
        assert ">  = x   3 " in screen_text(app)


async def test_similar_rows_are_looked_for_and_what_differs_is_shown(repeating: Project) -> None:
    app = StudioApp(repeating)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("D", "v")
        assert "No similar rows are known" in screen_text(app)
        await pilot.press("n")
        await until(pilot, lambda: len(window(app).groups.ids) == 1)
        await pilot.press("enter", "j", "j")
        assert "before {+soon+}" in " ".join(window(app).text.plain.split())
        await pilot.press("escape", "X")
        assert excluded(app) == [3, 4]
        assert "2 excluded" in screen_text(app)
        await pilot.press("R", "escape")
        assert excluded(app) == []
        assert isinstance(app.screen, ListDetailScreen)


async def test_of_a_leak_the_training_side_is_excluded(repeating: Project) -> None:
    app = StudioApp(repeating)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D", "v", "v", "N")
        await until(pilot, lambda: len(window(app).groups.ids) == 1)
        await pilot.press("X")
        assert [e.excluded for e in examples.get_many(app.store, [1, 2]).values()] == [True, False]
        await pilot.press("enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen))
        assert isinstance(app.screen, ExamplesScreen)
        assert app.screen.table.cursor_id == 2


async def test_a_search_that_is_stopped_changes_nothing(repeating: Project, store: Store) -> None:
    app = StudioApp(repeating)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D", "v", "n", "c")
        await until(pilot, lambda: app.duplicate_search.running is None)
        await until(pilot, lambda: "X: exclude" in screen_text(app))
        known = duplicates.ids(store, "near")
        app.duplicate_search.start("near", near=True)
        app.duplicate_search.cancel()
        await until(pilot, lambda: app.duplicate_search.running is None)
        assert duplicates.ids(store, "near") == known
        assert app.duplicate_search.words == "stopped; nothing was changed"


def test_a_difference_shows_what_goes_and_what_comes() -> None:
    assert "".join(span.text for span in difference("a b c", "a x c d")) == "a [-b-] {+x+} c {+d+} "
