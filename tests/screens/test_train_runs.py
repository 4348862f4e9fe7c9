"""Train: runs are drawn over each other, compared, named, deleted, taken out of the queue."""

from collections.abc import Callable
from threading import Event

import pytest
from reading import screen_text, until
from run_forms import add_judged_pairs, form_of, shown
from run_lists import add_run, opened
from textual.widgets import Input

from screens import run_work
from screens.choose_curves import ChooseCurves
from screens.curves_in_sight import Sight
from screens.dialogs import Confirm
from screens.new_run import NewRun, NewRunForm
from screens.run_answers import RunAnswers
from screens.run_compare import RunCompare
from screens.run_edit import RunEdit
from screens.train_look import Looked, Wanted, look
from store import runs
from store.database import Store, now
from store.runs import Metric
from studio.errors import StudioError
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.watching import machine, samples
from studio.training.watching.machine import Look
from studio.training.watching.samples import Sample

WIDE = (120, 40)


async def test_selected_runs_are_drawn_over_each_other_by_letters(project: Project, store: Store) -> None:
    for steps in (7, 14, 28):
        add_run(project, store, "stopped", steps=steps)
    async with opened(project, WIDE) as (pilot, screen):
        await until(pilot, lambda: "steps 1 to 28" in screen.curves.plain)
        await pilot.press("space", "j")
        await until(pilot, lambda: "A dpo-3  B dpo-1" in screen.curves.plain)
        assert "training loss: A 0.42  B 0.63" in screen.curves.plain
        text = screen_text(pilot.app)
        assert "*dpo-3 A" in text
        assert "> dpo-1 B" in text
        await pilot.press("escape")
        await until(pilot, lambda: "steps 1 to 7" in screen.curves.plain)
        assert "dpo-1 B" not in screen_text(pilot.app)


async def test_curves_are_chosen_smoothed_and_zoomed(project: Project, store: Store) -> None:
    add_run(project, store, "stopped", steps=40)
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "steps 1 to 40" in screen.curves.plain)
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ChooseCurves)
        await pilot.press("j", "enter", "S")
        await until(pilot, lambda: "smoothed 0.6" in screen.curves.plain)
        assert "training loss" not in screen.curves.plain
        await pilot.press("z", "h")
        await until(pilot, lambda: "steps 11 to 30" in screen.curves.plain)
        await pilot.press("v")
        assert not screen.curves.display
        await pilot.press("v")
        assert screen.curves.size.width > 70
        await pilot.press("escape", "v")
        await until(pilot, lambda: "steps 1 to 40" in screen.curves.plain)
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "steps 1 to 40" in screen.curves.plain)
        assert "reward margin" in screen.curves.plain
        assert "training loss" not in screen.curves.plain
        assert "smoothed 0.6" in screen.curves.plain


async def test_a_run_that_goes_on_says_how_fast_and_one_that_waits_can_be_taken_out(
    project: Project, store: Store
) -> None:
    active = add_run(project, store, "running", lives=True, total=20)
    runs.add_metrics(store, active, [Metric("tokens_per_second", 7, 1234, now()), Metric("eta_seconds", 7, 600, now())])
    machine.append(RunFolder(project.runs / active).machine, Look(now(), 0.9, 1.9, 3 << 30, 5 << 30, 16 << 30))
    waiting = add_run(project, store, "stopped")
    runs.enqueue(store, waiting)
    async with opened(project, WIDE) as (pilot, screen):
        await until(pilot, lambda: "waits, next in the queue" in screen_text(pilot.app))
        await pilot.press("j")
        await until(pilot, lambda: "1,234 tokens a second" in screen.now.plain)
        assert "10 min left" in screen.now.plain
        assert "3.0 by the trainer" in screen.now.plain
        assert "35% 10 min left, step 7/20" in screen_text(pilot.app)
        assert "steps 1 to 10" in screen.curves.plain, "there is room for the steps that come"
        await pilot.press("k", "s")
        await pilot.pause()
        assert "out of the queue" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, lambda: runs.get(store, waiting).status == "stopped")


