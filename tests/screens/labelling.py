"""The Compare screen opened on a project, and what came of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stored import current_verdicts
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.compare import CompareScreen
from store import examples, journal, pairs, responses
from store.database import Store
from studio.project import Project, open_project

UNRULY = "\x1b]52;c;aGk=\x07 [b]bold[/b] [/nothing] \u202e"


@asynccontextmanager
async def opened(
    project: Project, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], CompareScreen]]:
    """Open a project that was left at Compare."""
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        yield pilot, screen


async def settled(pilot: Pilot[None]) -> None:
    """Wait for what goes on in threads, and for what it changes."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, each once the one before has been painted."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def verdicts(store: Store) -> list[str | None]:
    """Return the verdicts that count."""
    return [entry.verdict for entry in current_verdicts(store)]


def comments(store: Store, pair_id: int) -> list[str]:
    """Return the comments on a pair."""
    return [entry.note for entry in journal.entries(store, pair_id=pair_id) if entry.kind == "comment"]


def texts(screen: CompareScreen) -> tuple[str, str]:
    """Return what the two replies say."""
    return screen.panes.left.plain, screen.panes.right.plain


def line(screen: CompareScreen) -> str:
    """Return what the line over the keys says."""
    return str(screen.lines.counter.content)


def set_task(project: Project, toml: str) -> None:
    """Write the only task into the settings."""
    with (project.folder / "studio.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[[tasks]]\n{toml}\n")


def add_replies(store: Store, question: str, first: str, second: str) -> int:
    """Add a pair of replies that waits for a verdict; return its id."""
    example = examples.add(store, record_id=None, messages=[{"role": "user", "content": question}], split="train")
    ids = [
        responses.add(store, example, [{"role": "assistant", "content": text}], origin="model", author=author)
        for text, author in ((first, "base"), (second, "tuned"))
    ]
    return pairs.add_pair(store, example, *ids, seed=0)
