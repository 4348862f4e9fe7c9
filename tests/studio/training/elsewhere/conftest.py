"""Runs whose folders are written and whose trainers are not started, and what trainers leave."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from store import runs
from store.database import Store
from studio.project import Project
from studio.training.elsewhere import results
from studio.training.elsewhere.bundle import bundle
from studio.training.folder import RunFolder, Status, write_json
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


@pytest.fixture
def carried(judged: Project, store: Store, write_run: StartRun, tmp_path: Path) -> tuple[str, Path]:
    """A run, and its bundle in a folder."""
    run_id = write_run("dpo", "epochs=1")
    bundle(judged, store, run_id, tmp_path / "away")
    return run_id, tmp_path / "away"


def pretend(
    away: Path, run_id: str, *, status: str = "done", step: int = 4, ended_at: str | None = "2026-01-02"
) -> None:
    """Leave what a trainer leaves, in a bundle or in a project."""
    folder = RunFolder(away / "runs" / run_id)
    folder.adapter.mkdir(exist_ok=True)
    (folder.adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/there/model"}))
    (folder.adapter / "adapter_model.safetensors").write_bytes(bytes(step))
    checkpoint = folder.checkpoints / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / "trainer_state.json").write_text("{}")
    lines = [json.dumps({"step": n, "at": "2026-01-01", "values": {"loss": 1.0 / n}}) for n in range(1, step + 1)]
    folder.metrics.write_text("\n".join(lines) + "\n")
    result = {"held_out_loss": 0.5, "steps": step}
    write_json(folder.status, Status(status, 1, 1.0, "", step, 4, "2026-01-01", ended_at, None, result))  # type: ignore[arg-type]
    subprocess.run(
        [sys.executable, "-m", "studio.training.elsewhere.results", str(folder.path)],
        env={**os.environ, "PYTHONPATH": str(Path(results.__file__).parents[3])},
        check=True,
    )
