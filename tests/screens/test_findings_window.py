"""The findings panel: running the checks behind the screen, seeing, excluding and mending what they found."""

from collections.abc import Callable
from typing import Any

import pytest
from letters import add_source, new_record, turns
from reading import screen_text, until
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.data import DataScreen
from screens.examples import ExamplesScreen
from screens.findings import FindingsWindow
from store import examples, records
from store.database import Store
from studio.lint.run import lint
from studio.one_at_a_time import one_at_a_time
from studio.project import Project

BROKEN = "It is on itâ€™s way, we’re sorry about the waitâ€¦"


@pytest.fixture
def flawed(project: Project, store: Store) -> Project:
    """Six examples, two with an empty answer and one of broken encoding, and a row that can't be read."""
    rows = [new_record(n, {"subject": f"Order {n}"}) for n in range(1, 7)]
    rows.append(new_record(7, None, raw=b'{"subject": "[/cut', error="the row ends inside a [text"))
    ids = records.add(store, add_source(store, "letters.jsonl"), rows)
    answers = ["", "On its way.", "  ", BROKEN, "Tomorrow.", "We will look."]
    for number, (record_id, answer) in enumerate(zip(ids[:6], answers, strict=True), start=1):
        messages = turns(f"Where is my book number {number}?", answer)
        examples.add(store, record_id=record_id, messages=messages, split="train")
    return project


@pytest.fixture
def linted(flawed: Project, store: Store) -> Project:
    """The same, after the checks were run."""
    lint(flawed, store, workers=1)
    return flawed


def window(app: StudioApp) -> FindingsWindow:
    assert isinstance(app.screen, FindingsWindow)
    return app.screen


def shows(app: StudioApp, words: str) -> Callable[[], bool]:
    return lambda: words in screen_text(app)


async def go_to(pilot: Pilot[Any], app: StudioApp, name: str) -> None:
    """Put the cursor on a finding."""
    await until(pilot, lambda: bool(window(app).findings.ids))
    await pilot.press("home")
    for _ in window(app).findings.ids:
        await pilot.pause()
        if f": {name}, " in window(app).text.plain:
            return
        await pilot.press("j")
    raise AssertionError(f"{name} was not found")


def in_use(app: StudioApp) -> list[int]:
    every = list(examples.span(app.store))
    return [number for number, e in examples.get_many(app.store, every).items() if not e.excluded]


async def test_a_project_that_was_not_checked_says_so_and_r_checks_it(flawed: Project) -> None:
    app = StudioApp(flawed)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("L")
        await until(pilot, shows(app, "the checks were not run yet"))
        await pilot.press("r")
        assert app.lint_run.running
        await until(pilot, lambda: bool(window(app).findings.ids))
        assert "in 6 examples and 7 records" in screen_text(app)
        assert "empty-answer" in screen_text(app)


async def test_a_run_goes_on_while_the_window_is_closed_and_the_app_used(flawed: Project) -> None:
    app = StudioApp(flawed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L", "r", "escape", "j")
        assert isinstance(app.screen, DataScreen)
        assert app.screen.table.cursor == 1
        await until(pilot, lambda: not app.lint_run.running)
        await pilot.press("2")
        await until(pilot, shows(app, "finding empty-answer"))


async def test_a_run_can_be_stopped_and_begun_again(flawed: Project) -> None:
    app = StudioApp(flawed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L", "r", "c")
        await until(pilot, lambda: not app.lint_run.running)
        assert app.lint_run.words == "stopped; what was looked at is kept"
        await pilot.press("r")
        await until(pilot, lambda: bool(window(app).findings.ids))


async def test_the_detail_says_why_it_matters_and_where_it_is(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "empty-answer")
        text = window(app).text.plain
        assert "Error: empty-answer, 2 examples, 2 in use" in text
        assert "letters.jsonl:1" in text
        assert "letters.jsonl:3" in text
        await go_to(pilot, app, "unreadable-row")
        assert "the row ends inside a [text" in window(app).text.plain


async def test_enter_shows_the_rows_in_their_own_list(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "empty-answer")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen))
        await until(pilot, shows(app, "1/2 of 6 examples"))
        assert "query: finding:empty-answer" in screen_text(app)
        assert "finding empty-answer" in screen_text(app)
        await pilot.press("L")
        await go_to(pilot, app, "unreadable-row")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DataScreen))
        await until(pilot, shows(app, "1/1 of 7 records"))
        await until(pilot, shows(app, "finding unreadable-row: the row ends inside a [text"))


