"""Comments, reasons and criteria: with the pair they were begun on, never lost, asked on after a restart."""

import pytest
from labelling import comments, line, opened, press, set_task, verdicts
from stored import current_verdicts, standing_criteria

from store.database import Store
from studio.project import Project

REASONS = 'name = "why"\nreasons = ["wrong", "too [b]long[/b]", "cold"]'
CRITERIA = 'name = "rubric"\ncriteria = ["truth", "tone"]'


def criteria(store: Store, pair_id: int) -> list[tuple[str, str | None]]:
    return [(entry.criterion, entry.verdict) for entry in standing_criteria(store) if entry.pair_id == pair_id]


def question(screen) -> str:
    return str(screen.question.content)


async def test_a_comment_takes_letters_without_judging(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await pilot.press("c", *"hlt")
        assert screen.unsaved
        await pilot.press("enter")
        await pilot.pause()
        assert not screen.lines.comment.display
        assert not screen.unsaved
    assert comments(store, 1) == ["hlt"]
    assert verdicts(store) == []


async def test_a_comment_put_aside_goes_on_where_it_was(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await pilot.press("c", *"not ", "escape")
        await pilot.pause()
        assert "Comment: not" in line(screen)
        assert screen.unsaved
        await pilot.press("c", *"kind", "enter")
        await pilot.pause()
    assert comments(store, 1) == ["not kind"]


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("leaving", ["tab", "escape"])
async def test_a_comment_that_was_left_is_saved_with_the_verdict_on_its_pair(
    waiting_pairs: Project, store: Store, leaving: str
) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "c", *"good", leaving, "h")
        assert "Comment" not in line(screen)
        await press(pilot, "h")
    assert comments(store, 1) == ["good"]
    assert comments(store, 2) == []


@pytest.mark.usefixtures("unhurried")
async def test_a_comment_stays_with_its_pair_when_a_verdict_is_undone(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, _):
        await press(pilot, "h", "c", *"good", "tab", "u", "c", *"bad", "tab", "ctrl+r")
    assert comments(store, 1) == ["bad"]
    assert comments(store, 2) == ["good"]


async def test_what_was_begun_is_there_after_a_restart(waiting_pairs: Project, store: Store) -> None:
    set_task(waiting_pairs, REASONS)
    async with opened(waiting_pairs) as (pilot, _):
        await pilot.press("c", *"kind", "tab", "r", "3")
        await pilot.pause()
        pilot.app.exit()
    assert comments(store, 1) == []
    async with opened(waiting_pairs) as (pilot, screen):
        assert line(screen) == "Reasons: cold (r); Comment: kind (c)"
        await pilot.press("c", "enter")
    assert comments(store, 1) == ["kind"]


@pytest.mark.usefixtures("unhurried")
async def test_reasons_are_chosen_by_digits_and_saved_with_the_verdict(waiting_pairs: Project, store: Store) -> None:
    set_task(waiting_pairs, REASONS)
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "r", "1", "2", "1", "9", "3")
        assert screen.unsaved
        await press(pilot, "enter")
        assert "Reasons: too [b]long[/b], cold" in line(screen)
        await press(pilot, "h", "r", "1", "l")
        assert not screen.unsaved
    found = [(entry.verdict, entry.reasons) for entry in current_verdicts(store)]
    assert found == [("left", ("too [b]long[/b]", "cold")), ("right", ("wrong",))]


@pytest.mark.usefixtures("unhurried")
async def test_an_undone_verdict_brings_its_reasons_back(waiting_pairs: Project, store: Store) -> None:
    set_task(waiting_pairs, REASONS)
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "r", "1", "h", "u")
        assert "Reasons: wrong" in line(screen)
        await press(pilot, "l")
    [entry] = current_verdicts(store)
    assert (entry.verdict, entry.reasons) == ("right", ("wrong",))


async def test_a_task_without_reasons_says_so(waiting_pairs: Project) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "r")
        assert not screen.lines.reasons.display


@pytest.mark.usefixtures("unhurried")
async def test_criteria_come_before_the_verdict_and_go_on_after_a_restart(waiting_pairs: Project, store: Store) -> None:
    set_task(waiting_pairs, CRITERIA)
    async with opened(waiting_pairs) as (pilot, screen):
        assert question(screen) == "1 of 2: which is better by truth?"
        left = screen.panes.left.plain
        await press(pilot, "h")
        assert criteria(store, 1) == [("truth", "left")]
    async with opened(waiting_pairs) as (pilot, screen):
        assert question(screen) == "2 of 2: which is better by tone?"
        assert screen.panes.left.plain == left
        await press(pilot, "l")
        assert question(screen) == "And on the whole: which is better?"
        assert verdicts(store) == []
        await press(pilot, "t")
        assert "Question 1" in screen.panes.prompt.plain
        assert question(screen) == "1 of 2: which is better by truth?"
    assert criteria(store, 1) == [("truth", "left"), ("tone", "right")]
    assert verdicts(store) == ["tie"]


@pytest.mark.usefixtures("unhurried")
async def test_undo_and_redo_go_through_criteria(waiting_pairs: Project, store: Store) -> None:
    set_task(waiting_pairs, CRITERIA)
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "h", "l", "t", "u")
        assert question(screen) == "And on the whole: which is better?"
        await press(pilot, "u", "u")
        assert question(screen) == "1 of 2: which is better by truth?"
        assert criteria(store, 1) == []
        await press(pilot, "ctrl+r")
        assert question(screen) == "2 of 2: which is better by tone?"
        await press(pilot, "ctrl+r", "ctrl+r")
        assert "Question 1" in screen.panes.prompt.plain
    assert criteria(store, 1) == [("truth", "left"), ("tone", "right")]
    assert verdicts(store) == ["tie"]


@pytest.mark.usefixtures("unhurried")
async def test_a_pair_is_skipped_from_amid_its_criteria(waiting_pairs: Project, store: Store) -> None:
    set_task(waiting_pairs, CRITERIA)
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "h", "s")
        assert "Question 1" in screen.panes.prompt.plain
    assert verdicts(store) == ["skip"]
