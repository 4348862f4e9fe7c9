"""The shell: areas, help, palette, changed keys, leaving."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from reading import screen_text, until
from textual.command import CommandPalette
from textual.widgets import Input

from screens.app import StudioApp
from screens.dialogs import Confirm
from screens.editor import ConversationEditor
from screens.help import HelpScreen
from screens.keys import GROUPS, keymap_problems
from screens.welcome import WelcomeApp
from screens.widgets.bars import shown_keys
from screens.widgets.table import RecordTable
from store import examples
from studio.preferences import Preferences, read_preferences, save_theme
from studio.project import Project, is_project

FORBIDDEN = {"torch", "transformers", "trl", "datasets", "peft", "llama_cpp", "sqlite_utils"}


async def test_digits_switch_areas_and_the_last_one_is_remembered(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "[1 Data]" in screen_text(app)
        await pilot.press("2")
        assert "[2 Examples]" in screen_text(app)
        await pilot.press("j", "j", "q")
    again = StudioApp(filled)
    async with again.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "[2 Examples]" in screen_text(again)
        assert "3/18 examples" in screen_text(again)


async def test_help_lists_the_keys_of_the_screen_and_of_everywhere(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = screen_text(app)
        assert "Import a file" in text
        assert "data.import" in text
        assert "Go to Compare" in text
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_palette_offers_the_actions_of_the_screen(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"approve")
        await until(pilot, lambda: "Approve, or make" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: examples.get(app.store, 1).status == "approved")


async def test_a_changed_key_works_in_place_of_the_old_one(filled: Project) -> None:
    settings = dataclasses.replace(filled.settings, keys={"item.flag": "m,ctrl+f"})
    app = StudioApp(dataclasses.replace(filled, settings=settings), Preferences(keys={"item.flag": "z"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "f")
        assert not examples.get(app.store, 1).flagged
        await pilot.press("m")
        assert examples.get(app.store, 1).flagged
        assert ("m", "Flag") in shown_keys(app.screen)


def test_changed_keys_are_checked() -> None:
    assert keymap_problems({}) == []
    assert keymap_problems({"item.flag": "Z"}) == []
    assert "Did you mean 'item.flag'?" in keymap_problems({"item.flga": "m"})[0]
    assert any("'x'" in problem for problem in keymap_problems({"item.flag": "x"}))


def test_every_key_has_a_name_to_change_it_by_and_one_use_in_its_place() -> None:
    for group in GROUPS.values():
        assert all(getattr(binding, "id", None) and getattr(binding, "tooltip", "") for binding in group)
    assert keymap_problems({b.id: b.key for b in GROUPS["Data"] if b.id}) == []  # type: ignore[union-attr]


async def test_leaving_asks_only_where_something_would_be_lost(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "e")
        assert isinstance(app.screen, ConversationEditor)
        await pilot.press("!", "ctrl+q")
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape")
        assert isinstance(app.screen, ConversationEditor)
        await pilot.press("escape", "enter")
        assert examples.get(app.store, 1).revision == 1
        await pilot.press("q")
        assert app.return_code == 0


async def test_keys_of_a_text_field_are_not_taken_for_commands(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", "q", "2", "question_mark")
        assert app.screen.query_one(Input).value == "q2?"
        assert "/" not in [key for key, _ in shown_keys(app.screen)]


async def test_small_screens_show_something_useful(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("2", "1")
        assert "[1 Data]" in screen_text(app)
        assert "? help" in screen_text(app)


async def test_lists_move_by_the_keys_that_people_know(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        table = app.screen.query_one(RecordTable)
        for keys, cursor in (("j", 1), ("down", 2), ("k", 1), ("G", 17), ("home", 0), ("end", 17)):
            await pilot.press(keys)
            assert table.cursor == cursor
        in_sight = table.size.height - 1
        await pilot.press("ctrl+u", "g")
        assert table.cursor == 17 - in_sight // 2
        await pilot.press("g", "pagedown")
        assert table.cursor == in_sight
        await pilot.press("home", "space", "space")
        assert table.selected == {table.ids[0], table.ids[1]}


async def test_welcome_makes_an_empty_project(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    app = WelcomeApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "There is no project" in screen_text(app)
        await pilot.press("n")
    assert app.return_value == folder
    assert is_project(folder)


def test_preferences_keep_a_theme_beside_what_the_user_wrote(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert read_preferences(path) == Preferences()
    path.write_text('# mine\n[keys]\n"item.flag" = "m"\n')
    save_theme("nord", path)
    assert read_preferences(path) == Preferences("nord", {"item.flag": "m"})
    assert "# mine" in path.read_text()


def test_the_app_imports_no_machine_learning(filled: Project) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from screens.app import StudioApp, SCREENS_OF_AREAS
from studio.project import open_project

async def visit():
    app = StudioApp(open_project(Path({str(filled.folder)!r})))
    async with app.run_test(size=(80, 24)) as pilot:
        for digit in range(1, len(SCREENS_OF_AREAS) + 1):
            await pilot.press(str(digit))
            await pilot.pause()

asyncio.run(visit())
print(sorted({FORBIDDEN!r} & sys.modules.keys()))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_no_color_needs_no_colour(
    filled: Project, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = StudioApp(filled)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert app.theme == "ansi-dark"
        assert "[1 Data]" in screen_text(app)
        assert "\n>        1      Order 1" in screen_text(app)


async def test_a_terminal_that_is_too_small_says_so_and_comes_back(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        for size in ((30, 24), (80, 8)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert f"This terminal is {size[0]}x{size[1]}"[: size[0]] in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "This terminal is" not in screen_text(app)
        assert "Order 2" in screen_text(app)