async def test_a_waiting_run_is_put_before_the_others(project: Project, store: Store) -> None:
    add_run(project, store, "running", lives=True)
    waiting = [add_run(project, store, "stopped") for _ in range(3)]
    for run_id in waiting:
        runs.enqueue(store, run_id)
    async with opened(project, WIDE) as (pilot, screen):
        await until(pilot, lambda: "waits, number 3 in the queue" in screen_text(pilot.app))
        screen._list.go_to(waiting[-1])
        await pilot.press("u")
        await until(pilot, lambda: [run.id for run in runs.queued(store)] == [waiting[2], *waiting[:2]])
        await until(pilot, lambda: f"{waiting[-1]} is the next to train" in screen_text(pilot.app))


async def test_a_run_is_named_tagged_and_noted(project: Project, store: Store) -> None:
    run_id = add_run(project, store, "done")
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        await pilot.press("e")
        await pilot.pause()
        form = pilot.app.screen
        assert isinstance(form, RunEdit)
        await pilot.press(*"less")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm), "what was written is not lost without a question"
        await pilot.press("escape", "tab")
        form.query_one("#tags", Input).value = "good, #short"
        await pilot.press("tab", *"Why", "f2")
        await until(pilot, lambda: "less #good" in screen_text(pilot.app))
    kept = runs.get(store, run_id)
    assert (kept.name, kept.tags, kept.note) == ("less", ("good", "short"), "Why")


async def test_a_run_is_deleted_after_a_question_unless_others_went_on_from_it(project: Project, store: Store) -> None:
    parent = add_run(project, store, "done")
    child = add_run(project, store, "done", parent=parent)
    async with opened(project, WIDE) as (pilot, screen):
        await until(pilot, lambda: child in screen.facts.plain)
        await pilot.press("T")
        await pilot.pause()
        assert f"└ {child}, done" in screen_text(pilot.app)
        await pilot.press("1")
        await until(pilot, lambda: screen.facts.plain.startswith(f"run        {parent}"))
        await pilot.press("d")
        await until(pilot, lambda: f"Delete {child} first" in screen_text(pilot.app))
        await pilot.press("k", "d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        assert "0.1 MB" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, lambda: [run.id for run in runs.all_runs(store)] == [parent])
        await until(pilot, lambda: f"{child} is deleted" in screen_text(pilot.app))
        assert not (project.runs / child).exists()
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: "No runs yet" in screen_text(pilot.app))
        assert screen.facts.plain == ""


async def test_a_run_is_compared_with_its_parent_or_with_those_selected(project: Project, store: Store) -> None:
    parent = add_run(project, store, "done", result={"held_out_loss": 0.5})
    add_run(project, store, "done", parent=parent, result={"held_out_loss": 0.25})
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "dpo-2" in screen.facts.plain)
        await pilot.press("C")
        await until(pilot, lambda: "Settings that differ" in screen_text(pilot.app))
        window = pilot.app.screen
        assert isinstance(window, RunCompare)
        assert "held_out_loss 0.5 0.25" in " ".join(window.text.plain.split())
        await pilot.press("v")
        await until(pilot, lambda: "A dpo-1  B dpo-2" in screen_text(pilot.app))
        assert "training loss: A 0.63  B 0.63" in screen_text(pilot.app)
        await pilot.press("v")
        assert pilot.app.focused is window.text, "keys move the text again"
        await pilot.press("escape", "j")
        await until(pilot, lambda: screen.facts.plain.startswith("run        dpo-1"))
        await pilot.press("C")
        assert "select two runs" in screen_text(pilot.app)
        await pilot.press("space")
        await pilot.pause()
        assert "select two runs" not in screen_text(pilot.app)


