"""Train: runs are found as they are, a dead one is called dead, and the form says what is wrong before a start."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from reading import screen_text, until
from textual.pilot import Pilot
from textual.widgets import Input, Static

from screens.app import StudioApp
from screens.new_run import NewRun, NewRunForm
from screens.run_log import RunLog
from screens.train import TrainScreen
from screens.widgets.plot import plot, plot_text
from screens.widgets.text_view import TextView
from store import examples, interface_state, journal, pairs, responses, runs, snapshots
from store.database import Store, now
from store.runs import RunStatus
from store.snapshots import Snapshot
from studio.project import Project, open_project
from studio.training.folder import RunFolder, Status, write_json
from studio.training.recipe import as_table, make_recipe

NO_PROCESS = 2**22 + 1
"""Above the highest process id that Linux gives."""


def add_run(project: Project, store: Store, status: RunStatus, *, result: dict[str, str] | None = None) -> str:
    """Leave a run as a trainer of that state would, though no process of it lives."""
    snapshots.save(store, Snapshot("abc", "preference", []))
    recipe = as_table(make_recipe("dpo", []))
    run_id = runs.add(store, method="dpo", base_model="smollm2", base_hash=None, snapshot_id="abc", recipe=recipe)
    folder = RunFolder(project.runs / run_id)
    folder.path.mkdir(parents=True)
    write_json(folder.status, Status(status, NO_PROCESS, 1.0, step=7, total_steps=10, started_at=now()))
    values = [{"loss": 0.7 - step / 100, "rewards/margins": step / 10} for step in range(1, 8)]
    lines = [json.dumps({"step": step, "at": now(), "values": v}) for step, v in enumerate(values, start=1)]
    folder.metrics.write_text("".join(f"{line}\n" for line in lines))
    folder.log.write_text("loading\n[b]markup[/nothing] \x1b[31mred\nKilled\n")
    runs.update(store, run_id, status=status, pid=NO_PROCESS, pid_started=1.0, result=result)
    return run_id


@asynccontextmanager
async def opened(project: Project, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], TrainScreen]]:
    with project.open_store() as store:
        interface_state.remember(store, "area", "train")
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, TrainScreen)
        yield pilot, screen


async def form_of(pilot: Pilot[None]) -> NewRunForm:
    await pilot.press("n")
    await pilot.pause()
    form = pilot.app.screen
    assert isinstance(form, NewRunForm)
    await until(pilot, lambda: "counting" not in shown(form, "#rows-that-count"))
    return form


def shown(form: NewRunForm, selector: str) -> str:
    return str(form.query_one(selector, Static).content)


async def test_a_run_whose_process_is_gone_is_shown_as_failed_with_its_cause(project: Project, store: Store) -> None:
    run_id = add_run(project, store, "running")
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        text = screen_text(pilot.app)
        assert "failed" in text
        assert "ended without a word after step 7" in " ".join(screen.facts.plain.split())
        await until(pilot, lambda: "r resumes it" in screen_text(pilot.app))
    assert runs.get(store, run_id).status == "failed"


async def test_a_finished_run_shows_its_proof_curves_and_log(project: Project, store: Store) -> None:
    add_run(project, store, "done", result={"parity": "equal: 40 texts, 812 tokens, none differs from llama.cpp's"})
    async with opened(project, (120, 40)) as (pilot, screen):
        await until(pilot, lambda: "dpo-1" in screen.facts.plain)
        text = screen_text(pilot.app)
        assert "equal: 40 texts" in text
        assert "training loss 0.69 to 0.63" in text
        assert "reward margin 0.1 to 0.7" in text
        assert "[b]markup[/nothing]" in screen.facts.plain
        assert "\x1b" not in screen.facts.plain
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, RunLog)
        assert "Killed" in pilot.app.screen.query_one(TextView).plain
        await pilot.press("escape")


async def test_the_cursor_chooses_the_run_that_is_shown(project: Project, store: Store) -> None:
    for _ in range(3):
        add_run(project, store, "stopped")
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "dpo-3" in screen.facts.plain)
        await pilot.press("j", "j")
        await until(pilot, lambda: "dpo-1" in screen.facts.plain)
        await pilot.press("s")
        assert "not going on" in screen_text(pilot.app)


async def test_without_runs_it_says_how_to_start_one(project: Project) -> None:
    async with opened(project) as (pilot, _):
        assert "n starts one" in screen_text(pilot.app)
        await pilot.press("s", "r", "o", "p", "c", "enter", "j")


async def test_the_form_says_that_there_is_too_little_data(project: Project) -> None:
    async with opened(project) as (pilot, _):
        form = await form_of(pilot)
        assert "0 rows to train on" in shown(form, "#rows-that-count")
        assert "0 judged pairs to train on and 4 are needed" in shown(form, "#problem")
        await pilot.press("enter")
        assert pilot.app.screen is form


async def test_the_form_gives_what_differs_from_the_preset(project: Project, store: Store) -> None:
    add_judged_pairs(store)
    async with opened(project) as (pilot, screen):
        wanted: list[NewRun | None] = []
        form = NewRunForm(None)
        screen.app.push_screen(form, wanted.append)
        await pilot.pause()
        await until(pilot, lambda: "6 rows to train on, 2 held out" in shown(form, "#rows-that-count"))
        assert shown(form, "#problem") == ""
        epochs = form.query_one("#epochs", Input)
        epochs.value = "many"
        await pilot.pause()
        assert "epochs must be a number, not 'many'" in shown(form, "#problem")
        await pilot.press("enter")
        assert pilot.app.screen is form
        epochs.value = "1"
        form.query_one("#more", Input).value = "loss=ipo device=cpu"
        await pilot.press("enter")
        await pilot.pause()
    assert wanted == [NewRun("dpo", "smollm2", ["epochs=1", "loss=ipo", "device=cpu"], None)]


async def test_the_method_changes_the_preset_of_untouched_fields_only(project: Project) -> None:
    async with opened(project) as (pilot, _):
        form = await form_of(pilot)
        form.query_one("#epochs", Input).value = "7"
        await pilot.press("f3")
        await pilot.pause()
        assert form.query_one("#learning_rate", Input).value == "0.0002"
        assert form.query_one("#epochs", Input).value == "7"
        assert not form.query_one("#row-beta").display
        assert "[sft]" in shown(form, "#heading")


async def test_the_arrows_go_from_field_to_field(project: Project) -> None:
    async with opened(project) as (pilot, _):
        form = await form_of(pilot)
        await pilot.press("down", "down")
        assert form.focused is form.query_one("#batch_size")
        await pilot.press("up")
        assert form.focused is form.query_one("#learning_rate")


def add_judged_pairs(store: Store) -> None:
    for number in range(8):
        prompt = [{"role": "user", "content": f"Question {number}"}]
        split: examples.Split = "train" if number < 6 else "validation"
        example = examples.add(store, record_id=None, messages=prompt, split=split)
        first, second = (
            responses.add(store, example, [{"role": "assistant", "content": text}], origin="file")
            for text in (f"Good {number}", f"Bad {number}")
        )
        pair = pairs.get(store, pairs.add_pair(store, example, first, second, seed=0))
        journal.judge(store, pair, "left", rater="ann")


def test_a_plot_is_as_wide_and_high_as_it_may_be() -> None:
    assert plot([(step, float(step)) for step in range(4)], 4, 1) == ["▁▃▆█"]
    assert plot([(1, 5.0), (2, 5.0)], 2, 2) == ["  ", "██"]
    rows = plot([(step, step % 7) for step in range(1000)], 30, 5)
    assert [len(row) for row in rows] == [30] * 5
    assert plot([], 10, 3) == []
    assert plot_text("loss", [], 20, 3) == "loss: nothing measured yet"


@pytest.mark.model
@pytest.mark.xdist_group("training")
@pytest.mark.usefixtures("base_model")
async def test_a_run_is_started_stopped_and_resumed_by_keys(project: Project, store: Store) -> None:
    for number in range(8):
        turns = [{"role": "user", "content": f"Question {number}"}, {"role": "assistant", "content": "Yes."}]
        examples.add(store, record_id=None, messages=turns, split="train" if number < 6 else "validation")
    folder = RunFolder(project.runs / "sft-1")
    async with opened(project) as (pilot, _):
        form = await form_of(pilot)
        await pilot.press("f3")
        await until(pilot, lambda: "6 rows to train on" in shown(form, "#rows-that-count"))
        form.query_one("#epochs", Input).value = "500"
        form.query_one("#more", Input).value = "device=cpu"
        await pilot.press("enter")
        await until(pilot, lambda: folder.metrics.is_file() and "running" in screen_text(pilot.app), 300)
        for again in (True, False):
            await pilot.press("s", "enter")
            await until(pilot, lambda: runs.get(store, "sft-1").status == "stopped", 120)
            if again:
                await pilot.press("r")
                await until(pilot, lambda: runs.get(store, "sft-1").status == "running", 120)
    assert runs.get(store, "sft-1").status == "stopped"
    assert folder.latest_checkpoint() is not None
