"""Exporting by keys: the format, the part, the file, and the report of what was left out."""

import re
from pathlib import Path

import orjson
from reading import screen_text, until
from textual.widgets import Input

from screens.app import StudioApp
from screens.export_data import ExportWindow
from studio.project import Project


def unwrapped(app: StudioApp) -> str:
    """Return what is on the screen, however its sentences are wrapped in their window."""
    return re.sub(r"[\s\u2502]+", " ", screen_text(app))


async def test_pairs_are_exported_from_any_area(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("E", "1")
        await until(pilot, lambda: isinstance(app.screen, ExportWindow))
        await pilot.press("enter")
        await until(pilot, lambda: "Not written yet" in screen_text(app))
        assert '"chosen": [' in screen_text(app)
        assert not filled.exports.joinpath("trl-preference.jsonl").exists()
        await pilot.press("enter")
        await until(pilot, lambda: "Written" in screen_text(app))
        assert "Manifest:" in screen_text(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, ExportWindow)
    out = filled.exports / "trl-preference.jsonl"
    rows = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert {frozenset(row) for row in rows} == {frozenset({"prompt", "chosen", "rejected"})}


async def test_what_stands_in_the_way_is_said_and_the_window_stays(filled: Project, tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text("precious", encoding="utf-8")
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("E", "2")
        await until(pilot, lambda: isinstance(app.screen, ExportWindow))
        app.screen.query_one("#path", Input).value = str(mine)
        await pilot.press("f3", "enter")
        await until(pilot, lambda: "is there already" in unwrapped(app))
        assert "Export trl-sft, train" in screen_text(app)
        assert "Written" not in screen_text(app)
        app.screen.query_one("#path", Input).value = ""
        await pilot.press("f5")
        assert "Name the file to write." in screen_text(app)
        app.screen.query_one("#path", Input).value = str(tmp_path / "rows.jsonl")
        await pilot.press("enter")
        await until(pilot, lambda: "Not written yet" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Written" in screen_text(app))
    assert mine.read_text(encoding="utf-8") == "precious"
    assert (tmp_path / "rows.jsonl").is_file()
