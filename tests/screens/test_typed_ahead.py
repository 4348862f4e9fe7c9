"""Keys that come in one piece go where they were meant to."""

import pytest
from chatting import Answers, opened
from labelling import opened as comparing
from reading import until
from textual.app import App
from textual.events import Key
from textual.keys import _character_to_key
from textual.widgets import Input

from screens.app import StudioApp
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