async def test_the_rows_of_a_finding_are_excluded_and_let_in_again(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "empty-answer")
        assert "2/2" in screen_text(app)
        await pilot.press("x")
        await until(pilot, shows(app, "2 excluded; R lets them in again"))
        assert "0/2" in screen_text(app)
        assert in_use(app) == [2, 4, 5, 6]
        await pilot.press("R")
        await until(pilot, shows(app, "2 let in again"))
        assert in_use(app) == [1, 2, 3, 4, 5, 6]


async def test_of_many_rows_it_is_asked_first(project: Project, store: Store) -> None:
    for number in range(101):
        examples.add(store, record_id=None, messages=turns(f"Question {number}?", ""), split="train")
    lint(project, store, workers=1)
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "empty-answer")
        await pilot.press("x")
        assert "Exclude 101 examples?" in screen_text(app)
        await pilot.press("escape")
        assert len(in_use(app)) == 101
        await pilot.press("x", "enter")
        await until(pilot, shows(app, "101 excluded"))
        assert in_use(app) == []


async def test_a_fix_is_a_revision_and_can_be_taken_back(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "mojibake")
        await pilot.press("f")
        await until(pilot, shows(app, "1 of 1 mended"))
        assert "1 changed since: r runs it again" in screen_text(app)
        assert "â€" not in str(examples.get(app.store, 4).messages)
        await pilot.press("U")
        await until(pilot, shows(app, "1 as they were before"))
        assert examples.get(app.store, 4).messages[-1]["content"] == BROKEN
        await go_to(pilot, app, "empty-answer")
        await pilot.press("f")
        assert "empty-answer has no fix" in screen_text(app)


async def test_a_fix_can_be_taken_back_when_nothing_is_found_any_more(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "mojibake")
        await pilot.press("f")
        await until(pilot, shows(app, "1 of 1 mended"))
        await pilot.press("r")
        await until(pilot, lambda: not app.lint_run.running)
        await until(pilot, lambda: "It is found no more." in window(app).text.plain)
        assert "1 were mended: U takes it back" in window(app).text.plain
        await pilot.press("enter")
        await until(pilot, shows(app, "1/1 of 6 examples"))
        await pilot.press("L", "end")
        await until(pilot, lambda: "It is found no more." in window(app).text.plain)
        await pilot.press("U")
        await until(pilot, shows(app, "1 as they were before"))
        assert examples.get(app.store, 4).messages[-1]["content"] == BROKEN
        await until(pilot, lambda: "mojibake" not in screen_text(app))


async def test_what_was_said_goes_with_its_finding(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "empty-answer")
        await pilot.press("x")
        await until(pilot, shows(app, "2 excluded; R lets them in again"))
        await go_to(pilot, app, "mojibake")
        assert "R lets them in again" not in screen_text(app).splitlines()[-2]
        assert "f: fix  U: unfix" in screen_text(app)


async def test_a_finding_about_the_whole_says_that_it_has_no_rows(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("L")
        await until(pilot, lambda: bool(window(app).findings.ids))
        await pilot.press("end")
        await until(pilot, lambda: window(app).findings.cursor > 0)
        await pilot.pause()
        assert "x: exclude" not in screen_text(app)
        await pilot.press("x")
        assert "This is about all rows together" in screen_text(app)


async def test_a_fix_that_must_wait_for_the_run_says_so(linted: Project) -> None:
    app = StudioApp(linted)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("L")
        await go_to(pilot, app, "mojibake")
        with one_at_a_time(linted, "lint", "The checks are being run."):
            await pilot.press("f")
            await until(pilot, shows(app, "The checks are being run"))
            await pilot.press("j", "k")
            assert "The checks are being run" in screen_text(app)
        assert examples.get(app.store, 4).messages[-1]["content"] == BROKEN
