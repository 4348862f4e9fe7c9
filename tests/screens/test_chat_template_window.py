"""The chat template's window: where it is from, its traps, and another in its place."""

import sys
from pathlib import Path

import pytest
from reading import screen_text, until
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.chat_template_window import ChatTemplateWindow, TemplateText
from screens.widgets.safe_text_area import SafeTextArea
from studio.chat_templates import set_override
from studio.models import BaseModel
from studio.project import Project, open_project


async def opened(pilot: Pilot[None], app: StudioApp) -> None:
    app.push_screen(ChatTemplateWindow())
    await until(pilot, lambda: "template from" in screen_text(app))


async def test_another_is_written_and_taken_back(filled: Project, base_model: BaseModel) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        assert "warning: default-system" in screen_text(app)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TemplateText))
        area = app.screen.query_one(SafeTextArea)
        own = area.text
        area.text = own + "\n{% if %}"
        await pilot.press("f2")
        await until(pilot, lambda: "is not valid Jinja" in screen_text(app))
        area.text = own.replace("You are a helpful AI assistant named SmolLM, trained by Hugging Face", "Be brief")
        await pilot.press("f2")
        await until(pilot, lambda: "of the project" in screen_text(app))
        assert "'Be brief'" in screen_text(app)
        assert open_project(filled.folder).settings.chat_template == "chat_template.jinja"
        await pilot.press("m", "enter")
        await until(pilot, lambda: "template from the GGUF" in screen_text(app))
    assert open_project(filled.folder).settings.chat_template == ""


async def test_what_was_written_is_not_lost_unasked(filled: Project, base_model: BaseModel) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TemplateText))
        await pilot.press("x", "escape")
        await until(pilot, lambda: "Leave without it?" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TemplateText))
        assert app.screen.query_one(SafeTextArea).text.startswith("x")


async def test_a_mistake_that_was_written_in_ones_own_editor_is_mended_here(
    filled: Project, base_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "editor"
    script.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'w').write('long work {{% if %}}')")
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("ctrl+e")
        await until(pilot, lambda: "is not valid Jinja" in screen_text(app))
        area = app.screen.query_one(SafeTextArea)
        await pilot.press("escape")
        await until(pilot, lambda: "Leave without it?" in screen_text(app))
        await pilot.press("escape")
        area.text = area.text.removesuffix("{% if %}") + "{{ messages[0].content }}"
        await pilot.press("f2")
        await until(pilot, lambda: "of the project" in screen_text(app))
    assert (filled.folder / "chat_template.jinja").read_text() == "long work {{ messages[0].content }}"


async def test_an_override_whose_file_is_gone_is_left_with_a_key(filled: Project, base_model: BaseModel) -> None:
    project = set_override(filled, "{{ messages }}")
    (filled.folder / "chat_template.jinja").unlink()
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ChatTemplateWindow())
        await until(pilot, lambda: "Put the file back" in screen_text(app))
        await pilot.press("m", "enter")
        await until(pilot, lambda: "template from the GGUF" in screen_text(app))
    assert open_project(filled.folder).settings.chat_template == ""
