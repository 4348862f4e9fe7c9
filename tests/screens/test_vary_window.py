"""Vary: which examples, which ways; a job that makes drafts; and where a draft comes from, as Examples shows it."""

import pytest
from chat_server import chat_server
from reading import screen_text, until
from textual.widgets import Input

from screens.app import StudioApp
from screens.dialogs import Confirm
from screens.jobs_window import JobsWindow
from screens.vary_window import VaryWindow
from store import examples, interface_state, jobs, synthetic
from store.database import Store
from store.synthetic import Variation
from studio.project import Project, open_project

SIZES = [(80, 24), (200, 50)]


@pytest.fixture
def at_examples(filled: Project, store: Store) -> Project:
    """The letters, open at Examples."""
    interface_state.remember(store, "area", "examples")
    return filled


@pytest.mark.parametrize("size", SIZES)
async def test_chosen_examples_are_mistyped_and_the_drafts_listed(at_examples, store, size) -> None:
    before = examples.count(store)
    app = StudioApp(at_examples)
    async with app.run_test(size=size) as pilot:
        await pilot.press("space", "space", "V")
        assert "Vary 2 examples" in screen_text(app)
        assert "paraphrase" in screen_text(app)
        await pilot.press("G", "space", "f2")
        await until(pilot, lambda: isinstance(app.screen, JobsWindow) and "2 of 2 prompts made" in screen_text(app))
        assert "typos of 2 examples, 1 each: 2 prompts at most." in screen_text(app)
        await pilot.press("escape", "G")
        await until(pilot, lambda: f"{before + 2}/{before + 2} examples" in screen_text(app))
        await until(pilot, lambda: "synthetic: typos of example 2 by a rule" in screen_text(app))
        assert ", draft, #synthetic" in screen_text(app)
        assert "used for nothing until it is" in screen_text(app)


async def test_what_is_wrong_with_the_form_is_said_and_nothing_begins(at_examples, store) -> None:
    app = StudioApp(at_examples)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("V")
        app.screen.query_one("#each", Input).value = "many"
        await pilot.press("f2")
        await until(pilot, lambda: "each must be a whole number" in screen_text(app))
        assert isinstance(app.screen, VaryWindow)
        await pilot.press("escape")
    assert jobs.standings(store) == []


async def test_nothing_is_sent_before_the_person_agrees(at_examples, store) -> None:
    with chat_server(lambda _: "May I ask what became of my order?") as server:
        server.configure(at_examples.folder)
        app = StudioApp(open_project(at_examples.folder))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("V")
            app.screen.query_one("#model", Input).value = "endpoint:m"
            await pilot.press("f2")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert "This sends the last message of 1 prompt" in screen_text(app)
            await pilot.press("escape")
            assert (server.asked, jobs.standings(store)) == ([], [])
            await pilot.press("f2")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press("enter")
            await until(pilot, lambda: "1 of 1 prompts made" in screen_text(app))
        assert len(server.asked) == 1


async def test_what_a_model_s_name_says_is_text_and_no_markup(at_examples, store) -> None:
    hostile = "[b]m\x1b[31m[/nothing]"
    messages = [{"role": "user", "content": "Where?"}]
    made = synthetic.add(store, Variation(1, "paraphrase", hostile, messages, {}))
    app = StudioApp(at_examples)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        await until(pilot, lambda: "synthetic: paraphrase of example 1 by [b]m" in screen_text(app))
        assert "\x1b" not in screen_text(app)
        assert "used for nothing" in screen_text(app)
        await pilot.press("a")
        await until(pilot, lambda: "used for nothing" not in screen_text(app))
        assert examples.get(store, made).status == "approved"
