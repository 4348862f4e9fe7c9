"""Chat: replies judged, blind and not, put right, and put into Compare."""

from typing import Any

import pytest
from chatting import Answers, add_run, opened, pane, say
from reading import screen_text, until
from stored import current_verdicts, waiting_pairs
from textual.pilot import Pilot

from screens.chat_correction import Correction
from screens.widgets.safe_text_area import SafeTextArea
from store import examples, journal, responses
from store.database import Store
from studio.chatting import blind, keeping
from studio.project import Project


async def choose(pilot: Pilot[Any], *keys: str) -> None:
    """Mark who is to answer."""
    await pilot.press("m")
    await pilot.pause()
    await pilot.press(*keys, "enter")
    await pilot.pause()


async def test_the_better_reply_becomes_a_judged_pair(project: Project, store: Store, answers: Answers) -> None:
    run_id = add_run(project, store)
    async with opened(project) as (pilot, screen):
        await pilot.press("w")
        assert "no two replies" in screen_text(pilot.app)
        await say(pilot, screen, "which")
        await pilot.press("w")
        assert "Better?" in screen_text(pilot.app)
        await pilot.press("l")
        assert f"{run_id} is better" in screen_text(pilot.app)
        assert "[better]" in pane(screen, 1)
    [entry] = current_verdicts(store)
    assert entry.chosen_and_rejected is not None
    chosen, rejected = (responses.get(store, i) for i in entry.chosen_and_rejected)
    assert (chosen.origin, chosen.author) == ("run", run_id)
    assert (rejected.origin, rejected.author) == ("model", "smollm2")
    assert chosen.parameters["temperature"] == 0.7
    assert examples.get(store, chosen.example_id).messages == [{"role": "user", "content": "which"}]


async def test_a_verdict_undone_in_compare_does_not_stand_here(
    project: Project, store: Store, answers: Answers
) -> None:
    add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "which")
        await pilot.press("w", "l")
        assert "[better]" in pane(screen, 1)
        await pilot.press("3")
        await pilot.pause()
        await pilot.press("enter", "u")
        await until(pilot, lambda: not current_verdicts(store))
        await pilot.press("5")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert "[better]" not in pane(screen, 0) + pane(screen, 1)
        journal.redo(screen.studio.store, rater=project.rater)
        screen.show_chat(keeping.open_chat(project, screen.studio.store, screen.chat.chat_id or 0))
        assert "[better]" in pane(screen, 1)


async def test_blind_replies_tell_nothing_until_they_are_judged(
    project: Project, store: Store, answers: Answers
) -> None:
    run_id = add_run(project, store)
    answers.said |= {"smollm2": "plain", run_id: "tuned"}
    async with opened(project, (140, 30)) as (pilot, screen):
        await pilot.press("b")
        await say(pilot, screen, "which")
        assert screen.focused is screen.judge_line
        text = screen_text(pilot.app)
        for telling in ("dpo-1", "base model", "42.0", "tokens proven"):
            assert telling not in text
        await pilot.press("tab", "t", "p", "O")
        assert "the names are kept back" in screen_text(pilot.app)
        question = screen.chat.last
        assert question is not None
        where = blind.order(screen.chat, question).index(1)
        assert "tuned" in pane(screen, where)
        await pilot.press("w", "h" if where == 0 else "l")
        await until(pilot, lambda: f"{run_id} is better, judged blind" in screen_text(pilot.app))
        assert f"{run_id}: tuned" in pane(screen, where)
    [entry] = current_verdicts(store)
    assert entry.chosen_and_rejected is not None
    assert responses.get(store, entry.chosen_and_rejected[0]).author == run_id
    assert entry.shown_at is not None


async def test_names_can_be_asked_for(project: Project, store: Store, answers: Answers) -> None:
    add_run(project, store)
    async with opened(project, (140, 30)) as (pilot, screen):
        await pilot.press("b")
        await say(pilot, screen, "which")
        await pilot.press("escape", "v")
        assert "dpo-1: " in pane(screen, 0) + pane(screen, 1)


async def test_the_best_of_three_is_better_than_each_other(project: Project, store: Store, answers: Answers) -> None:
    add_run(project, store)
    add_run(project, store)
    async with opened(project, (160, 40)) as (pilot, screen):
        # Two of them answer already, the newest run beside its base.
        await choose(pilot, "j", "space")
        assert screen.panes.count == 3
        await say(pilot, screen, "which")
        await pilot.press("w")
        assert "The best?" in screen_text(pilot.app)
        await pilot.press("t")
        assert screen.focused is screen.judge_line
        await pilot.press("3")
    best = screen.chat.models[2]
    won = [entry.chosen_and_rejected for entry in current_verdicts(store)]
    assert len(won) == 2
    assert {responses.get(store, each[0]).author for each in won if each} == {best}


