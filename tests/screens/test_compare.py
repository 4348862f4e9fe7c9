"""Compare: keys judge, save before they show, undo across restarts, and never judge what was not seen."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from labelling import add_replies, line, opened, press, set_task, settled, texts, verdicts
from reading import screen_text
from stored import current_verdicts

import screens.compare_asked
from screens.editor import ConversationEditor
from screens.widgets.text_view import TextView
from store import examples, interface_state, journal, responses
from store.database import Store
from studio.project import Project


@pytest.mark.usefixtures("unhurried")
async def test_each_key_writes_its_verdict_and_shows_the_next_pair(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        for key, number in (("h", 0), ("right", 1), ("t", 2), ("s", 3)):
            assert f"Question {number}" in screen.panes.prompt.plain
            await pilot.press(key)
            await pilot.pause()
        assert screen.nothing.display
        assert "No pair is left to decide" in str(screen.nothing.content)
        assert "4 of 4 done, 0 left, 1 skipped" in line(screen)
    assert verdicts(store) == ["left", "right", "tie", "skip"]
    entry = journal.current_verdict(store, 1)
    assert entry is not None
    assert entry.shown_at is not None
    assert entry.shown_at < entry.answered_at


async def test_pairs_are_shown_blind(waiting_pairs: Project) -> None:
    async with opened(waiting_pairs) as (_, screen):
        left, right = texts(screen)
        assert {left[:9], right[:9]} == {"Answer A0", "Answer B0"}
        painted = "\n".join([screen.panes.prompt.plain, left, right])
    assert "author" not in painted
    assert "\x1b" not in painted
    assert "[b]bold[/b] [/nothing]" in painted


@pytest.mark.usefixtures("unhurried")
async def test_the_reply_that_was_on_the_left_is_the_one_that_is_kept_as_better(
    waiting_pairs: Project, store: Store
) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        for pair_id in (1, 2, 3):
            left = screen.panes.left.plain[:9]
            await press(pilot, "h")
            entry = journal.current_verdict(store, pair_id)
            assert entry is not None
            better = entry.chosen_and_rejected
            assert better is not None
            assert responses.get(store, better[0]).messages[0]["content"].startswith(left)


async def test_a_held_key_judges_one_pair_only(
    waiting_pairs: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine that runs this is, the keys come within the quiet time.
    monkeypatch.setattr(screens.compare_asked, "QUIET_SECONDS", 0.0)
    async with opened(waiting_pairs) as (pilot, _):
        await pilot.press("h")
        monkeypatch.setattr(screens.compare_asked, "QUIET_SECONDS", 60.0)
        await pilot.press(*"hhhhhh")
        await pilot.pause()
    assert verdicts(store) == ["left"]


@pytest.mark.usefixtures("unhurried")
async def test_a_key_before_the_paint_judges_nothing(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (_, screen):
        screen.action_judge("left")
        # In the same turn of the loop nothing was painted in between.
        screen.action_judge("right")
        screen.action_judge("right")
    assert verdicts(store) == ["left"]


@pytest.mark.usefixtures("unhurried")
async def test_undo_and_redo_work_after_a_restart(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, _):
        await pilot.press("h")
        await pilot.pause()
        await pilot.press("t")
        await pilot.pause()
    async with opened(waiting_pairs) as (pilot, screen):
        assert "Question 2" in screen.panes.prompt.plain
        await pilot.press("u")
        await pilot.pause()
        assert "Question 1" in screen.panes.prompt.plain
        assert verdicts(store) == ["left"]
        assert "1 of 4 done, 3 left" in line(screen)
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert verdicts(store) == ["left", "tie"]
        await pilot.press("u", "u", "u")
        await pilot.pause()
        assert verdicts(store) == []


async def test_flag_marks_the_example(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await pilot.press("f")
        await pilot.pause()
        assert examples.get(store, 1).flagged
        assert "flagged" in str(screen.panes.prompt.border_title)
        await pilot.press("f")
        await pilot.pause()
    assert not examples.get(store, 1).flagged


@pytest.mark.usefixtures("unhurried")
async def test_an_edit_beats_both_and_one_undo_takes_it_back(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "tab", "e")
        await press(pilot, "ctrl+home", *"better", "f2")
        assert "Question 1" in screen.panes.prompt.plain
        third = responses.of_example(store, 1)[-1]
        assert third.origin == "human"
        assert third.messages[-1]["content"].startswith("betterAnswer")
        assert "\x1b" in third.messages[-1]["content"]
        losers = [entry.chosen_and_rejected for entry in journal.current_verdicts_of(store, 1)]
        assert sorted(losers[1:]) == [(third.id, 1), (third.id, 2)]
        await press(pilot, "u")
        assert "Question 0" in screen.panes.prompt.plain
        assert journal.current_verdicts_of(store, 1) == []


async def test_an_edit_that_says_what_the_other_reply_says_is_refused_and_not_lost(
    project: Project, store: Store
) -> None:
    add_replies(store, "Why?", "no", "not")
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)
    async with opened(project) as (pilot, screen):
        if screen.panes.left.plain == "not":
            await press(pilot, "tab")
        await press(pilot, "e", "end", "t", "f2")
        editor = pilot.app.screen
        assert isinstance(editor, ConversationEditor)
        assert editor.text.text == "not"
        assert editor.unsaved
    assert verdicts(store) == []


async def test_an_empty_project_says_what_to_do(project: Project, store: Store) -> None:
    interface_state.remember(store, "area", "compare")
    async with opened(project) as (pilot, screen):
        assert "no pairs to compare yet" in str(screen.nothing.content)
        await press(pilot, *"hHtbsurcefmpdvzw", "tab", "enter", "ctrl+r", "escape")
    assert verdicts(store) == []


KILLED_AFTER_A_KEY = """
import asyncio, os, signal, sys
from pathlib import Path
import screens.compare_asked
from screens.app import StudioApp
from screens.compare_panes import PairPanes
from studio.project import open_project

