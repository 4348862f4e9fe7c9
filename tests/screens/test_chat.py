"""Chat: questions to one model and to several, what is kept, stopped, taken back; and one reply of the small model."""

import pytest
from chatting import DIFFERENT, Answers, add_run, opened, pane, say
from reading import screen_text, until

from screens.chat_raw import RawTurn
from screens.widgets.text_view import TextView
from store import chats, examples
from store.database import Store
from studio.inference.asked import EngineError
from studio.project import Project

DIED = EngineError("The llama.cpp process was killed by SIGKILL.", "Its last words are in engine.log.")


async def test_a_run_answers_beside_its_base_and_both_are_kept(
    project: Project, store: Store, answers: Answers
) -> None:
    run_id = add_run(project, store)
    async with opened(project, (140, 30)) as (pilot, screen):
        await say(pilot, screen, "hijklmo")
        assert "you: hijklmo" in pane(screen, 0)
        assert "smollm2: I am smollm2 [/b]" in pane(screen, 0)
        assert f"I am {run_id}" in pane(screen, 1)
        assert "\x1b" not in pane(screen, 1)
        text = screen_text(pilot.app)
        assert "dpo-1: tokens proven equal" in text
        assert "42.0 tokens/s | 3,991 left | 100+5 tokens" in text
        assert screen.panes.pane(0).region.y == screen.panes.pane(1).region.y
    chat_id = chats.latest(store)
    assert chat_id is not None
    kept = {(turn.role, turn.model) for turn in chats.turns(store, chat_id)}
    assert kept == {("user", None), ("assistant", "smollm2"), ("assistant", run_id)}


async def test_each_model_remembers_its_own_answers(project: Project, store: Store, answers: Answers) -> None:
    run_id = add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "a")
        await say(pilot, screen, "b")
    given = dict(answers.asked[2:])
    assert [m["content"][:9] for m in given["smollm2"]] == ["a", "I am smol", "b"]
    assert [m["content"][:9] for m in given[run_id]] == ["a", "I am dpo-", "b"]


@pytest.mark.parametrize(
    ("parity", "badge"), [(DIFFERENT, "tokens DIFFER in 2 of 40 texts"), ("", "tokens not checked")]
)
async def test_a_proof_that_is_lacking_or_failed_is_said(
    project: Project, store: Store, parity: str, badge: str
) -> None:
    add_run(project, store, parity)
    async with opened(project) as (pilot, _):
        assert badge in screen_text(pilot.app)


async def test_letters_in_the_line_trigger_nothing_and_esc_leaves_it(project: Project) -> None:
    async with opened(project) as (pilot, screen):
        await pilot.press("enter", *"most3q?")
        assert screen.composer.text == "most3q?"
        assert pilot.app.screen is screen
        await pilot.press("escape")
        assert screen.focused is screen.panes.pane(0).turns
        await pilot.press("t")
        assert "nothing was sent yet" in screen_text(pilot.app)


async def test_a_question_of_several_lines_is_sent_with_them(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await pilot.press("i", *"one", "ctrl+j", *"two")
        await pilot.pause()
        assert screen.composer.region.height == 2
        await pilot.press("enter")
        await until(pilot, lambda: bool(answers.asked) and not screen.busy)
        assert screen.composer.text == ""
    assert answers.asked[0][1] == [{"role": "user", "content": "one\ntwo"}]


async def test_what_is_written_and_not_sent_stands_there_again(project: Project) -> None:
    async with opened(project) as (pilot, screen):
        await pilot.press("i", *"half a")
        screen.studio.exit()
    async with opened(project) as (_, screen):
        assert screen.composer.text == "half a"


async def test_an_engine_that_dies_is_one_sentence_and_the_question_is_kept(project: Project, answers: Answers) -> None:
    answers.said["smollm2"] = DIED
    async with opened(project, (120, 30)) as (pilot, screen):
        await pilot.press("i", *"hello", "enter")
        await until(pilot, lambda: "was killed by SIGKILL" in screen_text(pilot.app))
        assert screen.composer.text == "hello"
        answers.said["smollm2"] = "here again"
        await pilot.press("enter")
        await until(pilot, lambda: "here again" in pane(screen, 0))
    assert [len(messages) for _, messages in answers.asked] == [1, 1]


async def test_one_reply_that_fails_costs_no_other(project: Project, store: Store, answers: Answers) -> None:
    run_id = add_run(project, store)
    answers.said[run_id] = DIED
    async with opened(project, (120, 30)) as (pilot, screen):
        await say(pilot, screen, "hello")
        assert "I am smollm2" in pane(screen, 0)
        assert screen.composer.text == ""
        del answers.said[run_id]
        await pilot.press("tab", "R")
        await until(pilot, lambda: f"I am {run_id}" in pane(screen, 1))
    assert sorted(model for model, _ in answers.asked) == [run_id, run_id, "smollm2"]


async def test_a_held_out_prompt_is_sent_again_letter_by_letter(
    project: Project, store: Store, answers: Answers
) -> None:
    asked = "Dear all,\n\n\twhere is it?\x07\nAda\n"
    examples.add(store, record_id=None, messages=[{"role": "user", "content": asked}], split="test")
    answers.said["smollm2"] = DIED
    async with opened(project) as (pilot, screen):
        await pilot.press("o")
        await until(pilot, lambda: not screen.busy and bool(screen.composer.text))
        answers.said["smollm2"] = "here again"
        await pilot.press("i", "enter")
        await until(pilot, lambda: "here again" in pane(screen, 0))
    assert [messages[-1]["content"] for _, messages in answers.asked] == [asked, asked]


async def test_held_out_prompts_come_one_after_the_other(project: Project, store: Store, answers: Answers) -> None:
    for split in ("train", "validation", "test"):
        turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": f"from {split}"}]
        examples.add(store, record_id=None, messages=turns, split=split)
    async with opened(project) as (pilot, screen):
        for split in ("validation", "test", "validation"):
            await pilot.press("o")
            await until(pilot, lambda: not screen.busy)
            assert f"you: from {split}" in pane(screen, 0)
            assert "system: Be kind." in pane(screen, 0)
    assert [len(messages) for _, messages in answers.asked] == [2, 2, 2]


async def test_a_reply_that_is_stopped_is_kept_as_far_as_it_came(
    project: Project, store: Store, answers: Answers
) -> None:
    answers.waits = True
    async with opened(project) as (pilot, screen):
        await pilot.press("i", "x", "enter")
        await until(pilot, lambda: "smollm2: I am" in pane(screen, 0))
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy)
        assert "stopped]" in pane(screen, 0)
    latest = chats.latest(store)
    assert latest is not None
    assert [turn.content for turn in chats.turns(store, latest)] == ["x", "I am"]