async def test_of_two_selected_runs_the_one_under_the_cursor_is_not_compared(project: Project, store: Store) -> None:
    for _ in range(3):
        add_run(project, store, "done")
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "dpo-3" in screen.facts.plain)
        await pilot.press("space", "space")
        await until(pilot, lambda: screen.facts.plain.startswith("run        dpo-1"))
        await pilot.press("C")
        await until(pilot, lambda: "Runs compared: dpo-3, dpo-2" in screen_text(pilot.app))
        assert "dpo-2, dpo-1" not in screen_text(pilot.app)


async def test_answers_show_what_changed_from_step_to_step(project: Project, store: Store) -> None:
    run_id = add_run(project, store, "done")
    path = RunFolder(project.runs / run_id).samples
    replies = {0: "I do not know.", 4: "[b]It[/nothing] left on \x1b[31mMonday."}
    samples.append(path, [Sample(step, now(), 5, "Where is it?", reply, step > 0) for step, reply in replies.items()])
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "to 1 held-out prompts at 2 steps up to 4" in " ".join(screen.facts.plain.split()))
        await pilot.press("a")
        await pilot.pause()
        window = pilot.app.screen
        assert isinstance(window, RunAnswers)
        plain = window.text.plain
        assert plain.index("Step 4") < plain.index("Before the first step")
        assert "I do not know. ... (cut here)" in plain
        assert "[b]It[/nothing] left on" in plain
        assert "\x1b" not in plain
        await pilot.press("v")
        await pilot.pause()
        assert "- I do not know." in window.text.plain


async def test_a_start_that_is_refused_shows_the_form_as_it_was(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_project: Project, _wanted: NewRun, say: Callable[[str], None], _store: Store) -> str:
        say("preparing the tokenizer")
        raise StudioError("The checks found errors in what would be learnt.", "f4 in Data shows them.")

    add_judged_pairs(store)
    monkeypatch.setattr(run_work, "start", start)
    async with opened(project) as (pilot, screen):
        form = await form_of(pilot)
        await pilot.press("f3", "4")
        await until(pilot, lambda: "6 rows to train on" in shown(form, "#rows-that-count"))
        method = shown(form, "#heading")
        form.query_one("#epochs", Input).value = "7"
        await pilot.pause()
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, NewRunForm) and pilot.app.screen is not form)
        again = pilot.app.screen
        assert isinstance(again, NewRunForm)
        await until(pilot, lambda: "6 rows to train on" in shown(again, "#rows-that-count"))
        assert shown(again, "#heading") == method
        assert again.query_one("#epochs", Input).value == "7"
        assert "The checks found errors" in screen_text(pilot.app)
        await pilot.press("escape", "escape")
        assert isinstance(pilot.app.screen, Confirm), "what was set is not lost without a question"
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert "preparing the tokenizer" not in screen_text(pilot.app)
        assert "starting" not in screen_text(pilot.app)


async def test_a_start_that_is_refused_does_not_come_between_other_windows(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_looking = Event()

    def start(*_: object) -> str:
        is_looking.wait(10)
        raise StudioError("It does not begin.")

    add_judged_pairs(store)
    run_id = add_run(project, store, "stopped")
    monkeypatch.setattr(run_work, "start", start)
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        form = await form_of(pilot)
        form.query_one("#epochs", Input).value = "7"
        await pilot.pause()
        await pilot.press("f2")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("e")
        is_looking.set()
        await until(pilot, lambda: "It does not begin." in screen_text(pilot.app))
        assert isinstance(pilot.app.screen, RunEdit)
        await pilot.press("escape", "escape")
        again = await form_of(pilot)
        assert again.query_one("#epochs", Input).value == "7"


async def test_a_form_in_which_nothing_was_set_is_left_without_a_question(project: Project) -> None:
    async with opened(project) as (pilot, screen):
        await form_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)


