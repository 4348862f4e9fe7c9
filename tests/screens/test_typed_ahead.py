"""Keys that come in one piece go where they were meant to."""

import pytest
from chatting import Answers, opened
from labelling import opened as comparing
from reading import until
from run_forms import add_judged_pairs
from run_lists import add_run
from run_lists import opened as training
from textual.app import App
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from screens.app import StudioApp
from screens.choose import ChooseLine
from screens.new_run import NewRun, NewRunForm
from screens.run_log import RunLog
from screens.train import TrainScreen
from store import journal
from store.database import Store
from studio.project import Project


def type_at_once(app: App[None], text: str) -> None:
    """Have all keys wait in the app's queue before the first of them is looked at."""
    for character in text:
        app.post_message(Key("enter" if character == "\r" else _character_to_key(character), character))


async def test_a_search_in_one_piece_is_a_search(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test() as pilot:
        await pilot.press("1")
        await pilot.pause()
        screen = app.screen
        type_at_once(app, "/xxr e")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.pause()
        assert app.screen is screen
        field = app.focused
        assert isinstance(field, Input)
        assert field.value == "xxr e"
        type_at_once(app, "d\r")
        await until(pilot, lambda: not isinstance(app.focused, Input))
        assert field.value == "xxr ed"


async def test_a_message_in_one_piece_is_sent_whole(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        type_at_once(pilot.app, "iwhere is it?\r")
        await until(pilot, lambda: bool(answers.asked) and not screen.busy)
        assert answers.asked[0][1][-1]["content"] == "where is it?"


@pytest.mark.usefixtures("unhurried")
async def test_a_comment_in_one_piece_judges_nothing(waiting_pairs: Project, store: Store) -> None:
    async with comparing(waiting_pairs) as (pilot, screen):
        type_at_once(pilot.app, "chltbs\r")
        await until(pilot, lambda: len(list(journal.entries(store))) > 0)
        await pilot.pause()
        assert not screen.lines.comment.display
    [entry] = journal.entries(store)
    assert (entry.kind, entry.note) == ("comment", "hltbs")


def stack(pilot: Pilot[None]) -> list[type]:
    """What lies over what, but for the app's first empty screen."""
    return [type(screen) for screen in pilot.app.screen_stack][-2:]


async def test_a_second_enter_does_not_close_what_is_under_a_list(project: Project) -> None:
    app = StudioApp(project)
    chosen: list[int | None] = []
    async with app.run_test() as pilot:
        app.push_screen(NewRunForm(None))
        app.push_screen(ChooseLine("Which", ["one", "two"], 1), chosen.append)
        await pilot.pause()
        type_at_once(app, "\r\r")
        await until(pilot, lambda: bool(chosen))
        await pilot.pause()
        assert isinstance(app.screen, NewRunForm)
    assert chosen == [1]


async def test_a_second_enter_in_a_form_starts_one_run(project: Project, store: Store) -> None:
    add_judged_pairs(store)
    app = StudioApp(project)
    given: list[NewRun | None] = []
    async with app.run_test() as pilot:
        below = app.screen
        form = NewRunForm(None)
        app.push_screen(form, given.append)
        await pilot.pause()
        await until(pilot, lambda: "6 rows" in str(form.rows.content))
        type_at_once(app, "\r\r")
        await until(pilot, lambda: bool(given))
        await pilot.pause()
        assert app.screen is below
    assert given == [NewRun("dpo", "smollm2", [], None)]


async def test_a_second_enter_in_the_list_of_runs_opens_one_log(project: Project, store: Store) -> None:
    run_id = add_run(project, store, "stopped")
    async with training(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        type_at_once(pilot.app, "\r\r")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunLog))
        await pilot.pause()
        assert stack(pilot) == [TrainScreen, RunLog]


async def test_a_window_that_ends_closes_the_help_over_it_and_itself(project: Project) -> None:
    app = StudioApp(project)
    async with app.run_test() as pilot:
        below = app.screen
        window = ChooseLine("Which", ["one", "two"])
        app.push_screen(window)
        await pilot.press("f1")
        await pilot.pause()
        assert app.screen is not window
        window.dismiss(0)
        await pilot.pause()
        assert app.screen is below
