"""Whole screens as plain text; UPDATE_SNAPSHOTS=1 writes them anew after a change that was looked at."""

import os
from pathlib import Path

import pytest
from chatting import Answers, add_run, opened, say
from letters import turns
from reading import screen_text, until

from screens.app import StudioApp
from screens.list_detail import SEARCH_DELAY
from store import examples, pairs, responses
from store.database import Store
from studio.labelling.sides import Sides
from studio.project import Project

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
KEYS = {
    "data": ["j"],
    "data-query": ["slash", *"has:flog"],
    "data-unreadable": ["p"],
    "duplicates": ["D"],
    "findings-not-run": ["L"],
    "column-statistics": ["C"],
    "tags": ["t"],
    "saved-queries": ["p", "S"],
    "data-hostile": ["s", "s", "j"],
    "examples": ["2"],
    "examples-replies": ["2", *"j" * 12, "n"],
    "editor": ["2", "e"],
    "help": ["question_mark"],
    "compare-nothing-left": ["3"],
    "train-no-runs": ["4"],
    "chat": ["5"],
    "export": ["E"],
}

GROUPS = ("find", "count", "columns", "report")
"""Of the workers whose results are on the screens."""


def check(name: str, text: str) -> None:
    """Compare a screen with the one that is kept."""
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text + "\n", encoding="utf-8")
    assert path.is_file(), f"there is no {path.name}; run with UPDATE_SNAPSHOTS=1 and look at it"
    assert text + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", KEYS)
async def test_screen_looks_as_kept(filled: Project, name: str, size: str) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=SIZES[size]) as pilot:
        await pilot.press(*KEYS[name])
        # A query is answered by a thread.
        await app.workers.wait_for_complete([worker for worker in app.workers if worker.group in GROUPS])
        await pilot.pause(SEARCH_DELAY * 2)
        check(f"{name}-{size}", screen_text(app))


@pytest.mark.parametrize("size", SIZES)
async def test_a_pair_looks_as_kept(filled: Project, store: Store, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Sides are dealt out by chance.
    monkeypatch.setattr(Sides, "seed", lambda *_: 0)
    opening = [{"role": "system", "content": "Be kind."}, *turns("Where is [my] parcel?\nIt left on Monday.")]
    example = examples.add(store, record_id=None, messages=opening, split="train")
    replies = [
        responses.add(store, example, [{"role": "assistant", "content": text}], origin="file", author="Ada")
        for text in ("It comes on Friday.\nAda", "No idea. " * 60)
    ]
    pairs.add_pair(store, example, *replies, seed=2)
    app = StudioApp(filled)
    async with app.run_test(size=SIZES[size]) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "which one is better?" in screen_text(app))
        check(f"compare-first-use-{size}", screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "1 of 2 done" in screen_text(app))
        check(f"compare-{size}", screen_text(app))


@pytest.mark.parametrize("size", SIZES)
async def test_a_chat_looks_as_kept(project: Project, store: Store, size: str, answers: Answers) -> None:
    run_id = add_run(project, store)
    answers.said |= {"smollm2": "It left on Monday.\n\n- by post", run_id: "No idea. " * 40}
    async with opened(project, SIZES[size]) as (pilot, screen):
        await say(pilot, screen, "Where is [my] parcel?")
        await pilot.press("r")
        await until(pilot, lambda: not screen.busy)
        await pilot.press("w", "l")
        await pilot.pause()
        check(f"chat-replies-{size}", screen_text(pilot.app))


@pytest.mark.model
@pytest.mark.parametrize("size", SIZES)
async def test_tokens_look_as_kept(filled: Project, size: str, base_model: object) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=SIZES[size]) as pilot:
        await pilot.press("2", "v", "v")
        await until(pilot, lambda: "|im_start|" in screen_text(app))
        check(f"tokens-{size}", screen_text(app))
