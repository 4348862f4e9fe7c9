"""Chat's panes: how they stand, what long chats lay out, and that following the end is let go of."""

import pytest
from chatting import Answers, add_run, opened, say
from reading import screen_text, until
from textual.events import Key

from screens.chat_pane import LAID_OUT, fitting
from screens.chat_panes import columns_for
from store.database import Store
from studio.chatting import keeping
from studio.chatting.conversation import Answer
from studio.project import Project


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [
        (1, (60, 14), 1),
        (2, (80, 20), 1),
        (2, (60, 12), 0),
        (2, (200, 44), 2),
        (3, (80, 20), 0),
        (3, (200, 44), 3),
        (4, (80, 20), 0),
        (4, (120, 34), 2),
    ],
)
def test_panes_stand_as_there_is_room(count: int, size: tuple[int, int], columns: int) -> None:
    assert columns_for(count, *size) == columns


def test_a_heading_leaves_out_what_does_not_fit() -> None:
    assert fitting(["a model", "a long remark", "12 t/s"], 18) == "a model | 12 t/s"


async def test_one_pane_at_a_time_shows_the_lines_of_the_others(
    project: Project, store: Store, answers: Answers
) -> None:
    run_id = add_run(project, store)
    answers.said |= {"smollm2": "plain words", run_id: "tuned words"}
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "x")
        await pilot.press("z")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "plain words" in text
        assert "tuned words" not in text
        assert f"{run_id}" in text
        await pilot.press("tab")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "tuned words" in text
        assert "plain words" not in text
        await pilot.press("z")
        await pilot.pause()
        assert "plain words" in screen_text(pilot.app)


async def test_of_a_long_chat_the_end_is_laid_out_and_more_on_demand(
    project: Project, store: Store, answers: Answers
) -> None:
    async with opened(project) as (pilot, screen):
        chat = keeping.new_chat(project, ["smollm2"])
        with store.transaction():
            for number in range(300):
                question = keeping.ask(store, chat, f"question {number}")
                keeping.keep_answer(store, chat, question, 0, Answer("word " * 100))
        screen.show_chat(chat)
        await pilot.pause()
        turns = screen.panes.pane(0).turns
        assert "question 299" in screen_text(pilot.app)
        assert "earlier questions; + shows more" in turns.plain
        assert len(turns.plain) < LAID_OUT * 1.2
        before = screen_text(pilot.app)
        await pilot.press("plus")
        assert screen_text(pilot.app) == before
        await pilot.press("plus", "plus")
        assert "question 0" in turns.plain
        for _ in range(3):
            await pilot.press("left_square_bracket")
        assert "you: question 296" in screen_text(pilot.app)


async def test_who_has_scrolled_up_stays_there_while_more_comes(
    project: Project, store: Store, answers: Answers
) -> None:
    answers.said["smollm2"] = "line\n" * 60
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "first")
        assert screen.panes.pane(0).turns.is_vertical_scroll_end
        await pilot.press("home")
        assert "you: first" in screen_text(pilot.app)
        question = screen.chat.last
        assert question is not None
        keeping.keep_answer(store, screen.chat, question, 0, Answer("more\n" * 80))
        screen.sight.show_all()
        await pilot.pause()
        assert "you: first" in screen_text(pilot.app)
        await pilot.press("G")
        await pilot.resize_terminal(60, 18)
        await pilot.pause()
        assert screen.panes.pane(0).turns.is_vertical_scroll_end


async def test_what_is_typed_in_one_go_after_the_key_to_write_stands_in_the_line(project: Project) -> None:
    async with opened(project) as (pilot, screen):
        for key in "imany models":
            screen.studio.post_message(_key(key))
        await until(pilot, lambda: screen.composer.text == "many models")
        assert pilot.app.screen is screen


def _key(letter: str) -> Key:
    return Key("space" if letter == " " else letter, letter)


async def test_keys_of_a_pane_that_goes_away_are_not_written_into_the_message(
    project: Project, store: Store, answers: Answers
) -> None:
    run_id = add_run(project, store)
    async with opened(project, (120, 30)) as (pilot, screen):
        await pilot.press("tab")
        assert screen.panes.here == 1
        screen.show_chat(keeping.new_chat(project, [run_id]))
        await pilot.press("t")
        await pilot.pause()
        assert screen.focused is screen.panes.pane(0).turns
        assert screen.composer.text == ""
