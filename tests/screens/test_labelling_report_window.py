"""How it goes: the report over Compare, for one queue or person after the other, and hostile names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.labelling_report import LabellingReportWindow
from store import examples, journal, pairs, responses
from store.database import Store
from studio.project import Project, open_project

SHOWN = "2026-01-11T10:00:00+00:00"

HOSTILE = "\x1b]52;c;aGk=\x07 [b]model[/b] \u202e"


@pytest.fixture
def judged(project: Project, store: Store) -> Project:
    """A project with four pairs of two authors, judged by oneself in two queues and by another."""
    for number in range(1, 5):
        prompt = [{"role": "user", "content": f"Question {number}"}]
        example = examples.add(store, record_id=None, messages=prompt, split="train")
        ids = [
            responses.add(store, example, [{"role": "assistant", "content": name}], origin="model", author=name)
            for name in ("base", HOSTILE)
        ]
        pair = pairs.get(store, pairs.add_pair(store, example, *ids, seed=0))
        journal.judge(store, pair, "left", rater=project.rater, task="tone" if number < 2 else "", shown_at=SHOWN)
        if number == 4:
            journal.judge(store, pair, "right", rater="Ben", purpose="second")
    return project


@asynccontextmanager
async def opened(
    project: Project, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], LabellingReportWindow]]:
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size) as pilot:
        await pilot.press("3", "i")
        await pilot.pause()
        window = app.screen
        assert isinstance(window, LabellingReportWindow)
        await counted(pilot)
        yield pilot, window


async def counted(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def heading(window: LabellingReportWindow) -> str:
    return str(window.heading.content)


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (60, 20)])
async def test_ones_own_verdicts_come_first(judged, size) -> None:
    async with opened(judged, size) as (pilot, window):
        assert heading(window) == "How it goes: you, all queues"
        text = " ".join(window.text.plain.split())
        assert "pairs with a verdict: 4" in text
        assert "base is ahead of" in text
        assert "4 to 0 (0 ties, 0 both bad), won 4/4 = 100% [51%, 100%]" in text
        assert "two people on one pair" not in text
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, LabellingReportWindow)


async def test_names_from_data_reach_the_screen_safely(judged) -> None:
    async with opened(judged) as (_, window):
        assert "\x1b" not in window.text.plain
        assert "\u202e" not in window.text.plain
        assert "[b]model[/b]" in window.text.plain


async def test_one_person_after_the_other_and_everybody(judged) -> None:
    async with opened(judged) as (pilot, window):
        found = []
        for _ in range(3):
            await pilot.press("w")
            await counted(pilot)
            found.append(heading(window).split(": ")[1])
        assert found == ["Ben, all queues", "everybody, all queues", "you, all queues"]


async def test_one_queue_after_the_other(judged) -> None:
    async with opened(judged) as (pilot, window):
        found = []
        for _ in range(3):
            await pilot.press("o")
            await counted(pilot)
            found.append((heading(window).split(", ")[1], "with a verdict: 1\n" in window.text.plain))
        assert found == [("queue all pairs", False), ("queue tone", True), ("all queues", False)]


async def test_counting_again_finds_what_came_in(judged) -> None:
    async with opened(judged) as (pilot, window):
        with judged.open_store() as store:
            journal.undo(store, rater=judged.rater)
        await pilot.press("r")
        await counted(pilot)
        assert "pairs with a verdict: 3" in window.text.plain


async def test_without_a_verdict_of_ones_own_everybody_is_counted(judged, monkeypatch) -> None:
    monkeypatch.setenv("TUNING_STUDIO_RATER", "Cleo")
    async with opened(judged) as (_, window):
        assert heading(window) == "How it goes: everybody, all queues"
        assert "pairs with a verdict: 4" in window.text.plain


async def test_a_project_without_pairs_says_what_to_do(project) -> None:
    async with opened(project) as (_, window):
        assert "Import a file with two responses a prompt" in window.text.plain
