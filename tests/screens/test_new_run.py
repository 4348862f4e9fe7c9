"""The form for a new run: what follows from what is written, what is wrong with it, and what it gives."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from reading import screen_text, until
from run_forms import add_judged_pairs, shown
from test_screen_snapshots import check
from textual.pilot import Pilot
from textual.widgets import Input

from screens import new_run
from screens.app import StudioApp
from screens.choose import ChooseLine
from screens.new_run import NewRun, NewRunForm
from screens.plan_window import PlanWindow
from screens.recipe_draft import RecipeDraft
from screens.recipe_form import FoldedGroup
from screens.widgets.text_view import TextView
from screens.written_out import WrittenOut
from store import examples, responses, runs, snapshots
from store.database import Store
from store.runs import Run
from store.snapshots import Snapshot
from studio.checks.settings import Check
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project
from studio.training import plan
from studio.training.folder import RunFolder
from studio.training.plan import Plan, fitting
from studio.training.plan.facts import Memory, Part, Rows
from studio.training.recipe import Method, Recipe, as_table, make_recipe, settings


@dataclass
class Opened:
    """The form, and what it gave."""

    pilot: Pilot[None]
    form: NewRunForm
    given: list[NewRun | None] = field(default_factory=list)

    def field(self, name: str) -> Input:
        return self.form.query_one(f"#{name}", Input)

    @property
    def settings(self) -> set[str | None]:
        return {each.id for each in self.form.recipe.query(Input)}

    async def write(self, name: str, text: str) -> None:
        self.field(name).value = text
        await self.pilot.pause()

    async def counted(self) -> None:
        await until(self.pilot, lambda: "rows to train on" in shown(self.form, "#rows-that-count"))
        await self.pilot.app.workers.wait_for_complete([w for w in self.pilot.app.workers if w.group == "start"])
        await self.pilot.pause()


@asynccontextmanager
async def opened(project: Project, run: Run | None = None, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Opened]:
    app = StudioApp(project)
    async with app.run_test(size=size, notifications=True) as pilot:
        given: list[NewRun | None] = []
        form = NewRunForm(run)
        app.push_screen(form, given.append)
        await pilot.pause()
        found = Opened(pilot, form, given)
        await found.counted()
        yield found


def trained(project: Project, store: Store, *changes: str) -> Run:
    """Leave a finished run with an adapter."""
    snapshots.save(store, Snapshot("abc", "sft", []))
    recipe = as_table(make_recipe("sft", list(changes)))
    run_id = runs.add(store, method="sft", base_model="smollm2", base_hash=None, snapshot_id="abc", recipe=recipe)
    folder = RunFolder(project.runs / run_id)
    folder.adapter.mkdir(parents=True)
    (folder.adapter / "adapter_config.json").write_text(json.dumps({"r": 4}))
    runs.update(store, run_id, status="done")
    return runs.get(store, run_id)


def noted(app: StudioApp) -> str:
    """All that was said in notes."""
    return "\n".join(note.message for note in app._notifications)


async def test_it_says_that_there_is_too_little_data(project: Project) -> None:
    async with opened(project) as now:
        assert "0 rows to train on" in shown(now.form, "#rows-that-count")
        assert "0 judged pairs to train on and 4 are needed" in shown(now.form, "#problem")
        await now.pilot.press("enter")
        assert now.pilot.app.screen is now.form


async def test_it_begins_with_the_method_that_there_is_data_for(project: Project, store: Store, tmp_path: Path) -> None:
    talks = tmp_path / "talks.jsonl"
    talks.write_text('{"prompt": "Who?", "completion": "Me."}\n{"prompt": "You?", "completion": "No."}\n')
    import_file(project, store, talks)
    async with opened(project) as now:
        assert "New run: sft" in shown(now.form, "#heading")
    add_judged_pairs(store)
    async with opened(project) as now:
        assert "New run: dpo" in shown(now.form, "#heading")


async def test_it_gives_what_differs_from_the_preset(project: Project, store: Store) -> None:
    add_judged_pairs(store)
    async with opened(project) as now:
        assert "6 rows to train on, 2 held out" in shown(now.form, "#rows-that-count")
        assert shown(now.form, "#problem") == ""
        assert now.field("epochs").value == "4"
        await now.write("epochs", "many")
        assert "epochs must be a number, not 'many'" in shown(now.form, "#problem")
        await now.pilot.press("enter")
        assert now.pilot.app.screen is now.form
        await now.write("epochs", "1")
        await now.write("max_length", "1024")
        await now.pilot.press("enter")
        await now.pilot.pause()
    assert now.given == [NewRun("dpo", "smollm2", ["epochs=1"], None)]


async def test_keys_go_through_values_and_the_preset_follows(project: Project, store: Store) -> None:
    add_judged_pairs(store)
    async with opened(project) as now:
        now.field("loss").focus()
        await now.pilot.press("x", "space")
        assert now.field("loss").value == "ipo"
        assert now.field("beta").value == "0.3"
        assert "preset: dpo" in screen_text(now.pilot.app).split("beta")[1].split("\n")[0]
        await now.pilot.press("left", "left")
        assert now.field("loss").value == "cpo"
        assert "One of sigmoid, ipo" in shown(now.form, "#explanation")
        await now.pilot.press("f4")
        await until(now.pilot, lambda: isinstance(now.pilot.app.screen, ChooseLine))
        assert "simpo (experimental in TRL)" in screen_text(now.pilot.app)
        await now.pilot.press("4")
        await now.pilot.pause()
        assert "The robust loss needs to know how many verdicts are wrong" in shown(now.form, "#problem")
        await now.pilot.press("f8")
        assert now.field("loss").value == "sigmoid"
        assert shown(now.form, "#problem") == ""


async def test_the_method_is_chosen_by_what_it_is_for_and_keeps_what_was_written(project: Project) -> None:
    async with opened(project) as now:
        await now.write("epochs", "7")
        await now.pilot.press("f3")
        assert "answers are rewarded by the project's checks" in screen_text(now.pilot.app)
        await now.pilot.press("1")
        await now.counted()
        assert now.field("learning_rate").value == "0.0002"
        assert now.field("epochs").value == "7"
        assert not now.form.query("#beta")
        assert "New run: sft, learn the answers of the examples" in shown(now.form, "#heading")
        assert now.pilot.app.focused is now.field("epochs")


async def test_one_key_shows_every_setting_of_a_method_and_hides_most_again(project: Project) -> None:
    async with opened(project) as now:
        await now.pilot.press("f6", "f3", "5")
        await until(now.pilot, lambda: now.settings == names_of("grpo"))
        await now.pilot.press("f6")
        await until(
            now.pilot, lambda: {each.id for each in now.form.recipe.query(Input)} == names_of("grpo", main=True)
        )


def names_of(method: str, *, main: bool = False) -> set[str | None]:
    return {each.name for each in settings(method) if each.is_main or not main}


async def test_groups_unfold_and_say_what_was_set_in_them(project: Project) -> None:
    async with opened(project) as now:
        group = now.form.query_one("#group-hardware", FoldedGroup)
        group.focus()
        assert "hardware, 4 more: device, dtype" in str(group.content)
        await now.pilot.press("enter")
        await until(now.pilot, lambda: bool(now.form.query("#device")))
        await now.pilot.press("down", "space", "space")
        assert now.field("device").value == "cpu"
        await now.pilot.press("up", "enter")
        await until(now.pilot, lambda: not now.form.query("#device"))
        assert "hardware, 4 more: device=cpu, dtype" in str(group.content)
        assert not now.given


async def test_the_arrows_go_from_field_to_field(project: Project) -> None:
    async with opened(project) as now:
        await now.pilot.press("down", "down")
        assert now.form.focused is now.field("batch_size")
        await now.pilot.press("up")
        assert now.form.focused is now.field("learning_rate")


async def test_the_parents_adapter_decides_its_shape(project: Project, store: Store) -> None:
    add_judged_pairs(store)
    parent = trained(project, store, "lora_rank=4")
    async with opened(project, parent) as now:
        assert now.field("parent").value == "sft-1"
        assert now.field("lora_rank").value == "4"
        assert now.field("lora_rank").disabled
        await now.write("parent", "sft-9")
        await until(now.pilot, lambda: "sft-9" in shown(now.form, "#problem"))
        now.field("parent").focus()
        await now.pilot.press("f4")
        await until(now.pilot, lambda: isinstance(now.pilot.app.screen, ChooseLine))
        assert "sft-1, done, of smollm2" in screen_text(now.pilot.app)
        await now.pilot.press("1")
        await until(now.pilot, lambda: shown(now.form, "#problem") == "")
        assert now.field("lora_rank").value == "16"


async def test_a_model_that_is_not_there_is_said_at_once(project: Project, store: Store) -> None:
    add_judged_pairs(store)
    async with opened(project) as now:
        await now.write("model", "nowhere/at-all")
        await until(now.pilot, lambda: "nowhere/at-all is not on this machine" in shown(now.form, "#problem"))
        await now.pilot.press("f2", "f5")
        assert now.pilot.app.screen is now.form


async def test_the_teachers_and_the_checks_are_listed(project: Project, store: Store) -> None:
    for number in range(8):
        split: examples.Split = "train" if number < 6 else "validation"
        prompt = [{"role": "user", "content": f"Question {number}"}]
        example = examples.add(store, record_id=None, messages=prompt, split=split)
        said = [{"role": "assistant", "content": "Yes."}]
        responses.add(store, example, said, origin="model", author="big" if number else "[b]small[/b]")
    checks = (Check("short", "max_words", "50"), Check("kind", "contains", "thank"))
    project = replace(project, settings=replace(project.settings, checks=checks))
    async with opened(project) as now:
        await now.pilot.press("f3", "6")
        await now.counted()
        assert "6 rows to train on" in shown(now.form, "#rows-that-count")
        now.field("teacher").focus()
        await now.pilot.press("f4")
        await until(now.pilot, lambda: isinstance(now.pilot.app.screen, ChooseLine))
        assert "big, 7 responses" in screen_text(now.pilot.app)
        assert "[b]small[/b], 1 responses" in screen_text(now.pilot.app)
        await now.pilot.press("2")
        await until(now.pilot, lambda: "5 rows to train on" in shown(now.form, "#rows-that-count"))
        await now.pilot.press("f3", "5")
        await now.counted()
        now.field("checks").focus()
        for digit in ("2", "3"):
            await now.pilot.press("f4")
            await until(now.pilot, lambda: isinstance(now.pilot.app.screen, ChooseLine))
            await now.pilot.press(digit)
            await now.pilot.pause()
        assert now.field("checks").value == "short, kind"
        assert shown(now.form, "#problem") == ""
        await now.write("checks", "rude")
        assert "no check 'rude'" in shown(now.form, "#problem")


async def test_it_says_that_another_run_goes_on(project: Project, store: Store) -> None:
    runs.update(store, trained(project, store).id, status="queued")
    async with opened(project) as now:
        assert "It waits until sft-1 has ended." in shown(now.form, "#rows-that-count")


async def test_it_does_not_wait_for_a_run_that_has_ended_meanwhile(project: Project, store: Store) -> None:
    run_id = trained(project, store).id
    runs.update(store, run_id, status="queued")
    async with opened(project) as now:
        assert "It waits until" in shown(now.form, "#rows-that-count")
        runs.update(store, run_id, status="stopped")
        await until(now.pilot, lambda: "It waits until" not in shown(now.form, "#rows-that-count"))


async def test_enter_while_rows_are_counted_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    is_counted = Event()

    def count(*_: Any, **__: Any) -> Any:
        is_counted.wait(10)
        raise StudioError("They can't be counted.")

    monkeypatch.setattr(new_run, "preflight", count)
    app = StudioApp(project)
    async with app.run_test(notifications=True) as pilot:
        form = NewRunForm(None)
        app.push_screen(form)
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: "The rows are being counted" in noted(app))
        is_counted.set()
        await until(pilot, lambda: "They can't be counted." in shown(form, "#rows-that-count"))
        form.query_one("#epochs", Input).value = "2"
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "They can't be counted." in shown(form, "#rows-that-count")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_the_form_looks_as_kept(project: Project, store: Store, size: tuple[int, int]) -> None:
    add_judged_pairs(store)
    async with opened(project, size=size) as now:
        check("new-run-{}x{}".format(*size), screen_text(now.pilot.app))
        if size == (80, 24):
            await now.pilot.press("f6")
            await until(now.pilot, lambda: bool(now.form.query("#device")))
            await now.pilot.pause()
            check("new-run-all-80x24", screen_text(now.pilot.app))


def test_a_draft_follows_the_preset_but_for_what_was_written() -> None:
    draft = RecipeDraft("dpo", rows=6)
    draft.set("tuning", "full")
    assert draft.text("learning_rate") == "1e-05"
    assert draft.origins()["tuning"] == "set by hand"
    draft.set("learning_rate", "1e-5")
    draft.set("epochs", "4")
    assert draft.overrides == ["tuning=full", "learning_rate=1e-5"]
    draft.method = "grpo"
    assert draft.text("epochs") == "1"
    draft.take(["batch_size=2", "gradient_accumulation=4"])
    assert draft.overrides == ["batch_size=2", "gradient_accumulation=4"]
    assert draft.problems == []


@pytest.mark.model
@pytest.mark.xdist_group("planning")
@pytest.mark.usefixtures("base_model")
async def test_a_plan_is_shown_changed_and_started(project: Project, store: Store) -> None:
    add_judged_pairs(store)
    async with opened(project) as now:
        await now.write("max_length", "36")
        await now.pilot.press("f5")
        window = now.pilot.app.screen
        assert isinstance(window, PlanWindow)
        await until(now.pilot, lambda: "6 rows to train on" in window.view.plain)
        assert "GB free" in window.view.plain
        assert "6 lose their end" in window.view.plain
        await now.pilot.press("v")
        await until(now.pilot, lambda: "The first batch of a run" in window.view.plain)
        assert "(chosen): " in window.view.plain
        await now.pilot.press("enter")
        assert "Start it all the same?" in screen_text(now.pilot.app)
        await now.pilot.press("escape", "f")
        assert window.is_current
        await now.pilot.press("enter", "enter")
        await now.pilot.pause()
    assert now.given == [NewRun("dpo", "smollm2", ["max_length=36"], None, despite_findings=True)]


async def test_one_key_makes_it_fit(project: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add_judged_pairs(store)

    def make(_project: Project, _store: Store, method: Method, overrides: list[str], *_: Any, **__: Any) -> Plan:
        recipe = make_recipe(method, overrides)

        def memory(each: Recipe) -> Memory:
            needed = each.batch_size * each.max_length * 1_000_000
            return Memory("memory", (Part("activations", needed),), needed, 3_000_000_000)

        changes = fitting.changes(recipe, memory, has_4bit=False)
        rows = Rows(train=6, held_out=0, left_out={}, kept=6)
        table = as_table(recipe)
        return Plan(
            method,
            "smollm2",
            None,
            tuple(overrides),
            table,
            "processor",
            "fp32",
            rows,
            (),
            3,
            8,
            memory(recipe),
            changes,
        )

    monkeypatch.setattr(plan, "make", make)
    async with opened(project) as now:
        await now.write("max_length", "2048")
        await now.write("batch_size", "4")
        await now.pilot.press("f5")
        window = now.pilot.app.screen
        assert isinstance(window, PlanWindow)
        await until(now.pilot, lambda: "which does not fit" in window.view.plain)
        assert "f makes it fit, t times" in window.view.plain
        await now.pilot.press("enter")
        asked = "After esc, f makes it fit"
        await until(now.pilot, lambda: asked in " ".join(screen_text(now.pilot.app).replace("│", " ").split()))
        await now.pilot.press("escape", "f")
        await until(now.pilot, lambda: "GB free" in window.view.plain and "does not fit" not in window.view.plain)
        assert "f makes it fit" not in window.view.plain
        await now.pilot.press("escape")
        await now.pilot.pause()
        assert now.field("batch_size").value == "1"
        await now.pilot.press("f5")
        await until(now.pilot, lambda: "GB free" in now.pilot.app.screen.query_one(TextView).plain)
        await now.pilot.press("enter")
        await now.pilot.pause()
    [run] = now.given
    assert run is not None
    before = make_recipe("dpo", ["batch_size=4", "max_length=2048"])
    recipe = make_recipe("dpo", run.overrides)
    assert (recipe.batch_size, recipe.max_length) == (1, 2048)
    assert recipe.gradient_accumulation == 4 * before.gradient_accumulation


@pytest.mark.model
@pytest.mark.usefixtures("base_model")
async def test_a_recipe_is_written_out(project: Project, store: Store, tmp_path: Path) -> None:
    add_judged_pairs(store)
    async with opened(project) as now:
        await now.write("beta", "0.25")
        await now.pilot.press("f7", "4")
        await now.pilot.pause()
        window = now.pilot.app.screen
        assert isinstance(window, WrittenOut)
        await until(now.pilot, lambda: "pref_beta: 0.25" in window.view.plain)
        window.folder.value = str(tmp_path / "out")
        await now.pilot.press("enter")
        await until(now.pilot, lambda: "written. In that folder" in str(window.said.content), 60)
    assert "pref_beta: 0.25" in next((tmp_path / "out").glob("*.yaml")).read_text()
