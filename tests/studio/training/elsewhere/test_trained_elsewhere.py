"""A run that is carried off, trained there in one process or several, and brought back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from store import runs
from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.training.elsewhere.bundle import bundle
from studio.training.elsewhere.import_run import take_back
from studio.training.folder import RunFolder, read_status
from tests.studio.training.elsewhere.conftest import StartRun

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("elsewhere")]

LEAN = ["gradient_accumulation=2", "evaluations=1", "samples=0", "general_text=false", "learning_rate=0.01"]
WHOLE_STEPS = "max_steps=3"
"""Of four rows each: at the ragged end of an epoch several processes repeat rows, so as to be done together."""


_PYTHONS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def train_there(folder: Path, *way: str) -> None:
    """Start a bundle's own script, with nothing of this repository in Python's way but the packages."""
    environment = {name: value for name, value in os.environ.items() if name not in _PYTHONS}
    environment |= {"PYTHON": sys.executable, "PROCESSES": "2", "PORT": "29617"}
    done = subprocess.run(
        ["sh", "run.sh", *way], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    log = next(folder.glob("runs/*/log.txt"))
    assert done.returncode == 0, done.stderr + log.read_text()[-3000:]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(folder / "adapter" / "adapter_model.safetensors")
    return found


def test_several_processes_learn_what_one_learns_and_the_results_come_back(
    judged: Project, store: Store, write_run: StartRun, tmp_path: Path
) -> None:
    run_id = write_run("dpo", *LEAN, WHOLE_STEPS)
    alone, together = tmp_path / "alone", tmp_path / "together"
    bundle(judged, store, run_id, alone, with_model=True)
    shutil.copytree(alone, together)
    train_there(alone)
    train_there(together, "cpu")
    assert list((alone / "source" / "studio" / "training").rglob("course.*.pyc")), "it trained with its own code"
    one, two = (weights(folder / "runs" / run_id) for folder in (alone, together))
    assert one.keys() == two.keys()
    moved = max(tensor.abs().max() for name, tensor in one.items() if "lora_B" in name)
    apart = max((one[name] - two[name]).abs().max() for name in one)
    assert moved > 0.01
    assert apart < 1e-3 * moved
    status = read_status(RunFolder(together / "runs" / run_id))
    assert status is not None
    assert status.status == "done"
    assert len((together / "runs" / run_id / "metrics.jsonl").read_text().splitlines()) == len(
        (alone / "runs" / run_id / "metrics.jsonl").read_text().splitlines()
    )

    taken = take_back(judged, store, together)
    run = runs.get(store, run_id)
    assert (taken.run, run.status, run.result["steps"]) == (run_id, "done", status.step)
    assert [m.step for m in runs.metrics(store, run_id)["loss"]] == list(range(1, status.step + 1))
    back = weights(judged.runs / run_id)
    assert all(torch.equal(back[name], two[name]) for name in two)
    with pytest.raises(StudioError, match="has these results already"):
        take_back(judged, store, together)
    with pytest.raises(StudioError, match="is done here already"):
        take_back(judged, store, alone)
