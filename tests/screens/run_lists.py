"""Runs as trainers leave them, and the Train screen that lists them."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.train import TrainScreen
from store import interface_state, runs, snapshots
from store.database import Store, now
from store.runs import RunStatus
from store.snapshots import Snapshot
from studio.project import Project, open_project
from studio.training.folder import RunFolder, Status, write_json
from studio.training.recipe import as_table, make_recipe

NO_PROCESS = 2**22 + 1
"""Above the highest process id that Linux gives."""


def add_run(
    project: Project,
    store: Store,
    status: RunStatus,
    *,
    result: dict[str, Any] | None = None,
    steps: int = 7,
    total: int = 10,
    parent: str | None = None,
    lives: bool = False,
) -> str:
    """Leave a run as a trainer of that state would; its process is gone, or is this one."""
    pid, begun = (os.getpid(), psutil.Process().create_time()) if lives else (NO_PROCESS, 1.0)
    snapshots.save(store, Snapshot("abc", "preference", []))
    recipe = as_table(make_recipe("dpo", []))
    run_id = runs.add(
        store, method="dpo", base_model="smollm2", base_hash=None, snapshot_id="abc", recipe=recipe, parent_id=parent
    )
    folder = RunFolder(project.runs / run_id)
    folder.path.mkdir(parents=True)
    write_json(folder.status, Status(status, pid, begun, step=steps, total_steps=total, started_at=now()))
    values = [{"loss": 0.7 - step / 100, "rewards/margins": step / 10} for step in range(1, steps + 1)]
    lines = [json.dumps({"step": step, "at": now(), "values": v}) for step, v in enumerate(values, start=1)]
    folder.metrics.write_text("".join(f"{line}\n" for line in lines))
    folder.log.write_text("loading\n[b]markup[/nothing] \x1b[31mred\nKilled\n")
    runs.update(store, run_id, status=status, pid=pid, pid_started=begun, result=result)
    return run_id


@asynccontextmanager
async def opened(project: Project, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], TrainScreen]]:
    """Open the app at the Train screen."""
    with project.open_store() as store:
        interface_state.remember(store, "area", "train")
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, TrainScreen)
        yield pilot, screen
