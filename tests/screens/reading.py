"""The screen as plain text, and waiting for it."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot


def screen_text(app: App[Any]) -> str:
    """Return what is on the screen as lines of plain text, blanks at line ends cut."""
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until(pilot: Pilot[Any], condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for a condition, for threads are not waited for by `pilot.pause`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "the screen did not come to the awaited state"
        await pilot.pause(0.02)
