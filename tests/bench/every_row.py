"""Every row of every file, shown in Data and in Examples: no exception, no control character, no long stall.

    python tests/bench/every_row.py [FILE...] [--stride N] [--prompt FIELD --completion FIELD]

Imports the files into a project of its own, drives the app without a terminal, goes from row to row (to every Nth) and
through the views, and prints for each area how many rows were shown and the longest time that the app could not have
taken a key; and how much of such a time it worked at most, for other programs hold it up too. Fields are named for
files that make no examples otherwise.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

import sample_data
from screens.app import StudioApp
from screens.list_detail import ListDetailScreen
from studio.errors import StudioError
from studio.importing import import_file
from studio.mapping import Mapping
from studio.project import Project, create_project

SIZE = (80, 24)
BEAT = 0.005
DEMO = Path(sample_data.__path__[0]) / "support" / "emails.jsonl"
COMMANDS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
"""What must never reach a terminal: controls, line ends, zero-width and direction characters."""


@dataclass
class Walk:
    """What came of going through the rows of an area."""

    rows: int = 0
    longest: float = 0.0
    """Seconds of the longest stall."""
    at: int = 0
    """The row where it was."""
    worked: float = 0.0
    """Seconds of the processor's time in one stall, at most."""


@contextmanager
def pulse(walk: Walk, app: StudioApp) -> Iterator[None]:
    """Note for how long the event loop is kept from its turn."""

    async def beat() -> None:
        while True:
            begun, before = time.perf_counter(), time.process_time()
            await asyncio.sleep(BEAT)
            stall = time.perf_counter() - begun - BEAT
            walk.worked = max(walk.worked, min(stall, time.process_time() - before))
            if stall > walk.longest and isinstance(app.screen, ListDetailScreen):
                walk.longest, walk.at = stall, app.screen.table.cursor_id or 0

    task = asyncio.get_running_loop().create_task(beat())
    try:
        yield
    finally:
        task.cancel()


async def walk_area(app: StudioApp, pilot: Pilot[None], area: str, stride: int) -> Walk:
    """Show every `stride`-th row of an area, each in one of its views; return what came of it.

    Raises:
        AssertionError: a row brought a character to the screen that commands terminals.
    """
    screen = await app.show_area(area)
    assert isinstance(screen, ListDetailScreen)
    await pilot.pause()
    walk = Walk()
    with pulse(walk, app):
        for number, row_id in enumerate(list(screen.table.ids)[::stride]):
            screen.go_to(row_id)
            # At once, where a person would have let the cursor stand still.
            screen.read_again()
            if number % 5 == 0:
                await pilot.press("v")
            await pilot.pause()
            found = COMMANDS.search(picture(app))
            assert found is None, f"{area} {row_id} shows {found and found[0]!r}"
            walk.rows += 1
    return walk


def picture(app: StudioApp) -> str:
    """Return the text on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def walk_project(project: Project, stride: int) -> dict[str, Walk]:
    """Go through Data and Examples of a project."""
    app = StudioApp(project)
    async with app.run_test(size=SIZE) as pilot:
        return {area: await walk_area(app, pilot, area, stride) for area in ("data", "examples")}


def main() -> None:
    """Print what came of each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, default=[DEMO], help="the demo's e-mails unless named")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--prompt")
    parser.add_argument("--completion")
    arguments = parser.parse_args()
    named = {"prompt": arguments.prompt, "completion": arguments.completion}
    mapping = Mapping({role: field for role, field in named.items() if field}) if any(named.values()) else None
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(arguments.files):
            project = create_project(Path(folder) / str(number))
            with project.open_store() as store:
                try:
                    import_file(project, store, file, mapping=mapping)
                except StudioError as error:
                    sys.exit(str(error))
            for area, walk in asyncio.run(walk_project(project, arguments.stride)).items():
                print(
                    f"{file.name:<48} {area:<9} {walk.rows:>7,} rows; longest stall {walk.longest * 1000:6.1f} ms"
                    f" (row {walk.at}), work in one {walk.worked * 1000:6.1f} ms",
                    flush=True,
                )


if __name__ == "__main__":
    main()
