"""From Compare to its windows and back: another queue, a verdict that is judged anew."""

import pytest
from reading import screen_text
from textual.widgets import Input

import screens.compare_asked
from screens.app import StudioApp
from screens.compare import CompareScreen
from screens.task_window import TaskWindow
from screens.verdict_history import VerdictHistory
from store import examples, interface_state, journal, pairs, responses
from store.database import Store
from studio.project import Project, open_project


@pytest.fixture
def queued(project: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Four pairs, two of them in the test split, and two queues; open at Compare."""
    monkeypatch.setattr(screens.compare_asked, "QUIET_SECONDS", 0.0)
    with (project.folder / "studio.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[tasks]]\nname = "tone"\nrepeats = 0\n\n[[tasks]]\nname = "tests"\nquery = "split:test"\n')
    for number in range(1, 5):
        prompt = [{"role": "user", "content": f"Question {number}"}]
        example = examples.add(store, record_id=None, messages=prompt, split="test" if number > 2 else "train")
        ids = [
            responses.add(store, example, [{"role": "assistant", "content": f"{letter}{number}"}], origin="file")
            for letter in "AB"
        ]
        pairs.add_pair(store, example, *ids, seed=0)
    interface_state.remember(store, "area", "compare")
    # Somebody who has judged before gets no page for beginners.
    journal.judge(store, pairs.get(store, 1), "tie", rater=project.rater)
    return project


async def test_another_queue_is_gone_on_in_and_a_changed_one_is_taken_up(queued) -> None:
    app = StudioApp(open_project(queued.folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Question 2" in screen_text(app)
        await pilot.press("o")
        assert isinstance(app.screen, TaskWindow)
        await pilot.press("j", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Question 3" in screen_text(app)
        await pilot.press("o", "e")
        app.screen.query_one("#query", Input).value = "Question 4"
        await pilot.press("f2", "escape")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Question 4" in screen_text(app)


async def test_a_verdict_is_judged_anew_from_the_list(queued, store) -> None:
    app = StudioApp(open_project(queued.folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await pilot.press("a")
        assert isinstance(app.screen, VerdictHistory)
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "Question 1" in screen_text(app)
        await pilot.press("l")
        await pilot.pause()
        current = journal.current_verdict(store, 1)
        assert current is not None
        assert (current.verdict, current.purpose) == ("right", "change")
        assert "Question 2" in screen_text(app)
