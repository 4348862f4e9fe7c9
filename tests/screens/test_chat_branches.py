"""Chat: questions asked anew, answers made again, and the way between the branches."""

import threading
from typing import Any

import pytest
from chatting import Answers, add_run, opened, pane, say
from reading import screen_text, until

from screens.chat_list import ChatsWindow
from screens.chat_pane import Block
from screens.widgets.text_view import Span, TextView
from store import chats
from store.database import Store
from studio.project import Project


async def test_an_edited_question_is_a_branch_and_both_are_gone_to(
    project: Project, store: Store, answers: Answers
) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "old")
        await say(pilot, screen, "then")
        await pilot.press("left_square_bracket", "e")
        assert screen.composer.text == "old"
        assert "editing" in screen_text(pilot.app)
        await pilot.press("backspace", "backspace", "backspace", *"new", "enter")
        await until(pilot, lambda: not screen.busy and "you (branch 2 of 2, < >): new" in pane(screen, 0))
        assert "then" not in pane(screen, 0)
        await pilot.press("escape", "less_than_sign")
        assert "you (branch 1 of 2, < >): old" in pane(screen, 0)
        assert "you: then" in pane(screen, 0)
        await pilot.press("less_than_sign")
        assert "no other branch" in screen_text(pilot.app)
        await pilot.press("greater_than_sign")
        assert "new" in pane(screen, 0)
    assert [messages[-1]["content"] for _, messages in answers.asked] == ["old", "then", "new"]
    assert len(answers.asked[2][1]) == 1


async def test_an_edit_that_is_left_asks_nothing(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "old")
        await pilot.press("e", "x", "escape")
        assert screen.composer.text == ""
        assert "editing" not in screen_text(pilot.app)
        await say(pilot, screen, "next")
    assert [len(messages) for _, messages in answers.asked] == [1, 3]


async def test_a_draft_comes_back_once_an_edit_is_left_or_sent(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "old")
        await say(pilot, screen, "then")
        await pilot.press("i", *"draft", "escape", "e")
        assert screen.composer.text == "then"
        await pilot.press("x", "escape")
        assert screen.composer.text == "draft"
        await pilot.press("e", "escape", "left_square_bracket", "e", "x", "enter")
        await until(pilot, lambda: len(answers.asked) == 3 and not screen.busy)
        assert screen.composer.text == "draft"
    assert [messages[-1]["content"] for _, messages in answers.asked] == ["old", "then", "oldx"]


async def test_a_draft_that_an_edit_stands_in_the_place_of_is_there_in_the_next_session(
    project: Project, answers: Answers
) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "old")
        await pilot.press("i", *"draft", "escape", "e")
        assert screen.composer.text == "old"
        await pilot.press("f1")
    async with opened(project) as (_, screen):
        assert screen.composer.text == "draft"


async def test_an_answer_made_again_moves_the_seed_on_and_the_first_stays(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "x")
        await pilot.press("r")
        await until(pilot, lambda: "smollm2 (reply 2 of 2, h l):" in pane(screen, 0))
        await pilot.press("h")
        assert "smollm2 (reply 1 of 2, h l):" in pane(screen, 0)
        await say(pilot, screen, "on")
        assert [prompt.sampling.seed for prompt in answers.prompts] == [0, 1, 0]
        assert answers.asked[2][1][1]["content"].endswith(" 0")
        await pilot.press("left_square_bracket", "l")
        assert "you: on" not in pane(screen, 0)
        await pilot.press("h")
        assert "you: on" in pane(screen, 0)


async def test_only_this_panes_model_answers_again(project: Project, store: Store, answers: Answers) -> None:
    run_id = add_run(project, store)
    async with opened(project, (120, 30)) as (pilot, screen):
        await say(pilot, screen, "x")
        await pilot.press("tab", "R")
        await until(pilot, lambda: "reply 2 of 2" in pane(screen, 1))
        assert "reply" not in pane(screen, 0)
    assert [model for model, _ in answers.asked][2:] == [run_id]


async def test_while_replies_come_nothing_is_walked(project: Project, answers: Answers) -> None:
    answers.waits = True
    async with opened(project) as (pilot, screen):
        await pilot.press("i", "x", "enter")
        await until(pilot, lambda: "smollm2: I am" in pane(screen, 0))
        await pilot.press("tab")
        for key in ("e", "r", "less_than_sign", "h", "o"):
            await pilot.press(key)
            assert "wait for the replies" in screen_text(pilot.app)
        screen.action_cancel()
        await until(pilot, lambda: not screen.busy)
    assert len(answers.asked) == 1