async def test_the_question_whether_to_delete_does_not_come_up_over_another_window(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = add_run(project, store, "stopped")
    is_counted = Event()

    def size(*_: object) -> str:
        is_counted.wait(10)
        return "3 GB"

    monkeypatch.setattr(run_work, "size_if_deletable", size)
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        await pilot.press("d")
        assert "counting its files ..." in screen_text(pilot.app)
        await pilot.press("e")
        is_counted.set()
        await pilot.app.workers.wait_for_complete([w for w in pilot.app.workers if w.group == "default"])
        await pilot.press(*"my")
        form = pilot.app.screen
        assert isinstance(form, RunEdit)
        assert form.name_field.value == "my"
        await pilot.press("f2")
        await until(pilot, lambda: "d asks again" in screen_text(pilot.app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    assert runs.get(store, run_id).name == "my"


async def test_the_cursor_goes_to_a_run_that_was_listed_before_it_was_said_to_be_started(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(project, store, "stopped")
    is_ready = Event()

    def start(project: Project, _wanted: NewRun, _say: Callable[[str], None], store: Store) -> str:
        run_id = add_run(project, store, "stopped", steps=20)
        is_ready.wait(10)
        return run_id

    add_judged_pairs(store)
    monkeypatch.setattr(run_work, "start", start)
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "dpo-1" in screen.facts.plain)
        await form_of(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "dpo-2" in screen_text(pilot.app))
        is_ready.set()
        await until(pilot, lambda: "dpo-2" in screen.facts.plain)
        assert screen.run_here is not None
        assert screen.run_here.id == "dpo-2"


async def test_keys_do_not_go_to_facts_that_are_hidden(project: Project, store: Store) -> None:
    for _ in range(2):
        add_run(project, store, "stopped")
    async with opened(project, WIDE) as (pilot, screen):
        await until(pilot, lambda: "dpo-2" in screen.facts.plain)
        await pilot.press("tab", "v", "v")
        assert not screen.facts.display
        for keys, run_id in ((["j"], "dpo-1"), (["tab", "k"], "dpo-2")):
            await pilot.press(*keys)
            assert screen.run_here is not None
            assert screen.run_here.id == run_id


async def test_columns_stay_where_they_were_moved_to_when_another_run_comes(project: Project, store: Store) -> None:
    add_run(project, store, "stopped")
    runs.describe(store, "dpo-1", name="a long name of a run", note="", tags=())
    async with opened(project, (40, 24)) as (pilot, screen):
        await until(pilot, lambda: "dpo-1" in screen.facts.plain)
        await pilot.press("right")
        heading = screen_text(pilot.app).split("\n")[1]
        assert "State" not in heading
        add_run(project, store, "stopped")
        await until(pilot, lambda: "dpo-2" in screen_text(pilot.app))
        assert screen_text(pilot.app).split("\n")[1] == heading


async def test_what_can_not_chat_is_said_before_train_is_left(project: Project, store: Store) -> None:
    add_run(project, store, "failed", steps=0)
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: "dpo-1" in screen.facts.plain)
        await pilot.press("c")
        await until(pilot, lambda: "nothing to chat with" in screen_text(pilot.app))
        assert pilot.app.screen is screen


def test_curves_are_read_again_only_where_a_point_changed(project: Project, store: Store) -> None:
    one, other = add_run(project, store, "stopped"), add_run(project, store, "stopped", steps=20)
    wanted = Wanted(one, (one, other), Sight())
    first = look(project, wanted, Looked(), store)
    assert first.steps == (1, 20)
    again = look(project, wanted, first, store)
    assert all(again.curves[run_id] is first.curves[run_id] for run_id in (one, other))
    runs.add_metrics(store, other, [Metric("loss", 21, 0.1, now())])
    later = look(project, wanted, again, store)
    assert later.curves[other][0].points[-1] == (21, 0.1)
    zoomed = look(project, wanted._replace(sight=Sight().zoomed(1)), later, store)
    assert [curve.points[0][0] for curve in zoomed.curves[other]] == [11, 11]
