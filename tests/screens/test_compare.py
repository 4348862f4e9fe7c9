"""Compare: keys judge, save before they show, undo across restarts, and never judge what was not seen."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

import screens.compare
from screens.app import StudioApp
from screens.compare import CompareScreen
from screens.widgets.text_view import TextView
from store import examples, interface_state, journal, pairs, responses
from store.database import Store
from studio.project import Project, open_project

HOSTILE = "\x1b]52;c;aGk=\x07 [b]bold[/b] [/nothing] \u202e"


@pytest.fixture
def judged_project(project: Project, store: Store) -> Project:
    """A project with four pairs, open at Compare."""
    for number in range(4):
        prompt = [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": f"Question {number} {HOSTILE}"},
        ]
        example = examples.add(store, record_id=None, messages=prompt, split="train")
        answers = [
            responses.add(
                store,
                example,
                [{"role": "assistant", "content": f"Answer {letter}{number}. {HOSTILE} " + "word " * 400}],
                origin="file",
                author=f"author-{letter}",
            )
            for letter in "AB"
        ]
        pairs.add_pair(store, example, *answers, seed=number)
    interface_state.remember(store, "area", "compare")
    return project


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pilot presses faster than any hand: let it, once the pair is painted."""
    monkeypatch.setattr(screens.compare, "QUIET_SECONDS", 0.0)


@asynccontextmanager
async def opened(
    project: Project, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], CompareScreen]]:
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        yield pilot, screen


def verdicts(store: Store) -> list[str | None]:
    return [entry.verdict for entry in journal.current_verdicts(store)]


def comments(store: Store, pair_id: int) -> list[str]:
    return [entry.note for entry in journal.entries(store, pair_id=pair_id) if entry.kind == "comment"]


def texts(screen: CompareScreen) -> tuple[str, str]:
    return screen.left.plain, screen.right.plain


def counter(screen: CompareScreen) -> str:
    return str(screen.query_one("#progress", Static).content)


@pytest.mark.usefixtures("unhurried")
async def test_each_key_writes_its_verdict_and_shows_the_next_pair(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, screen):
        for key, number in (("h", 0), ("right", 1), ("t", 2), ("s", 3)):
            assert f"Question {number}" in screen.prompt.plain
            await pilot.press(key)
            await pilot.pause()
        assert screen.nothing.display
        assert "No pair is left to decide" in str(screen.nothing.content)
        assert "4 of 4 decided, 0 left, 1 skipped" in counter(screen)
    assert verdicts(store) == ["left", "right", "tie", "skip"]
    entry = journal.current_verdict(store, 1)
    assert entry is not None
    assert entry.shown_at is not None
    assert entry.shown_at < entry.answered_at