async def test_all_go_on_from_one_reply(project: Project, store: Store, answers: Answers) -> None:
    run_id = add_run(project, store)
    async with opened(project, (120, 30)) as (pilot, screen):
        await say(pilot, screen, "a")
        await pilot.press("tab", "n")
        assert f"all go on from {run_id}" in screen_text(pilot.app)
        await say(pilot, screen, "b")
    given = dict(answers.asked[2:])
    assert given["smollm2"] == given[run_id]
    assert given["smollm2"][1]["content"].startswith(f"I am {run_id}")


async def test_chats_are_found_by_words_renamed_and_gone_on_with(
    project: Project, store: Store, answers: Answers
) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "where is my parcel")
        await say(pilot, screen, "and when")
        await pilot.press("ctrl+n")
        await say(pilot, screen, "tell me a joke")
        await pilot.press("c")
        window = pilot.app.screen
        assert isinstance(window, ChatsWindow)
        await until(pilot, lambda: "tell me a joke" in screen_text(pilot.app))
        await pilot.press("slash", *"parcel where")
        await until(pilot, lambda: len(window.table.ids) == 2)
        await until(pilot, lambda: "you: where is my parcel" in window.query_one(TextView).plain)
        await pilot.press("enter", "e")
        window.line.value = "The parcel"
        await pilot.press("enter")
        await until(pilot, lambda: "The parcel" in screen_text(pilot.app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert "you: and when" in pane(screen, 0)
        await say(pilot, screen, "so")
    assert [m["content"] for m in answers.asked[-1][1] if m["role"] == "user"] == [
        "where is my parcel",
        "and when",
        "so",
    ]
    assert sorted(chat.title for chat in chats.all_chats(store)) == ["The parcel", "tell me a joke"]


async def test_a_turn_that_was_found_is_shown_in_its_branch(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "old")
        await pilot.press("e", "backspace", "backspace", "backspace", *"new", "enter")
        await until(pilot, lambda: not screen.busy and "new" in pane(screen, 0))
        await pilot.press("escape", "c", "slash", *"old")
        window = pilot.app.screen
        assert isinstance(window, ChatsWindow)
        # The title, then the turn.
        await until(pilot, lambda: len(window.table.ids) == 2)
        await pilot.press("enter", "j")
        await until(pilot, lambda: "branch 1 of 2" in window.query_one(TextView).plain)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert "branch 1 of 2, < >): old" in pane(screen, 0)


async def test_a_chat_is_deleted_after_a_question_and_a_new_one_is_open(
    project: Project, store: Store, answers: Answers
) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "x")
        await pilot.press("c")
        await until(pilot, lambda: "smollm2" in screen_text(pilot.app) and len(pilot.app.screen_stack) == 2)
        await pilot.press("d")
        assert "Delete the chat" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, lambda: "No chat yet" in screen_text(pilot.app))
        await pilot.press("escape")
        assert "you: x" not in pane(screen, 0)
    assert chats.all_chats(store) == []


async def test_a_chat_that_was_deleted_while_it_was_read_is_not_shown(
    project: Project, store: Store, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_deleted = threading.Event()

    def blocks(*_: Any) -> list[Block]:
        is_deleted.wait(10)
        return [Block((Span("what was said"),))]

    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "x")
        monkeypatch.setattr("screens.chat_list.chat_text.blocks", blocks)
        await pilot.press("c")
        window = pilot.app.screen
        assert isinstance(window, ChatsWindow)
        await until(pilot, lambda: any(worker.group == "turns" for worker in pilot.app.workers))
        reading = [worker for worker in pilot.app.workers if worker.group == "turns"]
        await pilot.press("d", "enter")
        await until(pilot, lambda: "No chat yet" in screen_text(pilot.app))
        is_deleted.set()
        await pilot.app.workers.wait_for_complete(reading)
        await pilot.pause()
        assert window.query_one(TextView).plain == ""


async def test_that_nothing_matches_is_not_said_once_the_search_is_left(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, _):
        await pilot.press("c", "slash", *"zzz")
        await until(pilot, lambda: "Nothing matches." in screen_text(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: "No chat yet." in screen_text(pilot.app))


async def test_a_chat_is_written_into_a_file(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "what now")
        await pilot.press("E", "1")
        await until(pilot, lambda: "Written:" in screen_text(pilot.app))
    [path] = project.exports.iterdir()
    assert "what now" in path.read_text(encoding="utf-8")
