"""The windows that a new run is looked at in: its plan, what is chosen from, and what other tools get."""

from threading import Event
from typing import Any

import pytest
from reading import screen_text, until

from screens import plan_window, written_out
from screens.app import StudioApp
from screens.background import in_background
from screens.choose import ChooseLine
from screens.new_run import NewRun
from screens.plan_window import PlanWindow
from screens.widgets.table import RecordTable
from screens.widgets.text_view import Span
from screens.written_out import WrittenOut
from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.training import plan
from studio.training.elsewhere.written import Written
from studio.training.plan import Plan
from studio.training.plan.facts import Change, Memory, Part, Rows
from studio.training.recipe import Method, as_table, make_recipe


def planned(overrides: list[str], memory: Memory | None, *changes: Change) -> Plan:
    """What a plan came to, in the parts that the window looks at."""
    rows = Rows(train=6, held_out=0, left_out={}, kept=6)
    table = as_table(make_recipe("dpo", overrides))
    return Plan(
        "dpo", "smollm2", None, tuple(overrides), table, "processor", "fp32", rows, (), 3, 8, memory, tuple(changes)
    )


async def test_a_batch_of_the_recipe_before_is_not_shown_as_that_of_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_built = Event()

    def make(_project: Project, _store: Store, _method: Method, overrides: list[str], *_: Any, **__: Any) -> Plan:
        changes = [] if overrides else [Change(("batch_size=1",), "less at once", 100)]
        return planned(overrides, None, *changes)

    def first_batch(_project: Project, run: NewRun, _store: Store) -> Any:
        if not run.overrides:
            is_built.wait(10)
        return run.overrides, None

    monkeypatch.setattr(plan, "make", make)
    monkeypatch.setattr(plan_window, "_first_batch", first_batch)
    monkeypatch.setattr(plan_window, "batch_spans", lambda batch, *_, **__: [Span(f"the batch of {batch}")])
    app = StudioApp(project)
    async with app.run_test() as pilot:
        window = PlanWindow(NewRun("dpo", "smollm2", [], None))
        app.push_screen(window)
        await pilot.pause()
        await until(pilot, lambda: "6 rows to train on" in window.view.plain)
        await pilot.press("v", "v", "f")
        await until(pilot, lambda: "6 rows to train on" in window.view.plain)
        is_built.set()
        await app.workers.wait_for_complete([w for w in app.workers if w.group == "batch"])
        await pilot.press("v")
        await until(pilot, lambda: "the batch of" in window.view.plain)
        assert window.view.plain.startswith("the batch of ['batch_size=1']")


@pytest.mark.parametrize(
    ("needed", "words"),
    [(1, "it fits as it is"), (9, "nothing is left to change that would help"), (None, "is not known")],
)
async def test_why_there_is_nothing_to_change_is_said_as_it_is(
    project: Project, monkeypatch: pytest.MonkeyPatch, needed: int | None, words: str
) -> None:
    memory = None if needed is None else Memory("memory", (Part("activations", needed),), needed, 3)
    monkeypatch.setattr(plan, "make", lambda *_, **__: planned([], memory))
    app = StudioApp(project)
    async with app.run_test(notifications=True) as pilot:
        window = PlanWindow(NewRun("dpo", "smollm2", [], None))
        app.push_screen(window)
        await pilot.pause()
        await until(pilot, lambda: "6 rows to train on" in window.view.plain)
        await pilot.press("f")
        await until(pilot, lambda: words in noted(app))


async def test_a_plan_that_failed_is_not_said_to_be_coming(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(*_: Any, **__: Any) -> Plan:
        raise StudioError("No plan of this.")

    monkeypatch.setattr(plan, "make", make)
    app = StudioApp(project)
    async with app.run_test(notifications=True) as pilot:
        window = PlanWindow(NewRun("dpo", "smollm2", [], None))
        app.push_screen(window)
        await pilot.pause()
        await until(pilot, lambda: "No plan of this." in window.view.plain)
        for key in ("f", "enter"):
            await pilot.press(key)
            assert "There is no plan" in noted(app)
            assert "not there yet" not in noted(app)


async def test_what_comes_of_work_that_was_asked_for_again_is_not_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, is_asked_again, is_over, told = Event(), Event(), Event(), []

    def first(_: Store) -> str:
        has_begun.set()
        is_asked_again.wait(10)
        return "first"

    def call_later(*args: Any) -> bool:
        is_taken = ChooseLine.call_later(window, *args)
        if "first" in args:
            is_over.set()
        return is_taken

    app = StudioApp(project)
    async with app.run_test() as pilot:
        window = ChooseLine("Which", ["one"])
        app.push_screen(window)
        await pilot.pause()
        monkeypatch.setattr(window, "call_later", call_later)
        in_background(window, first, told.append, group="asked", exclusive=True)
        await until(pilot, has_begun.is_set)
        in_background(window, lambda _: "second", told.append, group="asked", exclusive=True)
        await until(pilot, lambda: bool(told))
        is_asked_again.set()
        await until(pilot, is_over.is_set)
        await pilot.pause()
    assert told == ["second"]


async def test_a_long_list_fits_into_a_low_terminal(project: Project) -> None:
    app = StudioApp(project)
    async with app.run_test(size=(60, 24)) as pilot:
        app.push_screen(ChooseLine("Which", [f"line {n}." for n in range(1, 31)]))
        await pilot.pause()
        assert "16 line 16." in screen_text(app)
        await pilot.resize_terminal(60, 10)
        await pilot.press("G")
        await pilot.pause()
        assert "30 line 30." in screen_text(app)
        assert app.screen.query_one(RecordTable).outer_size.height == 8


async def test_what_can_not_be_written_out_says_so(project: Project) -> None:
    app = StudioApp(project)
    async with app.run_test() as pilot:
        window = WrittenOut(NewRun("dpo", "nowhere/at-all", [], None), "toml")
        app.push_screen(window)
        await pilot.pause()
        await until(pilot, lambda: "gathering" not in window.view.plain)
        assert "nowhere/at-all" in window.view.plain
        await pilot.press("f2")
        assert "There is nothing to write" in str(window.said.content)


async def test_it_is_written_out_once_at_a_time(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    is_written, saved = Event(), []

    def save(*_: Any) -> str:
        saved.append(1)
        is_written.wait(10)
        return "all of it written"

    monkeypatch.setattr(written_out, "_written", lambda *_: Written("run.toml", "the text", [], ""))
    monkeypatch.setattr(written_out, "_save", save)
    app = StudioApp(project)
    async with app.run_test() as pilot:
        window = WrittenOut(NewRun("dpo", "smollm2", [], None), "toml")
        app.push_screen(window)
        await pilot.pause()
        await until(pilot, lambda: window.view.plain == "the text")
        await pilot.press("f2", "f2")
        is_written.set()
        await until(pilot, lambda: "all of it written" in str(window.said.content))
        assert len(saved) == 1
        window.folder.value = ""
        await pilot.press("f2")
        assert "It needs a folder" in str(window.said.content)


def noted(app: StudioApp) -> str:
    """All that was said in notes."""
    return "\n".join(note.message for note in app._notifications)