async def test_replies_wait_in_compare(project: Project, store: Store, answers: Answers) -> None:
    add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "which")
        await pilot.press("a")
        assert "1 pair waits in Compare" in screen_text(pilot.app)
    assert len(waiting_pairs(store)) == 1
    assert current_verdicts(store) == []


async def test_a_corrected_reply_is_an_example_and_a_pair(project: Project, store: Store, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "which")
        await pilot.press("f")
        window = pilot.app.screen
        assert isinstance(window, Correction)
        await pilot.press("f2")
        assert "says what the model said" in screen_text(pilot.app)
        window.query_one(SafeTextArea).text = "This one."
        await pilot.press("f2")
        await until(pilot, lambda: "Example 1 (" in screen_text(pilot.app))
    [entry] = current_verdicts(store)
    assert entry.chosen_and_rejected is not None
    chosen, rejected = (responses.get(store, i) for i in entry.chosen_and_rejected)
    assert (chosen.origin, chosen.messages[-1]["content"]) == ("human", "This one.")
    assert rejected.author == "smollm2"
    assert examples.get(store, chosen.example_id).messages[-1]["content"] == "This one."


async def test_a_correction_is_not_left_without_a_question(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "which")
        await pilot.press("f", "x", "escape")
        assert "not kept" in screen_text(pilot.app)
        await pilot.press("escape", "escape", "y")
        await pilot.pause()
        assert pilot.app.screen is screen


async def test_without_a_reply_nothing_is_made(project: Project, store: Store) -> None:
    async with opened(project) as (pilot, screen):
        for key in "fan":
            await pilot.press(key)
            assert pilot.app.screen is screen
    assert current_verdicts(store) == []


async def test_who_writes_on_while_blind_replies_come_judges_nothing(
    project: Project, store: Store, answers: Answers
) -> None:
    add_run(project, store)
    answers.waits = True
    async with opened(project) as (pilot, screen):
        await pilot.press("b", "i", "x", "enter", *"hl")
        await until(pilot, lambda: len(answers.asked) == 2)
        screen.action_cancel()
        await until(pilot, lambda: not screen.busy)
        await pilot.press("t")
        assert screen.composer.text == "hlt"
        assert screen.judge_line.display
    assert current_verdicts(store) == []


async def test_replies_that_say_the_same_can_not_be_judged_and_the_app_goes_on(
    project: Project, store: Store, answers: Answers
) -> None:
    run_id = add_run(project, store)
    answers.said |= {"smollm2": "same", run_id: "same"}
    async with opened(project, (140, 30)) as (pilot, screen):
        await pilot.press("b")
        await say(pilot, screen, "which")
        await pilot.press("tab", "w", "l")
        await until(pilot, lambda: any("word for word" in note.message for note in pilot.app._notifications))
        await pilot.press("escape", "v")
        assert f"{run_id}: same" in pane(screen, 0) + pane(screen, 1)
    assert current_verdicts(store) == []


async def test_the_line_for_a_verdict_names_its_keys_only_where_they_work(
    project: Project, store: Store, answers: Answers
) -> None:
    add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "which")
        await pilot.press("w")
        assert "h left" in screen_text(pilot.app)
        await pilot.press("tab")
        assert "h left" not in screen_text(pilot.app)
        await pilot.press("w", "t")
        await until(pilot, lambda: "a tie" in screen_text(pilot.app))


async def test_a_verdict_waits_for_the_replies(project: Project, store: Store, answers: Answers) -> None:
    add_run(project, store)
    answers.waits = True
    async with opened(project) as (pilot, screen):
        await pilot.press("b", "i", "w", "enter")
        await until(pilot, lambda: "coming" in screen_text(pilot.app))
        await pilot.press("tab", "w")
        assert "wait for the replies" in screen_text(pilot.app)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy)


@pytest.mark.parametrize("key", ["r", "ctrl+n", "less_than_sign", "o"])
async def test_keys_of_a_line_that_asks_no_longer_are_not_written_into_the_message(
    project: Project, store: Store, answers: Answers, key: str
) -> None:
    add_run(project, store)
    examples.add(store, record_id=None, messages=[{"role": "user", "content": "Held out?"}], split="test")
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "old")
        await pilot.press("e", "x", "enter")
        await until(pilot, lambda: len(answers.asked) == 4 and not screen.busy)
        await pilot.press("escape", "w")
        assert screen.focused is screen.judge_line
        await pilot.press(key, "t", "c")
        await until(pilot, lambda: not screen.busy)
        assert not screen.judge_line.display
        assert screen.composer.text == ""
