"""AI judge: asked from Compare, figures and differences shown, and nothing of pairs that the person has not decided."""

import pytest
from chat_server import chat_server
from reading import screen_text, until
from textual.widgets import Input

from screens.app import StudioApp
from screens.ask_judge import AskJudge
from screens.dialogs import Confirm
from screens.jobs_window import JobsWindow
from screens.judge_window import JudgeWindow
from store import examples, interface_state, journal, judgements, pairs, responses
from store.database import Store
from store.judgements import Judgement, NewJudgement
from studio.project import Project, open_project

HOSTILE = "\x1b[31m[b]bold[/b] [/nothing] \u202e"


@pytest.fixture
def decided(project: Project, store: Store) -> Project:
    """Three pairs, the last one undecided, open at Compare; a judge has answered the first and the last."""
    for number in range(1, 4):
        prompt = [{"role": "user", "content": f"Question {number}"}]
        example = examples.add(store, record_id=None, messages=prompt, split="train")
        ids = [
            responses.add(
                store, example, [{"role": "assistant", "content": f"{letter}{number} {HOSTILE}"}], origin="file"
            )
            for letter in "AB"
        ]
        pairs.add_pair(store, example, *ids, seed=0)
    for pair_id in (1, 2):
        journal.judge(store, pairs.get(store, pair_id), "left", rater=project.rater)
    for pair_id in (1, 3):
        said = Judgement(pair_id, "one", "second", "second")
        judgements.keep(store, NewJudgement(said, {}, (f"Secret words {pair_id} {HOSTILE}", "VERDICT: A")))
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)
    return project


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_only_pairs_that_the_person_decided_are_shown(decided, size) -> None:
    app = StudioApp(decided)
    async with app.run_test(size=size) as pilot:
        await pilot.press("J")
        assert isinstance(app.screen, JudgeWindow)
        await until(pilot, lambda: "AI judge one: Too few pairs to tell: 1 of at least 30." in screen_text(app))
        assert list(app.screen.table.ids) == [1]
        assert "not: second" in screen_text(app)
        assert "Secret words 1" in app.screen.text.plain
        assert "Question 1" in app.screen.text.plain
        await pilot.press("tab", "G", "escape")
        assert not isinstance(app.screen, JudgeWindow)


async def test_before_the_first_judge_it_says_how_to_ask_one(project, store) -> None:
    interface_state.remember(store, "area", "compare")
    app = StudioApp(project)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("J")
        await until(pilot, lambda: "No judge was asked yet." in screen_text(app))
        await pilot.press("n")
        assert isinstance(app.screen, AskJudge)
        await pilot.press("f2")
        await until(pilot, lambda: "has decided no pair yet" in screen_text(app))


async def test_an_endpoint_is_asked_after_the_person_agreed_and_is_shown_beside_the_other(decided, store) -> None:
    with chat_server(lambda _: "VERDICT: A") as server:
        server.configure(decided.folder)
        app = StudioApp(open_project(decided.folder))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("J", "n")
            app.screen.query_one("#model", Input).value = "endpoint:m"
            await pilot.press("f2")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert "2 prompts, each with two replies" in screen_text(app).replace("\n", " ")
            assert server.asked == []
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, JobsWindow) and "2 of 2 pairs" in screen_text(app))
            await pilot.press("escape")
            await until(pilot, lambda: "AI judge endpoint:m" in screen_text(app))
            assert "(1 of 2)" in screen_text(app)
            assert "the same answer in both orders: 0/2" in screen_text(app)
            await pilot.press("v")
            await until(pilot, lambda: "AI judge one" in screen_text(app))
        assert len(server.asked) == 4
