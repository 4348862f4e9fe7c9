"""Finding rows: the query line, saved queries, tags, and lists that fill while they are looked at."""

from array import array
from pathlib import Path

import pytest
from letters import add_source, new_record
from reading import screen_text, until
from textual.widgets import Input

from screens.app import StudioApp
from screens.list_detail import ListDetailScreen
from screens.query_text import quoted, replaced, terms, toggled, value_of
from screens.saved_queries import SavedQueriesWindow
from screens.tags_window import TagsWindow, changes_of, matching
from store import examples, find, records, saved_queries, tags
from store.database import Store
from studio.project import Project


def list_screen(app: StudioApp) -> ListDetailScreen:
    assert isinstance(app.screen, ListDetailScreen)
    return app.screen


@pytest.fixture
def many(project: Project, store: Store) -> Project:
    """A project with 3,000 records, each third of which has a problem."""
    rows = (
        new_record(n, {"text": f"row {n} {'odd' if n % 2 else 'even'}"})._replace(problem=None if n % 3 else "thin")
        for n in range(1, 3001)
    )
    records.add(store, add_source(store, "my rows.jsonl"), rows)
    return project


async def test_a_query_that_cannot_be_read_is_said_and_the_list_stays(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"has:flog", "enter")
        assert "has is never 'flog'" in screen_text(app)
        screen = list_screen(app)
        assert (screen.query_text, len(screen.table.ids)) == ("", 18)
        assert screen.search.has_focus
        await pilot.press("escape")
        assert "flog" not in screen_text(app)
        assert screen.table.has_focus


async def test_esc_takes_back_what_was_typed_and_then_the_query(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"book", "enter", "slash", *"11", "enter")
        screen = list_screen(app)
        assert screen.query_text == "book 11"
        await until(pilot, lambda: len(screen.table.ids) == 1)
        await pilot.press("slash", *"x")
        await until(pilot, lambda: screen.query_text == "book 11 x")
        await pilot.press("escape")
        assert screen.query_text == "book 11"
        await until(pilot, lambda: len(screen.table.ids) == 1)
        await pilot.press("escape")
        assert screen.query_text == ""
        assert len(screen.table.ids) == 18