screens.compare_asked.QUIET_SECONDS = 0.0
show = PairPanes.show

def killed_at_the_next_pair(self, shown):
    if shown.pair.id == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    show(self, shown)

PairPanes.show = killed_at_the_next_pair

async def main():
    async with StudioApp(open_project(Path(sys.argv[1]))).run_test() as pilot:
        await pilot.pause()
        await pilot.press("l")
        await pilot.pause()

asyncio.run(main())
"""


def test_a_verdict_is_kept_when_the_app_is_killed_before_the_next_pair_is_painted(
    waiting_pairs: Project, store: Store
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_A_KEY, str(waiting_pairs.folder)],
        cwd=Path(screens.compare_asked.__file__).parents[1],
        env={**os.environ, "TEXTUAL_ANIMATIONS": "none"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert verdicts(store) == ["right"]


@pytest.mark.usefixtures("unhurried")
async def test_a_full_disk_is_said_and_the_pair_stays(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
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


@pytest.mark.usefixtures("unhurried")
async def test_the_first_key_of_all_shows_the_first_pair_and_judges_nothing(project: Project, store: Store) -> None:
    add_replies(store, "Why?", "Because.", "No reason.")
    interface_state.remember(store, "area", "compare")
    set_task(project, 'name = "why"\ninstructions = "The shorter, the better."')
    async with opened(project) as (pilot, screen):
        assert "Enter shows the first pair" in str(screen.nothing.content)
        assert "The shorter, the better." in str(screen.nothing.content)
        await press(pilot, "h")
        assert screen.panes.display
        assert verdicts(store) == []
    async with opened(project) as (pilot, screen):
        assert screen.panes.display
        await press(pilot, "h")
    assert verdicts(store) == ["left"]


async def test_long_instructions_leave_the_key_that_goes_on_in_sight(project: Project, store: Store) -> None:
    add_replies(store, "Why?", "Because.", "No reason.")
    interface_state.remember(store, "area", "compare")
    set_task(project, f'name = "why"\ninstructions = "{"The shorter, the better. " * 60}"')
    for size in ((80, 24), (60, 20)):
        async with opened(project, size) as (pilot, _):
            assert "Enter shows the first pair" in " ".join(screen_text(pilot.app).split())


@pytest.mark.usefixtures("unhurried")
async def test_the_end_of_the_queue_says_what_to_do_next(waiting_pairs: Project) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "h", "l", "t", "b")
        await settled(pilot)
        said = str(screen.nothing.content)
        assert "4 of 4 done" in said
        assert "n: new replies" in said
        await press(pilot, "u")
        assert screen.panes.display
        assert "Question 3" in screen.panes.prompt.plain


@pytest.mark.usefixtures("unhurried")
async def test_a_verdict_called_up_is_left_by_esc_or_judged_anew(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "h")
        [entry] = journal.latest_verdicts(store, rater=waiting_pairs.rater, limit=1)
        left = screen.studio.store and entry.left_id
        screen.judge_anew(entry)
        await pilot.pause()
        assert "Question 0" in screen.panes.prompt.plain
        await press(pilot, "escape")
        assert "Question 1" in screen.panes.prompt.plain
        assert verdicts(store) == ["left"]
        screen.judge_anew(entry)
        await pilot.pause()
        await press(pilot, "l")
        assert "Question 1" in screen.panes.prompt.plain
    [now] = current_verdicts(store)
    assert (now.verdict, now.purpose, now.left_id) == ("right", "change", left)


@pytest.mark.usefixtures("unhurried")
async def test_whose_the_replies_are_is_told_after_the_verdict_only(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "w")
        assert "No pair was judged yet" in line(screen)
        left = screen.panes.left.plain[7]
        await press(pilot, "w", "h", "w")
        assert f"left author-{left}" in line(screen)
        [entry] = journal.latest_verdicts(store, rater=waiting_pairs.rater, limit=1)
        screen.judge_anew(entry)
        await pilot.pause()
        await press(pilot, "w")
        assert "author" not in line(screen)
        assert "Judge this pair first" in line(screen)


@pytest.mark.usefixtures("unhurried")
async def test_strength_is_asked_by_the_task_and_may_be_given_without(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, _):
        await press(pilot, "h", "L")
    set_task(waiting_pairs, 'name = "how much"\nstrength = true')
    async with opened(waiting_pairs) as (pilot, _):
        await press(pilot, "l", "t")
    said = [(entry.verdict, entry.strength) for entry in current_verdicts(store)]
    assert said == [("left", ""), ("right", "clearly"), ("right", "slightly"), ("tie", "")]


async def test_the_help_begins_with_what_the_task_asks_for(waiting_pairs: Project) -> None:
    set_task(waiting_pairs, 'name = "tone"\nstrength = true\ninstructions = "Kinder is [b]better[/b]."')
    async with opened(waiting_pairs) as (pilot, screen):
        assert "tone" in str(screen.panes.prompt.border_title)
        await press(pilot, "question_mark")
        said = pilot.app.screen.query_one(TextView).plain
        assert said.startswith("tone\nKinder is [b]better[/b].")
        assert "h and l say slightly" in said
