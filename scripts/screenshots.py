"""Take the README's screen shots from a project: `python scripts/screenshots.py PROJECT OUT_FOLDER`."""

import asyncio
import sys
from pathlib import Path

from screens.app import StudioApp
from studio.project import open_project

SIZE = (100, 30)
SHOTS = {
    "compare": ["3", "enter"],
    "tokens": ["2", "v", "v", "enter"],
    "train": ["4"],
}
"""The keys that lead to each picture."""
SETTLING_SECONDS = 3.0


async def take(project: Path, out: Path) -> None:
    """Walk the areas and save a picture of each."""
    app = StudioApp(open_project(project))
    async with app.run_test(size=SIZE) as pilot:
        for name, keys in SHOTS.items():
            for key in keys:
                await pilot.press(key)
                await pilot.pause(SETTLING_SECONDS / len(keys))
            app.save_screenshot(f"{name}.svg", str(out))
            await pilot.press("escape")


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]), Path(sys.argv[2])))
