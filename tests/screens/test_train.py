"""Train: runs are found as they are, a dead one is called dead, and keys start, stop and resume one."""

import pytest
from reading import screen_text, until
from run_forms import form_of, shown
from run_lists import add_run, opened
from textual.widgets import Input

from screens.run_log import RunLog
from screens.widgets.text_view import TextView
from store import examples, runs
from store.database import Store
from studio.project import Project
from studio.training.folder import RunFolder


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


async def test_who_reads_further_up_in_a_long_log_goes_on_reading_there(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screens.run_log.LINES", 60)
    run_id = add_run(project, store, "done")
    log = RunFolder(project.runs / run_id).log
    log.write_text("".join(f"step {number} {'of many ' * 20}\n" for number in range(80)) + "1 %")
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        await pilot.press("enter")
        view = pilot.app.screen.query_one(TextView)
        await until(pilot, lambda: "step 79" in view.plain and view.is_vertical_scroll_end)
        await pilot.press("pageup", "pageup")
        y, before = view.scroll_offset.y, view.plain.split("\n")
        with log.open("a") as end:
            end.write("\r2 %\nstep 80\nstep 81\n")
        await until(pilot, lambda: "step 81" in view.plain)
        assert view.scroll_offset.y < y
        assert view.plain.split("\n")[view.scroll_offset.y] == before[y]


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


@pytest.mark.model
@pytest.mark.xdist_group("screens")
@pytest.mark.usefixtures("base_model")
async def test_a_run_is_started_stopped_and_resumed_by_keys(project: Project, store: Store) -> None:
    for number in range(8):
        turns = [{"role": "user", "content": f"Question {number}"}, {"role": "assistant", "content": "Yes."}]
        examples.add(store, record_id=None, messages=turns, split="train" if number < 6 else "validation")
    folder = RunFolder(project.runs / "sft-1")
    async with opened(project) as (pilot, _):
        form = await form_of(pilot)
        await pilot.press("f3", "1")
        await until(pilot, lambda: "6 rows to train on" in shown(form, "#rows-that-count"))
        form.query_one("#epochs", Input).value = "500"
        await pilot.press("f6")
        await until(pilot, lambda: bool(form.query("#device")))
        form.query_one("#device", Input).value = "cpu"
        await pilot.pause()
        await pilot.press("f2")
        await until(pilot, lambda: folder.metrics.is_file() and "running" in screen_text(pilot.app), 300)
        for again in (True, False):
            await pilot.press("s", "enter")
            await until(pilot, lambda: runs.get(store, "sft-1").status == "stopped", 120)
            if again:
                await pilot.press("r")
                await until(pilot, lambda: runs.get(store, "sft-1").status == "running", 120)
    assert runs.get(store, "sft-1").status == "stopped"
    assert folder.latest_checkpoint() is not None
