"""The list of all verdicts: what became of each, the pair as it was shown, and the one that is judged anew."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.verdict_history import VerdictHistory
from store import examples, journal, pairs, responses
from store.database import Store
from store.journal import Entry
from studio.project import Project, open_project

HOSTILE = "\x1b]52;c;aGk=\x07 [b]bold[/b] \u202e"


@pytest.fixture
def judged(project: Project, store: Store) -> Project:
    """A project with four pairs: one judged, one undone, one asked again with the sides swapped, one by another."""
    for number in range(1, 5):
        prompt = [{"role": "user", "content": f"Question {number} {HOSTILE}"}]
        example = examples.add(store, record_id=None, messages=prompt, split="train")
        ids = [
            responses.add(
                store,
                example,
                [{"role": "assistant", "content": f"Answer {letter}{number}"}],
                origin="model",
                author=f"model-{letter}",
                parameters={"temperature": 0.5},
            )
            for letter in "AB"
        ]
        pairs.add_pair(store, example, *ids, seed=0)
    mine = project.rater
    first, second, third, fourth = (pairs.get(store, number) for number in range(1, 5))
    journal.judge(store, first, "left", rater=mine, strength="clearly", reasons=("wrong fact",), note="see [1]")
    journal.judge(store, second, "tie", rater=mine)
    journal.undo(store, rater=mine)
    journal.judge(store, third, "left", rater=mine, task="tone")
    journal.judge(store, third._replace(seed=1), "right", rater=mine, purpose="repeat")
    journal.comment(store, third.id, "a remark", rater="Ben")
    journal.judge(store, fourth, "left", rater="Ben")
    return project


@asynccontextmanager
async def opened(project: Project, given: list[Entry | None]) -> AsyncIterator[tuple[Pilot[None], VerdictHistory]]:
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=(80, 24)) as pilot:
        window = VerdictHistory(None)
        app.push_screen(window, given.append)
        await app.workers.wait_for_complete()
        await pilot.pause()
        yield pilot, window


def lines(window: VerdictHistory) -> list[str]:
    table = window.table
    return [table.render_line(y).text for y in range(1, len(table.ids) + 1)]


async def test_newest_first_with_what_became_of_each(judged) -> None:
    async with opened(judged, []) as (_, window):
        found = [" ".join(line[18:].split()) for line in lines(window)]
        assert [text.split(" ")[0] for text in found] == ["right", "left", "tie", "clearly"]
        assert "asked again" in found[0]
        assert "counts" in found[1]
        assert "tone" in found[1]
        assert "taken back" in found[2]
        assert found[3].startswith("clearly left better")
        assert "your 4 verdicts" in str(window.heading.content).lower()


async def test_the_pair_is_shown_as_it_was_and_blind_until_asked(judged) -> None:
    async with opened(judged, []) as (pilot, window):
        text = window.text.plain
        assert text.index("Answer B3") < text.index("Answer A3")
        assert "Right: better" in text
        assert "a remark" in text
        assert "model-A" not in text
        assert "\x1b" not in text
        await pilot.press("w")
        assert "model-A at temperature 0.5" in window.text.plain
        await pilot.press("w", "G")
        assert "model-A" not in window.text.plain
        assert "Left: better" in window.text.plain
        assert "[wrong fact] see [1]" in window.text.plain


async def test_enter_gives_the_verdict_and_escape_none(judged) -> None:
    given: list[Entry | None] = []
    async with opened(judged, given) as (pilot, _):
        await pilot.press("j", "j", "enter")
        await pilot.pause()
        assert given[0] is not None
        assert (given[0].pair_id, given[0].verdict) == (2, "tie")
    async with opened(judged, given) as (pilot, _):
        await pilot.press("escape")
        await pilot.pause()
        assert given[1] is None


async def test_what_is_out_of_use_is_not_judged_anew(judged, store) -> None:
    given: list[Entry | None] = []
    examples.set_excluded(store, 3, True)
    async with opened(judged, given) as (pilot, window):
        await pilot.press("enter")
        await pilot.pause()
        assert any("out of use" in note.message for note in window.app._notifications)
        assert given == []


async def test_nobody_elses_verdicts_are_listed(project) -> None:
    async with opened(project, []) as (_, window):
        assert "No verdict of yours yet; h, l, t or b on a pair gives one." in window.table.render_line(2).text
