"""Runs whose folders are written and whose trainers are not started."""

from collections.abc import Callable
from pathlib import Path

import pytest

from store import runs
from store.database import Store
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.launch import start_run
from studio.training.waiting import queue

QUICK = ["lora_rank=4", "device=cpu", "dtype=fp32", "batch_size=2"]

StartRun = Callable[..., str]


@pytest.fixture
def write_run(judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> StartRun:
    """Write the folder of a run of `judged` and return its id; it counts as stopped."""

    def stay(store: Store, run_id: str, _folder: RunFolder) -> None:
        runs.update(store, run_id, status="stopped")

    monkeypatch.setattr(queue, "spawn_trainer", stay)

    def write(method: str = "dpo", *overrides: str) -> str:
        return start_run(judged, store, method, model=str(tiny_model), overrides=[*QUICK, *overrides])

    return write
