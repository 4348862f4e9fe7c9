"""Editing on the Examples screen: turns here and outside, responses, prompts that were judged, revisions."""

import sys
from pathlib import Path

import pytest
from letters import turns
from reading import screen_text, until
from textual.widgets import TextArea

from screens.app import StudioApp
from screens.choose import ChooseLine
from screens.dialogs import Confirm
from screens.editor import ConversationEditor
from screens.examples import ExamplesScreen
from screens.revisions import RevisionsWindow
from store import examples, pairs, responses
from store.database import Store
from studio.project import Project

WITH_REPLIES = 13
CALL: examples.Message = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Köln", "days": 2}}}],
}
RESULT: examples.Message = {"role": "tool", "name": "weather", "content": '{"rain": true}'}


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An editor that does what stands in this file as Python, with the edited file as `file`."""
    does, script = tmp_path / "does.py", tmp_path / "editor"
    does.write_text("")
    script.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\nfile = Path(sys.argv[-1])\n"
        f"exec(Path({str(does)!r}).read_text())"
    )
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    return does


def contents(store: Store, number: int) -> list[str | None]:
    return [message.get("content") for message in examples.get(store, number).messages]


def add(store: Store, *messages: examples.Message) -> int:
    return examples.add(store, record_id=None, messages=list(messages), split="train")


async def test_calls_of_tools_and_their_results_are_readable(project: Project, store: Store) -> None:
    asked = {"role": "user", "content": "Is it wet?"}
    tools = [{"type": "function", "function": {"name": "weather"}}, {"name": "time"}]
    examples.add(store, record_id=None, messages=[asked, CALL, RESULT], split="train", tools=tools)
    app = StudioApp(project)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press("2")
        text = screen_text(app)
        assert "may call: weather, time" in text
        assert ' assistant\n calls weather\n   city: "Köln"\n   days: 2\n' in text
        assert ' tool weather\n {\n   "rain": true\n }' in text


async def test_a_turn_is_edited_in_the_users_own_editor(filled: Project, editor: Path) -> None:
    editor.write_text("file.write_text(file.read_text().replace('way', 'long way') + '\\n')")
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "e", "ctrl+o", "f2")
        assert contents(app.store, 1) == ["Where is my book 1?", "It is on its long way, number 1."]


async def test_the_whole_conversation_is_edited_in_the_users_own_editor(filled: Project, editor: Path) -> None:
    number = add(filled.open_store(), {"role": "user", "content": "Wet?"}, CALL, RESULT)
    editor.write_text(
        "file.write_text(file.read_text().replace('Köln', 'Bonn').replace('===== end', '===== user\\nAnd?'))"
    )
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "G", "e", "ctrl+g")
        assert "1 user  2 assistant [3 tool] 4 user" in screen_text(app)
        await pilot.press("f2")
        changed = examples.get(app.store, number).messages
        assert changed[1]["tool_calls"][0]["function"]["arguments"] == {"city": "Bonn", "days": 2}
        assert changed[2:] == [RESULT, {"role": "user", "content": "And?"}]


async def test_a_mistake_in_the_whole_conversation_is_named_and_nothing_is_lost(filled: Project, editor: Path) -> None:
    editor.write_text("file.write_text(file.read_text().replace('assistant', 'asistant').replace('way', 'bike'))")
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "e", "ctrl+g")
        assert "Line 3: 'asistant' does not speak." in screen_text(app)
        await pilot.press("f2")
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape")
        editor.write_text("file.write_text(file.read_text().replace('asistant', 'assistant'))")
        await pilot.press("ctrl+g", "f2")
        assert contents(app.store, 1) == ["Where is my book 1?", "It is on its bike, number 1."]


async def test_an_editor_that_fails_leaves_the_conversation_as_it_was(filled: Project, editor: Path) -> None:
    editor.write_text("sys.exit(2)")
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("2", "e", "ctrl+o")
        await until(pilot, lambda: "ended with status 2" in screen_text(app))
        await pilot.press("f2")
        assert examples.get(app.store, 1).revision == 1


async def test_a_turn_changes_places(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "e", "ctrl+n")
        assert "It is the last turn." in screen_text(app)
        await pilot.press("ctrl+t")
        assert "[1 assistant] 2 user" in screen_text(app)
        await pilot.press("ctrl+n", "ctrl+t", "f2")
        assert contents(app.store, 1) == ["It is on its way, number 1.", "Where is my book 1?"]


async def test_line_ends_of_other_kinds_stay_where_nothing_was_typed(filled: Project, store: Store) -> None:
    odd = "a\r\nb\nc\x0bd\u2028e"
    number = add(store, *turns(odd, odd))
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "G", "e")
        assert "Its special line ends become plain ones" in screen_text(app)
        await pilot.press("f3", "f3", "f2")
        assert examples.get(store, number).revision == 1
        await pilot.press("e", *"Oh ", "f2")
        assert contents(store, number)[0] == odd
        assert (contents(store, number)[1] or "").startswith("Oh a")


@pytest.mark.parametrize("long", ["x" * 1_000_000, "line\n" * 40_000], ids=["a line", "lines"])
async def test_a_very_long_turn_is_left_to_the_users_own_editor(
    project: Project, store: Store, editor: Path, long: str
) -> None:
    number = add(store, *turns("Why?", long))
    editor.write_text("file.write_text(file.read_text() + 'end')")
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "e", "z")
        assert f"{len(long):,} characters are too many to be edited here" in screen_text(app)
        assert len(app.screen.query_one(TextArea).text) < 10_000
        await pilot.press("f3", "f3", "f2")
        assert examples.get(store, number).revision == 1
        await pilot.press("e", "ctrl+o", "f2")
        await until(pilot, lambda: examples.get(store, number).revision == 2)
        assert contents(store, number)[1] == f"{long}end"


async def test_editing_a_response_makes_another_and_leaves_the_judged_one(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", *"j" * (WITH_REPLIES - 1), "n", "e")
        assert isinstance(app.screen, ChooseLine)
        await pilot.press("1", *"Sorry: ", "f2")
        made = responses.of_example(app.store, WITH_REPLIES)
        assert [r.messages[0]["content"] for r in made] == ["Yes, within 30 days.", "No.", "Sorry: No."]
        assert (made[2].parent_id, made[2].origin) == (made[1].id, "human")
        assert pairs.counts(app.store)["pairs"] == 2
        assert examples.get(app.store, WITH_REPLIES).revision == 1
        await pilot.pause()
        assert "response 3 of 3" in screen_text(app)


async def test_a_response_has_to_end_with_an_answer(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", *"j" * (WITH_REPLIES - 1), "e", "1", "f8", *"Why?", "f2")
        assert isinstance(app.screen, ConversationEditor)
        assert "1 assistant [2 user]" in screen_text(app)
        await pilot.press("f9", *"Well: ", "f2")
        assert len(responses.of_example(app.store, WITH_REPLIES)) == 3


async def test_a_new_prompt_under_a_verdict_is_saved_after_a_question(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", *"j" * (WITH_REPLIES - 1), "e", "2", *"Now: ", "f2")
        assert isinstance(app.screen, Confirm)
        assert "One verdict was given on the replies to the old prompt" in screen_text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, ConversationEditor)
        assert app.screen.unsaved
        await pilot.press("f2", "enter")
        assert contents(app.store, WITH_REPLIES) == ["Now: Can I return it?"]
        assert pairs.counts(app.store)["left"] + pairs.counts(app.store).get("right", 0) == 1


async def test_a_prompt_that_another_split_has_too_is_warned_of(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        assert (examples.get(app.store, 1).split, examples.get(app.store, 3).split) == ("train", "test")
        await pilot.press("2", "e", "f3", "end", "left", "backspace", "3", "f2")
        await until(pilot, lambda: any("Its prompt is in test too" in n.message for n in app._notifications))


async def test_what_came_from_elsewhere_meanwhile_is_told_and_kept(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await pilot.press("2", "e", "X")
        with filled.open_store() as other:
            examples.revise(other, 1, turns("Where is my book 1?", "Mended."), origin="template")
        await pilot.press("f2")
        await until(pilot, lambda: any("Revision 2 came from elsewhere" in n.message for n in app._notifications))
        assert contents(app.store, 1)[1] == "XIt is on its way, number 1."
        assert examples.get(app.store, 1, 2).messages[1]["content"] == "Mended."


async def test_a_new_example_that_can_not_be_saved_stays_in_the_editor(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await pilot.press("2", "b", "1", "X", "y")
        away = filled.database.with_name("away.db")
        filled.database.rename(away)
        await pilot.press("f2")
        await until(pilot, lambda: any("nothing can be saved" in n.message for n in app._notifications))
        assert isinstance(app.screen, ConversationEditor)
        assert app.screen.unsaved
        away.rename(filled.database)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen))
        assert contents(app.store, max(examples.span(app.store)))[0] == "Xy"


async def test_revisions_are_compared_and_one_comes_back(filled: Project) -> None:
    app = StudioApp(filled)
    examples.revise(app.store, 1, turns("Where is my book 1?", "It is lost, number 1."))
    examples.revise(app.store, 1, turns("Where is it?", "It is lost, number 1."), origin="template")
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("2", "r")
        assert isinstance(app.screen, RevisionsWindow)
        text = screen_text(app)
        assert "Revision 3: what it changed" in text
        assert "- Where is my book 1?" in text
        assert "+ Where is it?" in text
        await pilot.press("j")
        assert "- It is on its way, number 1." in screen_text(app)
        await pilot.press("j")
        assert "It is the first." in screen_text(app)
        await pilot.press("v")
        text = screen_text(app)
        assert "what the newest has instead" in text
        assert "+ It is lost, number 1." in text
        await pilot.press("v")
        assert "assistant: It is on its way, number 1." in screen_text(app)
        await pilot.press("enter")
        newest = examples.get(app.store, 1)
        assert (newest.revision, newest.messages) == (4, examples.get(app.store, 1, 1).messages)
        assert isinstance(app.screen, ExamplesScreen)
        assert "revision 4" in screen_text(app)
