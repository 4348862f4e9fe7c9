"""A run that is carried off, trained there in one process or several, and brought back."""

import os
import shutil
import socket
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


def train_on_two_machines(folders: tuple[Path, Path], temporary: Path) -> tuple[int, int]:
    """Start a bundle's own script as on two machines, each with a folder for what is temporary; return how they end."""
    started = []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    for machine, folder in enumerate(folders):
        own = temporary / str(machine)
        own.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if name not in _PYTHONS}
        environment |= {"PYTHON": sys.executable, "PROCESSES": "2", "PORT": port, "TMPDIR": str(own)}
        environment |= {"MACHINES": "2", "MACHINE": str(machine)}
        started.append(subprocess.Popen(["sh", "run.sh", "cpu"], cwd=folder, env=environment))
    try:
        return started[0].wait(240), started[1].wait(240)
    finally:
        for process in started:
            process.terminate()
            process.wait(60)


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


def test_machines_that_see_other_folders_are_refused_and_with_one_folder_they_train(
    judged: Project, store: Store, write_run: StartRun, tmp_path: Path
) -> None:
    run_id = write_run("dpo", *LEAN, "fast=false", "batch_size=8", "gradient_accumulation=1")
    one, copy = tmp_path / "one", tmp_path / "copy"
    bundle(judged, store, run_id, one, with_model=True)
    shutil.copytree(one, copy)
    folder = RunFolder(one / "runs" / run_id)

    assert 0 not in train_on_two_machines((one, copy), tmp_path / "temporary")
    status = read_status(folder)
    assert status is not None
    assert (status.status, status.step) == ("failed", 0)
    said = "1 of 2 processes do not see the run folder of the others. Put it on a disk that all machines see"
    assert said in (status.error or "")
    assert said in (copy / "runs" / run_id / "log.txt").read_text(), "where no status tells it"

    assert train_on_two_machines((one, one), tmp_path / "temporary") == (0, 0), folder.log.read_text()[-3000:]
    status = read_status(folder)
    assert status is not None
    assert (status.status, status.step) == ("done", status.total_steps)
    assert not folder.together.exists()
    assert not list((tmp_path / "temporary").rglob("*.arrow"))
    assert take_back(judged, store, one).status == "done"
