"""The window with the examples nearest to a reply."""

import pytest
from reading import screen_text, until
from rich.segment import Segment

from screens.app import StudioApp
from screens.examples import ExamplesScreen
from screens.origins_window import OriginsWindow
from store import examples, runs, snapshots
from store.database import Store
from studio.project import Project
from studio.snapshots import build

REPLY = "Well, it is on its way, number 7. Bring an umbrella."


@pytest.fixture
def run(filled: Project, store: Store) -> str:
    for number in range(8, 13):
        examples.set_excluded(store, number, True)
    snapshot = build(store, "sft").snapshot
    snapshots.save(store, snapshot)
    for number in range(8, 13):
        examples.set_excluded(store, number, False)
    return runs.add(store, method="sft", base_model="m", base_hash=None, snapshot_id=snapshot.id, recipe={})


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (60, 20)])
async def test_it_lists_the_nearest_and_underlines_the_shared_words(
    filled: Project, run: str, size: tuple[int, int]
) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=size) as pilot:
        window = OriginsWindow(REPLY, run)
        await app.push_screen(window)
        await until(pilot, lambda: window.table.cursor_id is not None)
        await pilot.pause()
        shown = screen_text(app)
        assert f"examples that {run}" in shown
        assert "letters.jsonl:7" in shown
        marked = [
            segment.text for line in range(9) for segment in window.text.render_line(line) if _is_underlined(segment)
        ]
        assert "it is on its way, number 7".casefold() in " ".join(marked).casefold()


async def test_the_run_has_fewer_than_the_project_and_a_key_shows_all(filled: Project, run: str) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        window = OriginsWindow("It is on its way, number 9", run)
        await app.push_screen(window)
        await until(pilot, lambda: window.table.cursor_id is not None)
        assert "letters.jsonl:9" not in screen_text(app)
        await pilot.press("r")
        await until(pilot, lambda: "letters.jsonl:9" in screen_text(app))
        assert "all examples" in screen_text(app)


async def test_enter_goes_to_the_example(filled: Project, run: str) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        window = OriginsWindow(REPLY)
        await app.push_screen(window)
        await until(pilot, lambda: window.table.cursor_id is not None)
        chosen = window.table.cursor_id
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen))
        assert isinstance(app.screen, ExamplesScreen)
        await until(pilot, lambda: app.screen.table.cursor_id == chosen)


async def test_hostile_examples_are_shown_as_text_and_nothing_near_is_said(filled: Project, run: str) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(OriginsWindow("xylophone"))
        await until(pilot, lambda: "No example has telling words" in screen_text(app))
        await pilot.press("escape")
        window = OriginsWindow("INST hi bold red link alert script")
        await app.push_screen(window)
        await until(pilot, lambda: window.table.cursor_id is not None)
        assert "\x1b" not in screen_text(app)


def _is_underlined(segment: Segment) -> bool:
    return bool(segment.style and segment.style.underline)
