"""The Examples screen: messages, text and tokens; editing, approving, responses."""

import re

import pytest
from letters import HOSTILE
from reading import screen_text, until
from stored import current_verdicts
from textual.widgets import TextArea

from screens.app import StudioApp
from screens.editor import ConversationEditor
from screens.examples import ExamplesScreen
from screens.revisions import RevisionsWindow
from store import examples, journal, pairs
from store.database import Store
from studio.project import Project

WITH_REPLIES = 13


async def test_messages_show_who_says_what(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        text = screen_text(app)
        assert " user\n Where is my book 1?" in text
        assert "assistant (the example's own answer)\n It is on its way, number 1." in text


async def test_replies_are_gone_through_with_what_was_thought_of_them(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", *"j" * (WITH_REPLIES - 1))
        answer = "assistant (response 1 of 2, file, chosen)\n Yes, within 30 days."
        await until(pilot, lambda: answer in screen_text(app))
        await pilot.press("n")
        assert "assistant (response 2 of 2, base, rejected)\n No." in screen_text(app)
        await pilot.press("n")
        assert "Yes, within 30 days." in screen_text(app)


async def test_marks_are_saved_and_shown(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "a", "f", "x")
        example = examples.get(app.store, 1)
        assert (example.status, example.flagged, example.excluded) == ("approved", True, True)
        assert "> afx   1 " in screen_text(app)
        assert "train, approved, flagged, excluded" in screen_text(app)
        await pilot.press("a", "f", "x")
        example = examples.get(app.store, 1)
        assert (example.status, example.flagged, example.excluded) == ("draft", False, False)


async def test_editing_saves_a_revision_and_an_old_one_comes_back(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "e")
        assert isinstance(app.screen, ConversationEditor)
        app.screen.query_one(TextArea).load_text("It came back.")
        await pilot.press("f8", *"Why?", "f2")
        changed = examples.get(app.store, 1)
        assert [m["content"] for m in changed.messages] == ["Where is my book 1?", "It came back.", "Why?"]
        assert changed.revision == 2
        assert "Why?" in screen_text(app)
        await pilot.press("r")
        assert isinstance(app.screen, RevisionsWindow)
        await pilot.press("j", "enter")
        again = examples.get(app.store, 1)
        assert again.revision == 3
        assert again.messages == examples.get(app.store, 1, 1).messages


async def test_turns_are_added_moved_through_and_removed(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "e", "f3")
        assert "[1 user] 2 assistant" in screen_text(app)
        await pilot.press("f5", "f4", "f9")
        assert "[1 assistant]" in screen_text(app)
        await pilot.press("f9")
        assert "A conversation needs a turn." in screen_text(app)
        await pilot.press("f2")
        assert examples.get(app.store, 1).messages == [{"role": "assistant", "content": "Where is my book 1?"}]


async def test_an_unchanged_edit_saves_nothing_even_of_hostile_text(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", *"j" * WITH_REPLIES)
        for number in range(WITH_REPLIES + 1, WITH_REPLIES + 1 + len(HOSTILE)):
            await pilot.press("e")
            text = screen_text(app)
            assert not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0]
            await pilot.press("f3", "f2", "j")
            assert examples.get(app.store, number).revision == 1


async def test_filters_by_split_and_flag(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "s", "s")
        await until(pilot, lambda: "1/3 of 18 examples" in screen_text(app))
        await pilot.press("f", "F")
        await until(pilot, lambda: "1/1 of 18 examples" in screen_text(app))
        assert "query: split:validation has:flag" in screen_text(app)
        await pilot.press("escape")
        assert "18 examples" in screen_text(app)
        await pilot.press("slash", *"order 5", "enter")
        await until(pilot, lambda: "1/1 of 18 examples" in screen_text(app))


async def test_a_model_that_is_not_there_is_named(project: Project, filled: Project) -> None:
    file = filled.folder / "studio.toml"
    file.write_text(file.read_text().replace('"smollm2"', '"no-such-model"'))
    from studio.project import open_project

    app = StudioApp(open_project(filled.folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "v")
        await until(pilot, lambda: "There is no model 'no-such-model'." in screen_text(app))


async def test_a_tokenizer_that_is_not_prepared_is_prepared_by_a_key(
    filled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready: list[str] = []
    monkeypatch.setattr("studio.models.has_tokenizer", lambda model: bool(ready))
    monkeypatch.setattr("studio.models.prepare", lambda model, part, **_: ready.append(model.name))
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "v")
        await until(pilot, lambda: "Press p to prepare it" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: bool(ready))


@pytest.mark.model
async def test_text_and_tokens_are_those_of_training(filled: Project, base_model: object) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "v")
        await until(pilot, lambda: "<|im_start|>user" in screen_text(app))
        assert "37 prompt, 12 trained" in screen_text(app)
        await pilot.press("v")
        await until(pilot, lambda: "<|im_start|>|user|" in screen_text(app))
        assert "\N{MIDDLE DOT}book|" in screen_text(app)
        assert isinstance(app.screen, ExamplesScreen)
        trained = [s for line in app.screen.detail._lines for s in line if s[1].bold and s[1].underline]
        assert trained[0][0] == "It"
        assert trained[-1][0] == "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"


@pytest.mark.model
async def test_every_hostile_example_renders(filled: Project, base_model: object) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "v", "v", *"j" * WITH_REPLIES)
        for number in range(WITH_REPLIES + 1, WITH_REPLIES + 1 + len(HOSTILE)):
            here = re.compile(rf"prompt, [\d,]+ trained(, [\d,]+ cut)?  \|  example {number}\b")
            await until(pilot, lambda here=here: bool(here.search(screen_text(app))))
            text = screen_text(app)
            assert not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0]
            await pilot.press("j")


async def test_what_was_remarked_on_the_replies_is_shown(filled: Project, store: Store) -> None:
    verdict = current_verdicts(store)[0]
    journal.comment(store, verdict.pair_id, "[b]kinder[/b] \x1b[31m", rater="Ada")
    example_id = pairs.get(store, verdict.pair_id).example_id
    app = StudioApp(filled)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        screen = app.screen
        assert isinstance(screen, ExamplesScreen)
        screen.go_to(example_id)
        remark = "Ada remarked: [b]kinder[/b] \N{SYMBOL FOR ESCAPE}[31m"
        await until(pilot, lambda: remark in screen.detail.plain)
