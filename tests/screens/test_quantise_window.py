"""Quantise and test, from Train: the table, what a form answers otherwise, making, deleting, chatting with it."""

import pytest
from quantised import BROKEN, leave, of_type
from reading import screen_text, until

from screens.app import StudioApp
from screens.chat import ChatScreen
from screens.dialogs import Confirm
from screens.quantise_window import QuantiseWindow
from store import interface_state, runs, snapshots
from store.database import Store
from store.snapshots import Items, Snapshot
from studio.inference.quantising.places import Place, place_of
from studio.project import Project


@pytest.fixture
def quantised(project: Project, store: Store) -> Place:
    """A run that has learnt, quantised to two types, open at Train."""
    snapshots.save(store, Snapshot("s", "sft", Items(), "", {}))
    run_id = runs.add(store, method="sft", base_model="smollm2", base_hash=None, snapshot_id="s", recipe={})
    runs.update(store, run_id, status="done")
    folder = project.runs / run_id
    folder.mkdir(parents=True)
    (folder / "adapter.gguf").write_bytes(b"GGUF")
    place = place_of(project, store, run_id)
    leave(place, of_type("Q8_0", 145), BROKEN)
    interface_state.remember(store, "area", "train")
    return place


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 50)])
async def test_the_table_the_recommendation_and_what_broke_are_shown(project, quantised, size) -> None:
    app = StudioApp(project)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "sft-1" in screen_text(app))
        await pilot.press("Q")
        assert isinstance(app.screen, QuantiseWindow)
        await until(pilot, lambda: "Q8_0: the smallest within bounds" in screen_text(app))
        text = screen_text(app)
        assert "145.0 MB  good" in text
        assert "not made" in text
        assert "BROKEN" in text
        await pilot.press("G")
        await until(pilot, lambda: "Q2_K breaks this model" in app.screen.text.plain)
        told = app.screen.text.plain
        assert "30 tensors are q4_0 instead of q2_K" in told
        assert "example 7, mean KL 1.200; no longer passes polite" in told
        assert "Where is [b]my[/b] book?" in told
        assert "\x1b" not in told


async def test_a_form_is_deleted_after_a_question(project, quantised) -> None:
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "sft-1" in screen_text(app))
        await pilot.press("Q", "G")
        await until(pilot, lambda: "Q2_K breaks" in screen_text(app))
        await pilot.press("G", "d")
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: quantised.made == ["Q8_0"])
        await until(pilot, lambda: "BROKEN" not in screen_text(app))
        await pilot.press("d")
        await until(pilot, lambda: "There is no file of this type" in screen_text(app))


async def test_a_form_is_chatted_with_beside_its_run(project, quantised) -> None:
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "sft-1" in screen_text(app))
        await pilot.press("Q")
        await until(pilot, lambda: "145.0 MB" in screen_text(app))
        await pilot.press("home", "j", "c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: "sft-1@Q8_0" in screen_text(app))


async def test_what_fails_is_said_in_the_window(project, quantised) -> None:
    """The run's folder holds no real model, so the process that is started finds nothing to quantise."""
    app = StudioApp(project)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "sft-1" in screen_text(app))
        await pilot.press("Q")
        await until(pilot, lambda: "145.0 MB" in screen_text(app))
        await pilot.press("s")
        await until(pilot, lambda: "Nothing is going on." in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "tokenizer" in screen_text(app))
        assert quantised.made == ["Q8_0", "Q2_K"]
