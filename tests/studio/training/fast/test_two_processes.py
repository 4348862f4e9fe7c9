"""Pairs learnt by two processes that each hold the whole model: the fast way and TRL's own end alike."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.studio.training.fast.test_fast_paths import lora, pairs_of, trainer_of

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

ROOT = Path(__file__).parents[4]


def learn(model_folder: Path, folder: Path) -> None:
    """Train as one of the processes; write what was learnt by each way."""
    for fast in ("true", "false"):
        recipe = lora("dpo", f"fast={fast}", "batch_size=1")
        more = {"max_steps": 3, "learning_rate": 1e-2, "save_strategy": "no", "per_device_eval_batch_size": 1}
        torch.manual_seed(1)
        trainer: Any = trainer_of(recipe, model_folder, folder, pairs_of(7), **more)
        trainer.train()
        learnt = [weight.detach().flatten() for weight in trainer.model.parameters() if weight.requires_grad]
        torch.save(torch.cat(learnt), folder / f"{fast}.{os.environ['RANK']}.pt")


def test_two_processes_learn_alike_in_both_ways(small: Path, tmp_path: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "ACCELERATE_USE_CPU": "true",
        "TUNING_STUDIO_CACHE": str(tmp_path / "cache"),
    }
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [sys.executable, "-m", *launcher, __file__, str(small), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    fast, *others = (torch.load(tmp_path / f"{way}.{rank}.pt") for way in ("true", "false") for rank in "01")
    for other in others:
        assert torch.allclose(fast, other, rtol=1e-3, atol=1e-5)


if __name__ == "__main__":
    learn(Path(sys.argv[1]), Path(sys.argv[2]))
