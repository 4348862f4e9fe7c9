"""Reviewing on the Examples screen: approve, reject, go on, see how far one is; splits; new examples."""

from reading import screen_text, until

from screens.app import StudioApp
from screens.choose import ChooseLine
from screens.dialogs import Confirm
from screens.editor import ConversationEditor
from screens.examples import ExamplesScreen
from store import examples
from store.database import Store
from studio.project import Project


def statuses(store: Store) -> list[str]:
    return [examples.get(store, number).status for number in examples.span(store)]


def cursor(app: StudioApp) -> int | None:
    screen = app.screen
    assert isinstance(screen, ExamplesScreen)
    return screen.table.cursor_id


async def test_rejecting_is_taken_back_by_the_same_key(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "R")
        assert examples.get(app.store, 1).status == "rejected"
        assert "train, rejected" in screen_text(app)
        await pilot.press("a")
        assert examples.get(app.store, 1).status == "approved"
        await pilot.press("R", "R")
        assert examples.get(app.store, 1).status == "draft"
        await pilot.press("space", "space", "R")
        assert statuses(app.store)[:3] == ["rejected", "rejected", "draft"]


async def test_one_key_approves_and_goes_to_the_next_that_waits(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        examples.set_status(app.store, 2, "rejected")
        examples.set_excluded(app.store, 3, True)
        await pilot.press("2", "y")
        await until(pilot, lambda: cursor(app) == 4)
        await pilot.press("y", "u")
        await until(pilot, lambda: cursor(app) == 6)
        assert statuses(app.store)[:6] == ["approved", "rejected", "draft", "approved", "draft", "draft"]
        await pilot.press("G", "u")
        await until(pilot, lambda: cursor(app) == 5)
        assert "from the top again" in screen_text(app)


async def test_the_next_one_stays_within_the_query(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "s", "s")
        await until(pilot, lambda: "1/3 of 18 examples" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: "reviewed 1 of 3" in screen_text(app))
        await pilot.press("y", "y")
        await until(pilot, lambda: "nothing is left" in screen_text(app))
        assert "reviewed 3 of 3, " in screen_text(app)
        assert screen_text(app).count("left") == 1
        assert statuses(app.store).count("approved") == 3


async def test_progress_follows_what_another_process_decides(filled: Project, store: Store) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "a")
        await until(pilot, lambda: "reviewed 1 of 18" in screen_text(app))
        await pilot.press("j", "x")
        await until(pilot, lambda: "reviewed 1 of 17" in screen_text(app))
        for number in (3, 4):
            examples.set_status(store, number, "rejected")
        await pilot.press("u")
        await until(pilot, lambda: cursor(app) == 5)
        await pilot.press("1", "2")
        await until(pilot, lambda: "reviewed 3 of 17" in screen_text(app))


async def test_many_are_decided_after_a_question(project: Project, store: Store) -> None:
    for number in range(120):
        examples.add(store, record_id=None, messages=[{"role": "user", "content": str(number)}], split="train")
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "A", "R")
        assert isinstance(app.screen, Confirm)
        await pilot.press("enter")
        await until(pilot, lambda: "reviewed 120 of 120" in screen_text(app))
        assert set(statuses(store)) == {"rejected"}


async def test_a_prompt_moves_whole_and_held_out_ones_after_a_warning(filled: Project) -> None:
    app = StudioApp(filled)
    same = examples.get(app.store, 3).messages
    twin = examples.add(app.store, record_id=None, messages=[same[0]], split="test")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "j", "j")
        assert examples.get(app.store, 3).split == "test"
        await pilot.press("P")
        assert isinstance(app.screen, ChooseLine)
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        text = " ".join(screen_text(app).replace("│", " ").split())
        assert "Move 2 examples of 1 prompt to train? 1 of them were not chosen" in text
        assert "held out until now (2 from test): once a run has learned them" in text
        await pilot.press("escape")
        assert examples.get(app.store, 3).split == "test"
        await pilot.press("P", "2")
        await until(pilot, lambda: "2 examples of 1 prompt moved to validation" in screen_text(app))
        assert (examples.get(app.store, 3).split, examples.get(app.store, twin).split) == ("validation", "validation")
        await pilot.press("P", "2")
        await until(pilot, lambda: "all of them are in validation" in screen_text(app))


async def test_a_new_example_is_written_by_hand(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "b", "1")
        assert isinstance(app.screen, ConversationEditor)
        await pilot.press(*"Where is my book 2?", "f3", *"Here.", "f2")
        made = examples.get(app.store, 19)
        assert [m["content"] for m in made.messages] == ["Where is my book 2?", "Here."]
        assert (made.record_id, made.origin, made.split) == (None, "edit", examples.get(app.store, 2).split)
        await until(pilot, lambda: cursor(app) == 19)
        assert "19/19 examples" in screen_text(app)


async def test_a_new_example_begins_as_a_copy_and_a_prompt_may_stand_alone(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "b", "2", *"Well. ", "f2")
        assert examples.get(app.store, 19).messages[1]["content"] == "Well. It is on its way, number 1."
        assert examples.get(app.store, 1).revision == 1
        await pilot.press("b", "1", *"Alone", "f2")
        assert examples.get(app.store, 20).messages == [{"role": "user", "content": "Alone"}]
        await pilot.press("b", "1", "escape")
        assert examples.count(app.store) == 20


async def test_the_first_example_of_a_project_can_be_written(project: Project) -> None:
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "u", "y", "P", "b")
        await pilot.press(*"Hello", "f2")
        await until(pilot, lambda: "1/1 examples" in screen_text(app))
