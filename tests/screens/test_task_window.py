"""The window of the queues: one is chosen, made, changed and taken away; settings that can't be are named."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from reading import screen_text
from textual.pilot import Pilot
from textual.widgets import Input

from screens.app import StudioApp
from screens.task_form import TaskForm
from screens.task_window import TaskWindow
from studio.labelling.tasks import ALL_PAIRS, Task, tasks_of
from studio.project import Project, open_project


@asynccontextmanager
async def opened(
    project: Project, given: list[Task | None], size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], StudioApp, TaskWindow]]:
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size) as pilot:
        window = TaskWindow(tasks_of(app.project)[0])
        app.push_screen(window, given.append)
        await app.workers.wait_for_complete()
        await pilot.pause()
        yield pilot, app, window


def settings(project: Project) -> list[dict[str, Any]]:
    return tomllib.loads((project.folder / "studio.toml").read_text()).get("tasks", [])


@pytest.fixture
def queued(filled: Project) -> Project:
    """A project with two queues and comments of a person's own in its settings."""
    with (filled.folder / "studio.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[tasks]] # mine\nname = "tone"\norder = "random"\n\n[[tasks]]\nname = "facts"\n')
    return filled


async def test_a_queue_is_made_beside_the_one_of_all_pairs(filled) -> None:
    given: list[Task | None] = []
    async with opened(filled, given) as (pilot, app, window):
        assert "all pairs" in window.table.render_line(1).text
        assert "1 of 1 done" in window.table.render_line(1).text
        await pilot.press("n")
        form = app.screen
        assert isinstance(form, TaskForm)
        await pilot.press(*"tone", "f3")
        form.query_one("#reasons", Input).value = "wrong fact, rude"
        form.query_one("#repeats", Input).value = "0.25"
        form.query_one("#strength", Input).value = "yes"
        form.instructions.load_text("Which is kinder?\nNothing else counts.")
        await pilot.press("f2")
        await pilot.pause()
        assert settings(filled) == [
            {"name": "all pairs"},
            {
                "name": "tone",
                "instructions": "Which is kinder?\nNothing else counts.",
                "order": "random",
                "repeats": 0.25,
                "strength": True,
                "reasons": ["wrong fact", "rude"],
                "seed": 2,
            },
        ]
        assert "Which is kinder?" in window.text.plain
        await pilot.press("enter")
        await pilot.pause()
    assert given == [tasks_of(open_project(filled.folder))[1]]


async def test_what_can_not_be_is_named_and_nothing_is_written(queued) -> None:
    before = (queued.folder / "studio.toml").read_text()
    async with opened(queued, []) as (pilot, app, _):
        await pilot.press("e")
        form = app.screen
        assert isinstance(form, TaskForm)
        for name, value, said in (
            ("repeats", "often", "share from 0 to 1"),
            ("planned", "-3", "whole number"),
            ("ranking", "maybe", "true or false"),
            ("name", "facts", "named 'facts'"),
        ):
            field = form.query_one(f"#{name}", Input)
            was, field.value = field.value, value
            assert form.unsaved
            await pilot.press("f2")
            assert app.screen is form
            assert said in str(form.problem.content)
            field.value = was
        await pilot.press("escape")
        await pilot.pause()
    assert (queued.folder / "studio.toml").read_text() == before


async def test_changing_and_taking_away_leave_the_rest_of_the_file(queued) -> None:
    async with opened(queued, []) as (pilot, app, _):
        await pilot.press("e")
        app.screen.query_one("#planned", Input).value = "200"
        await pilot.press("f2")
        await pilot.pause()
        assert settings(queued)[0] == {"name": "tone", "order": "random", "planned": 200}
        await pilot.press("j", "d", "enter")
        await pilot.pause()
        assert [task["name"] for task in settings(queued)] == ["tone"]
        assert "# mine" in (queued.folder / "studio.toml").read_text()


async def test_a_text_that_holds_a_comma_is_not_torn_by_changing_something_else(filled) -> None:
    with (filled.folder / "studio.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[tasks]]\nname = "tone"\ncriteria = ["Kind, but true?", "Short?"]\n')
    async with opened(filled, []) as (pilot, app, _):
        await pilot.press("e")
        app.screen.query_one("#planned", Input).value = "7"
        await pilot.press("f2")
        await pilot.pause()
    assert settings(filled) == [{"name": "tone", "criteria": ["Kind, but true?", "Short?"], "planned": 7}]


async def test_the_queue_of_all_pairs_can_not_be_taken_away(project) -> None:
    async with opened(project, []) as (pilot, app, window):
        await pilot.press("d")
        assert app.screen is window
        assert tasks_of(app.project) == (ALL_PAIRS,)


async def test_why_a_queue_can_not_be_is_read_on_a_small_screen(queued) -> None:
    async with opened(queued, [], (60, 20)) as (pilot, app, _):
        await pilot.press("e")
        app.screen.query_one("#planned", Input).value = "many"
        await pilot.press("f2")
        await pilot.pause()
        text = " ".join(screen_text(app).replace("│", " ").split())
        assert "planned must be a whole number of 0 or more, not 'many'." in text


async def test_what_could_not_be_written_is_not_left_without_a_question(queued) -> None:
    async with opened(queued, []) as (pilot, app, window):
        await pilot.press("e")
        app.screen.query_one("#planned", Input).value = "7"
        settings_file = queued.folder / "studio.toml"
        before = settings_file.read_text()
        settings_file.write_text(f"{before}\nbroken = [\n")
        await pilot.press("f2")
        await pilot.pause()
        form = app.screen
        assert isinstance(form, TaskForm)
        # The first takes the error away that is shown.
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert "not kept" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        settings_file.write_text(before)
        await pilot.press("f2")
        await pilot.pause()
        assert app.screen is window
        assert settings(queued)[0]["planned"] == 7


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_form_fits_the_screen(queued, size) -> None:
    async with opened(queued, [], size) as (pilot, app, _):
        await pilot.press("n")
        await pilot.pause()
        text = screen_text(app)
        for word in ("name", "ranking", "instructions", "f2: keep", "Order (f3): imported"):
            assert word in text