async def test_a_new_chat_leaves_the_replies_that_come_to_the_former_one(
    project: Project, store: Store, answers: Answers
) -> None:
    answers.waits = True
    async with opened(project) as (pilot, screen):
        await pilot.press("i", "x", "enter")
        await until(pilot, lambda: "smollm2: I am" in pane(screen, 0))
        former = chats.latest(store)
        assert former is not None
        await pilot.press("ctrl+n")
        assert not screen.busy
        await until(pilot, lambda: len(chats.turns(store, former)) == 2)
        assert "I am" not in pane(screen, 0)


async def test_a_new_chat_keeps_the_system_prompt_and_no_other_turn(
    project: Project, store: Store, answers: Answers
) -> None:
    turns = [{"role": role, "content": role} for role in ("user", "assistant", "user")]
    examples.add(store, record_id=None, messages=turns, split="test")
    async with opened(project) as (pilot, screen):
        await pilot.press("o")
        await until(pilot, lambda: len(answers.asked) == 1 and not screen.busy)
        await pilot.press("ctrl+n")
        await say(pilot, screen, "x")
    assert answers.asked[1][1] == [{"role": "user", "content": "x"}]


async def test_the_chat_is_open_again_as_it_was_left(project: Project, store: Store, answers: Answers) -> None:
    add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "first")
        await say(pilot, screen, "second")
        screen.studio.exit()
    async with opened(project) as (pilot, screen):
        assert screen.panes.count == 2
        for number in (0, 1):
            assert "you: first" in pane(screen, number)
            assert "you: second" in pane(screen, number)
        await say(pilot, screen, "third")
    assert [m["content"] for m in answers.asked[-1][1] if m["role"] == "user"] == ["first", "second", "third"]


@pytest.mark.model
@pytest.mark.xdist_group("screens")
async def test_the_small_model_answers_is_stopped_and_shows_its_tokens(
    project: Project, store: Store, base_model: object
) -> None:
    async with opened(project) as (pilot, screen):
        await pilot.press("i", *"Count from one to nine hundred in words.", "enter")
        await until(
            pilot, lambda: screen.busy and "smollm2: (" not in pane(screen, 0) and "smollm2:" in pane(screen, 0)
        )
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy, 30)
        assert "stopped]" in pane(screen, 0)
        await pilot.press("escape", "t")
        window = pilot.app.screen
        assert isinstance(window, RawTurn)
        await until(pilot, lambda: " %" in window.query_one(TextView).plain)
        await pilot.press("v", "v")
        await until(pilot, lambda: "<|im_start|>/1|" in window.query_one(TextView).plain)


async def test_what_was_said_before_the_engine_died_is_kept(project: Project, store: Store, answers: Answers) -> None:
    answers.breaks_off = True
    async with opened(project, (120, 30)) as (pilot, screen):
        await pilot.press("i", *"hello", "enter")
        await until(pilot, lambda: "broken off" in pane(screen, 0))
        await until(pilot, lambda: "was killed by SIGKILL" in screen_text(pilot.app))
        assert screen.composer.text == ""
    latest = chats.latest(store)
    assert latest is not None
    assert [turn.content for turn in chats.turns(store, latest)] == ["hello", "I am"]


async def test_a_reply_that_can_not_be_kept_is_said_and_waits_for_nothing(
    project: Project, store: Store, answers: Answers
) -> None:
    answers.waits = True
    async with opened(project, (120, 30)) as (pilot, screen):
        await pilot.press("i", *"hello", "enter")
        await until(pilot, lambda: "I am" in pane(screen, 0))
        aside = project.database.rename(project.folder / "aside")
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy)
        assert any("was deleted, moved or replaced" in note.message for note in screen.studio._notifications)
        aside.rename(project.database)