async def test_pairs_are_shown_blind_and_by_their_seed(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (_, screen):
        left, right = texts(screen)
        assert left.startswith("Answer A0")
        assert right.startswith("Answer B0")
        painted = "\n".join([screen.prompt.plain, left, right])
    assert "author" not in painted
    assert "\x1b" not in painted
    assert "[b]bold[/b] [/nothing]" in painted


@pytest.mark.usefixtures("unhurried")
async def test_the_second_pair_is_turned_round_by_its_seed(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, screen):
        await pilot.press("b")
        await pilot.pause()
        assert screen.left.plain.startswith("Answer B1")
        await pilot.press("h")
        await pilot.pause()
    entry = journal.current_verdict(store, 2)
    assert entry is not None
    better = entry.chosen_and_rejected
    assert better is not None
    assert responses.get(store, better[0]).author == "author-B"


async def test_a_held_key_judges_one_pair_only(
    judged_project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine that runs this is, the keys come within the quiet time.
    monkeypatch.setattr(screens.compare, "QUIET_SECONDS", 0.0)
    async with opened(judged_project) as (pilot, _):
        await pilot.press("h")
        monkeypatch.setattr(screens.compare, "QUIET_SECONDS", 60.0)
        await pilot.press(*"hhhhhh")
        await pilot.pause()
    assert verdicts(store) == ["left"]


@pytest.mark.usefixtures("unhurried")
async def test_a_key_before_the_paint_judges_nothing(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (_, screen):
        screen.action_judge("left")
        # In the same turn of the loop nothing was painted in between.
        screen.action_judge("right")
        screen.action_judge("right")
    assert verdicts(store) == ["left"]


@pytest.mark.usefixtures("unhurried")
async def test_undo_and_redo_work_after_a_restart(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, _):
        await pilot.press("h")
        await pilot.pause()
        await pilot.press("t")
        await pilot.pause()
    async with opened(judged_project) as (pilot, screen):
        assert "Question 2" in screen.prompt.plain
        await pilot.press("u")
        await pilot.pause()
        assert "Question 1" in screen.prompt.plain
        assert verdicts(store) == ["left"]
        assert "1 of 4 decided, 3 left" in counter(screen)
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert verdicts(store) == ["left", "tie"]
        await pilot.press("u", "u", "u")
        await pilot.pause()
        assert verdicts(store) == []


async def test_a_comment_takes_letters_without_judging(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, screen):
        await pilot.press("c", *"hlt")
        assert screen.unsaved
        await pilot.press("escape", "c", *"hu", "enter")
        await pilot.pause()
        assert not screen.query_one("#comment", Input).display
    assert comments(store, 1) == ["hu"]
    assert verdicts(store) == []


@pytest.mark.usefixtures("unhurried")
async def test_a_comment_left_by_tab_stays_with_its_pair(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, screen):
        await pilot.press("c", *"good", "tab", "h")
        await pilot.pause()
        assert screen.query_one("#comment", Input).value == ""
        await pilot.press("h")
        await pilot.pause()
    assert comments(store, 1) == ["good"]
    assert comments(store, 2) == []


@pytest.mark.usefixtures("unhurried")
async def test_a_comment_left_by_tab_stays_with_its_pair_when_a_verdict_is_undone(
    judged_project: Project, store: Store
) -> None:
    async with opened(judged_project) as (pilot, screen):
        await pilot.press("h")
        await pilot.pause()
        await pilot.press("c", *"good", "tab", "u")
        await pilot.pause()
        assert screen.query_one("#comment", Input).value == ""
        await pilot.press("c", *"bad", "tab", "ctrl+r")
        await pilot.pause()
    assert comments(store, 1) == ["bad"]
    assert comments(store, 2) == ["good"]


async def test_flag_marks_the_example(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, screen):
        await pilot.press("f")
        await pilot.pause()
        assert examples.get(store, 1).flagged
        assert "flagged" in str(screen.prompt.border_title)
        await pilot.press("f")
        await pilot.pause()
    assert not examples.get(store, 1).flagged


async def test_an_edit_becomes_a_third_response_and_a_pair(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, _):
        await pilot.press("tab", "e")
        await pilot.pause()
        await pilot.press("ctrl+home", *"better", "f2")
        await pilot.pause()
    third = responses.of_example(store, 1)[-1]
    assert third.parent_id == 2
    assert third.origin == "human"
    assert third.messages[-1]["content"].startswith("better")
    assert "\x1b" in third.messages[-1]["content"]
    assert pairs.counts(store)["pairs"] == 5


@pytest.mark.parametrize(("width", "beside"), [(80, False), (100, True), (200, True)])
async def test_replies_stand_side_by_side_where_there_is_room(
    judged_project: Project, width: int, beside: bool
) -> None:
    async with opened(judged_project, (width, 24)) as (pilot, screen):
        left, right = screen.left.region, screen.right.region
        assert (left.y == right.y) is beside
        assert left.x == 0
        await pilot.press("tab", "ctrl+d")
        await pilot.pause()
        assert screen.right.scroll_offset.y > 0
        assert screen.query_one("#prompt", TextView).scroll_offset.y == 0


async def test_an_empty_project_says_what_to_do(project: Project, store: Store) -> None:
    interface_state.remember(store, "area", "compare")
    async with opened(project) as (pilot, screen):
        assert "no pairs to compare yet" in str(screen.nothing.content)
        await pilot.press("h", "u", "ctrl+r", "c", "e", "f")
        await pilot.pause()
    assert verdicts(store) == []


KILLED_AFTER_A_KEY = """
import asyncio, os, signal, sys
from pathlib import Path
import screens.compare
from screens.app import StudioApp
from studio.project import open_project

screens.compare.QUIET_SECONDS = 0.0
show = screens.compare.CompareScreen._show

def killed_at_the_next_pair(self, shown):
    if shown is not None and shown.pair.id == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    show(self, shown)

screens.compare.CompareScreen._show = killed_at_the_next_pair

async def main():
    async with StudioApp(open_project(Path(sys.argv[1]))).run_test() as pilot:
        await pilot.pause()
        await pilot.press("l")
        await pilot.pause()

asyncio.run(main())
"""


def test_a_verdict_is_kept_when_the_app_is_killed_before_the_next_pair_is_painted(
    judged_project: Project, store: Store
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_A_KEY, str(judged_project.folder)],
        cwd=Path(screens.compare.__file__).parents[1],
        env={**os.environ, "TEXTUAL_ANIMATIONS": "none"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert verdicts(store) == ["right"]


@pytest.mark.usefixtures("unhurried")
async def test_a_full_disk_is_said_and_the_pair_stays(judged_project: Project, store: Store) -> None:
    async with opened(judged_project) as (pilot, screen):
        connection = screen.studio.store.connection
        before = texts(screen)
        connection.execute("PRAGMA query_only=ON")
        await pilot.press("h")
        await pilot.pause()
        assert verdicts(store) == []
        assert texts(screen) == before
        assert any("can't be" in note.message for note in screen.studio._notifications)
        connection.execute("PRAGMA query_only=OFF")
        await pilot.press("h")
        await pilot.pause()
        assert verdicts(store) == ["left"]
        assert texts(screen) != before