async def test_filter_keys_are_terms_of_the_query(many: Project) -> None:
    app = StudioApp(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = list_screen(app)
        await pilot.press("p", "s", "F")
        assert screen.query_text == 'has:problem source:"my rows.jsonl" has:flag'
        await pilot.press("F", "s")
        assert screen.query_text == "has:problem"
        await until(pilot, lambda: "1/1,000 of 3,000 records" in screen_text(app))
        assert list(screen.table.ids) == list(range(3, 3001, 3))


async def test_a_newer_query_ends_an_older_one(many: Project) -> None:
    app = StudioApp(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = list_screen(app)
        for _ in range(5):
            screen.ask("odd")
            screen.ask("has:problem")
        screen.ask("id:7")
        await until(pilot, lambda: list(screen.table.ids) == [7])
        assert "1/1 of 3,000 records" in screen_text(app)


async def test_rows_that_come_in_are_added_and_the_cursor_stays(many: Project, store: Store) -> None:
    app = StudioApp(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = list_screen(app)
        await pilot.press("G", "k")
        with many.open_store() as other:
            records.add(other, 1, [new_record(n, {"text": "late"}) for n in (3001, 3002)])
        await pilot.press("2", "1")
        await until(pilot, lambda: "2,999/3,002 records" in screen_text(app))
        assert screen.table.cursor_id == 2999
        screen.ask("late")
        await until(pilot, lambda: list(screen.table.ids) == [3001, 3002])
        with many.open_store() as other:
            records.add(other, 1, [new_record(3003, {"text": "late"})])
        await pilot.press("2", "1")
        await until(pilot, lambda: list(screen.table.ids) == [3001, 3002, 3003])


async def test_what_changed_elsewhere_joins_the_list_and_nothing_is_read_twice(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = list_screen(app)
        screen.ask("-is:excluded")
        await until(pilot, lambda: isinstance(screen.table.ids, array))
        await app.workers.wait_for_complete()
        await pilot.pause()
        ids = screen.table.ids
        await pilot.press("2", "1")
        await app.workers.wait_for_complete()
        assert screen.table.ids is ids
        records.set_excluded(app.store, 2, True)
        await pilot.press("2", "1")
        await until(pilot, lambda: len(screen.table.ids) == 17)


async def test_all_rows_that_a_query_finds_are_changed_at_once(many: Project) -> None:
    app = StudioApp(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = list_screen(app)
        screen.ask("line<=1500")
        await until(pilot, lambda: len(screen.table.ids) == 1500 and not screen.table.incomplete)
        await pilot.press("A")
        assert "1,500 records selected" in screen_text(app)
        await pilot.press("x")
        assert "Exclude 1,500 records?" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: find.count(app.store, "record", "is:excluded") == 1500)
        await pilot.press("t", *"early", "enter")
        await until(pilot, lambda: find.count(app.store, "record", "tag:early") == 1500)
        await until(pilot, lambda: "1,500 records changed" in screen_text(app))
        await pilot.press("x")
        assert "Let in 1,500 records?" in screen_text(app)
        await pilot.press("escape", "A")
        assert screen.chosen_ids() == [1]


async def test_the_end_is_followed_while_rows_come_in(many: Project) -> None:
    app = StudioApp(many)
    async with app.run_test(size=(80, 24)) as pilot:
        table = list_screen(app).table
        table.show(array("q", range(1, 201)), more=True)
        list_screen(app).say_count()
        await pilot.press("G")
        assert "200/200+ of 3,000 records" in screen_text(app)
        table.extend(array("q", range(201, 401)), more=True)
        assert table.cursor_id == 400
        await pilot.press("k")
        table.extend(array("q", range(401, 601)))
        assert (table.cursor_id, table.incomplete) == (399, False)
        await pilot.press("G")
        assert table.cursor_id == 600
        list_screen(app).say_count()
        await pilot.pause()
        assert "600/600 of 3,000 records" in screen_text(app)


async def test_a_query_is_saved_applied_and_deleted(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("S", "s")
        assert "there is no query to keep" in screen_text(app)
        await pilot.press("escape", "p", "S", "s", *"to mend", "enter")
        assert isinstance(app.screen, SavedQueriesWindow)
        await until(pilot, lambda: "to mend                1          has:problem" in screen_text(app))
        await pilot.press("escape", "escape", "S", "enter")
        screen = list_screen(app)
        assert screen.query_text == "has:problem"
        await pilot.press("S", "s", *'a"b', "enter")
        assert "without quotation marks" in screen_text(app)
        await pilot.press("escape", "d", "enter", "escape")
        assert saved_queries.all_saved(app.store) == []


async def test_tags_are_added_completed_and_taken_off(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "space", "t", *"polite short", "enter")
        assert tags.of_many(app.store, "record", [1, 2, 3]) == {1: ["polite", "short"], 2: ["polite", "short"]}
        assert " *    #  1 " in screen_text(app)
        await pilot.press("2", "t", *"po", "tab", "enter")
        assert tags.of_many(app.store, "example", [1]) == {1: ["polite"]}
        assert ">    #  1 " in screen_text(app)
        assert "#polite" in screen_text(app)
        await pilot.press("t")
        assert isinstance(app.screen, TagsWindow)
        await pilot.press(*"-p", "tab", "enter")
        assert tags.of_many(app.store, "example", [1]) == {}


def test_a_line_of_tags_is_read() -> None:
    assert changes_of("a, -b  #c -#d a - ") == (["a", "c"], ["b", "d"])
    assert matching("x -p", ["poor", "polite"], ["polite"]) == ["polite"]
    assert matching("x p", ["poor", "polite"], ["polite"]) == ["poor", "polite"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ('a "b c" source:"x y"', ["a", '"b c"', 'source:"x y"']),
        ("-(a b) (c OR d)", ["-(a b)", "(c OR d)"]),
        ("a OR b", ["(a OR b)"]),
        ('a "b c', ["a", '"b c"']),
    ],
)
def test_a_query_is_taken_apart(text: str, parts: list[str]) -> None:
    assert terms(text) == parts


@pytest.mark.parametrize("text", ["", "book", "book OR order", '"order 5" OR -book', "(order OR book) 1", "a -(b c)"])
def test_a_term_narrows_down_any_query_and_can_be_taken_out(filled: Project, store: Store, text: str) -> None:
    def found(query: str) -> set[int]:
        return {number for chunk in find.ids(store, "record", query) for number in chunk}

    for number in (1, 5, 14):
        records.set_flagged(store, number, True)
    narrowed = toggled(text, "has:flag")
    assert found(narrowed) == found(text) & {1, 5, 14}
    assert found(toggled(narrowed, "has:flag")) == found(text)
    of_source = replaced(text, "source", "hostile.jsonl")
    assert found(of_source) == found(text) & set(range(14, 19))
    assert value_of(of_source, "source") == "hostile.jsonl"
    assert found(replaced(of_source, "source", "")) == found(text)


def test_values_are_quoted_where_they_need_it() -> None:
    assert (quoted("a.jsonl"), quoted("my file.jsonl")) == ("a.jsonl", '"my file.jsonl"')
    assert value_of('x source:"my file.jsonl"', "source") == "my file.jsonl"


async def test_rows_that_the_index_lacks_are_named_and_become_searchable(
    filled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screens.app.LOOK_SECONDS", 3600)
    monkeypatch.setattr("store.find.FEW", 0)
    app = StudioApp(filled)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        screen = list_screen(app)
        screen.ask("zebra")
        await app.workers.wait_for_complete()
        example = examples.add(
            app.store, record_id=1, messages=[{"role": "user", "content": "A zebra?"}], split="train"
        )
        examples.revise(app.store, example, [{"role": "user", "content": "No zebra."}])
        app.indexing.look()
        assert "not searchable yet" in str(screen.filters.content)
        await until(pilot, lambda: list(screen.table.ids) == [example])
        assert "not searchable yet" not in screen_text(app)


async def test_a_row_of_20_mb_is_shown_cut(project: Project, store: Store) -> None:
    source = add_source(store, "huge.jsonl")
    [row] = records.add(store, source, [new_record(1, {"text": "long words " * 1_900_000, "more": "x"})])
    examples.add(store, record_id=row, messages=[{"role": "user", "content": "long words " * 190_000}], split="train")
    app = StudioApp(project)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "Too long to be shown in full: 20," in screen_text(app))
        text = screen_text(app)
        assert "huge.jsonl:1" in text
        view = list_screen(app).detail
        assert len(view.plain) < 60_000
        await pilot.press("tab", "plus")
        assert len(view.plain) > 150_000
        await pilot.press("2")
        await pilot.pause()
        assert "train      -       (20,900,0" in screen_text(app)
        assert "more characters; + shows more" in list_screen(app).detail.plain


async def test_the_query_of_the_list_is_offered_to_the_export(filled: Project, tmp_path: Path) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "s", "E", "2")
        assert app.screen.query_one("#query", Input).value == "split:train"
        app.screen.query_one("#path", Input).value = str(tmp_path / "rows.jsonl")
        await pilot.press("f5")
        await until(pilot, lambda: "Its first row:" in screen_text(app))
        assert not (tmp_path / "rows.jsonl").exists()
        await pilot.press("enter")
        await until(pilot, lambda: "Written" in screen_text(app))
    assert (tmp_path / "rows.jsonl").is_file()


@pytest.mark.parametrize(("area", "text"), [("1", "Order 5"), ("2", "It is on its way, number 5.")])
async def test_the_row_is_laid_out_when_the_cursor_rests(
    filled: Project, monkeypatch: pytest.MonkeyPatch, area: str, text: str
) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(area)
        screen = app.screen
        assert isinstance(screen, ListDetailScreen)
        before = screen.detail.plain
        monkeypatch.setattr("screens.list_detail.REST", 2.0)
        await pilot.press(*"jjjj")
        assert screen.table.cursor_id == 5
        assert screen.detail.plain == before, "a held key passes over the rows between"
        await until(pilot, lambda: text in screen.detail.plain)
