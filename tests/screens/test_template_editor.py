"""The template editor: live preview on real records, errors with their place, versions, and applying."""

from reading import screen_text, until
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.template_editor import TemplateEditor
from screens.template_plan import PlanWindow
from screens.template_versions import VersionsWindow
from store import examples
from studio.project import Project, open_project
from studio.settings import TemplateSettings, TurnTemplate
from studio.templating import versions
from studio.templating.saving import save_in_settings

TEMPLATE = TemplateSettings(
    name="letters",
    turns=(TurnTemplate("user", "Re: {{ subject }}\n{{ body }}"), TurnTemplate("assistant", "Dear reader")),
)


async def opened(pilot: Pilot[None]) -> TemplateEditor:
    """Open the editor on the first record, and wait for its preview."""
    await pilot.press("1")
    await pilot.pause()
    await pilot.press("g", "g", "T")
    await until(pilot, lambda: isinstance(pilot.app.screen, TemplateEditor))
    editor = pilot.app.screen
    assert isinstance(editor, TemplateEditor)
    await until(pilot, lambda: bool(editor.preview.plain))
    return editor


def app_of(project: Project) -> StudioApp:
    return StudioApp(save_in_settings(project, TEMPLATE))


async def sees(pilot: Pilot[None], text: str) -> None:
    """Wait until a text is on the screen."""
    await until(pilot, lambda: text in screen_text(pilot.app), seconds=20)


async def test_the_preview_follows_what_is_typed_and_names_mistakes(filled) -> None:
    async with app_of(filled).run_test(size=(80, 24)) as pilot:
        editor = await opened(pilot)
        await sees(pilot, "user: Re: Order 1")
        await pilot.press("X")
        await sees(pilot, "user: XRe: Order 1")
        editor.texts.area.load_text("a\n{{ boddy }}")
        await sees(pilot, "1 user, line 2, column 4: there is no field 'boddy'; did you mean 'body'?")
        editor.texts.area.load_text("{{ body")
        await sees(pilot, "1 user, line 1, column 4: not valid Jinja")
        editor.texts.area.load_text("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}")
        await sees(pilot, "goes round more than 100,000 times")
        await pilot.press("f3", "f5")
        await sees(pilot, "[2 tool]")


async def test_records_are_walked_through_and_those_that_fail_are_found(filled) -> None:
    async with app_of(filled).run_test(size=(150, 40)) as pilot:
        await opened(pilot)
        await sees(pilot, "letters.jsonl:1 ")
        await pilot.press("ctrl+n")
        await sees(pilot, "letters.jsonl:2 ")
        await sees(pilot, "user: Re: Order 2")
        await pilot.press("ctrl+t")
        await sees(pilot, "hostile.jsonl:1 ")
        await sees(pilot, "there is no field 'subject'")
        await pilot.press("ctrl+o")
        await sees(pilot, "letters.jsonl:13 ")
        await sees(pilot, "could not be read")


async def test_a_field_is_inserted_and_parts_are_added_and_removed(filled) -> None:
    async with app_of(filled).run_test(size=(80, 24)) as pilot:
        editor = await opened(pilot)
        await pilot.press("ctrl+g")
        await sees(pilot, "{{ body }}")
        await pilot.press("2")
        await until(pilot, lambda: editor.texts.area.text.startswith("{{ body }}"))
        await pilot.press("f8", "2")
        await sees(pilot, "[system]")
        await pilot.press(*"Hi")
        await sees(pilot, "system: Hi")
        await pilot.press("f9")
        await until(pilot, lambda: "system" not in screen_text(pilot.app))
        await pilot.press("f8", "3")
        await sees(pilot, "Id of the example")
        await pilot.press("2", "enter")
        await sees(pilot, "[few-shot 1]")
        await sees(pilot, "It is on its way, number 2.")


async def test_it_is_saved_as_a_version_and_in_the_settings_after_saying_so(filled, store) -> None:
    async with app_of(filled).run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("X")
        await sees(pilot, "(not saved)")
        await pilot.press("f2")
        await sees(pilot, "studio.toml will say it")
        await pilot.press("enter")
        await sees(pilot, "(saved)")
        [version] = versions.of_project(store)
        assert version.template.turns[0].content.startswith("XRe:")
        assert open_project(filled.folder).settings.template == version.template
        await pilot.press("Y", "escape")
        await sees(pilot, "is not saved. Leave without it?")
        await pilot.press("escape", "ctrl+a")
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(pilot.app.screen, VersionsWindow))
        await sees(pilot, "+content")
        await pilot.press("v")
        await sees(pilot, "The first of its name")
        await pilot.press("enter")
        await sees(pilot, "(saved)")


async def test_applying_shows_the_plan_and_both_sides_of_an_edit_first(filled, store) -> None:
    examples.revise(store, 2, [{"role": "user", "content": "mended by hand"}])
    async with app_of(filled).run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("f7")
        await sees(pilot, "the records of letters.jsonl")
        await pilot.press("1")
        await sees(pilot, "11 examples change")
        assert isinstance(pilot.app.screen, PlanWindow)
        await sees(pilot, "1 edited by hand and different")
        await sees(pilot, "keep edit  example 2")
        await sees(pilot, "- user: mended by hand")
        await sees(pilot, "+ user: Re: Order 2")
        await pilot.press("x")
        await sees(pilot, "template   example 2")
        await sees(pilot, "1 of them over edits")
        await pilot.press("x")
        await sees(pilot, "11 examples get a new revision.")
        await pilot.press("f2")
        await sees(pilot, "Applied: 11 examples changed")
        assert examples.get(store, 1).messages[0]["content"].startswith("Re: Order 1")
        assert examples.get(store, 2).messages[0]["content"] == "mended by hand"
        await pilot.press("f10")
        await sees(pilot, "letters:1")
        await pilot.press("b", "enter")
        await sees(pilot, "11 examples say again")
        assert examples.get(store, 1).messages[0]["content"] == "Where is my book 1?"


async def test_a_project_without_a_template_begins_with_one_for_its_rows(filled) -> None:
    async with StudioApp(filled).run_test(size=(80, 24)) as pilot:
        editor = await opened(pilot)
        await until(pilot, lambda: "{{ body }}" in editor.texts.area.text)
        await pilot.press("ctrl+r")
        await sees(pilot, "Begin with")
        await pilot.press("escape")
        await sees(pilot, "(new)")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, TemplateEditor))


async def test_hostile_records_are_shown_as_signs(filled, store) -> None:
    everything = TemplateSettings(name="[/INST]\x1b[31m", turns=(TurnTemplate("user", "{{ name }} {{ text }}"),))
    async with StudioApp(save_in_settings(filled, everything)).run_test(size=(80, 24)) as pilot:
        editor = await opened(pilot)
        for number in range(14, 19):
            editor._go_to(number)
            await sees(pilot, f"hostile.jsonl:{number - 13} ")
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            assert "\x1b" not in screen_text(pilot.app)
            assert "\u202e" not in screen_text(pilot.app)


async def test_it_opens_from_an_example_on_its_record(filled) -> None:
    async with app_of(filled).run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        await pilot.press("g", "g", "j", "T")
        await sees(pilot, "letters.jsonl:2 ")
