"""Two processes that each hold the whole model: the fast way and TRL's own end alike, and measure as one does."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from studio.training.course.report import StopRequested
from studio.training.fast.reference import OnReference
from studio.training.methods import processes
from studio.training.recipe import make_recipe
from studio.training.rows.telling import silently
from tests.studio.training.fast.small_trainers import learnt_by, lora, pairs_of, texts_of, trainer_of

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

ROOT = Path(__file__).parents[4]


def learn(model_folder: Path, folder: Path) -> None:
    """Train as one of the processes; write what was learnt by each way."""
    # As on machines of their own, which see no more than the run's folder together.
    tempfile.tempdir = str(folder / f"temporary.{os.environ['RANK']}")
    Path(tempfile.tempdir).mkdir()
    for fast in ("true", "false"):
        recipe = lora("dpo", f"fast={fast}", "batch_size=1")
        # Adam makes a whole step of any gradient, also of one that is nothing but rounding.
        more = {"max_steps": 3, "optim": "sgd", "learning_rate": 1.0, "max_grad_norm": 0.0}
        more |= {"save_strategy": "no", "per_device_eval_batch_size": 1}
        torch.manual_seed(1)
        trainer: Any = trainer_of(recipe, model_folder, folder, pairs_of(7), **more)
        before = learnt_by(trainer)
        trainer.train()
        learnt = learnt_by(trainer)
        assert (learnt - before).abs().max() > 1e-3
        torch.save(learnt, folder / f"{fast}.{os.environ['RANK']}.pt")
    (folder / f"measured.{os.environ['RANK']}.json").write_text(json.dumps(measured(model_folder, folder)))
    judged_alone(model_folder, folder / "kto").train()


def measured(model_folder: Path, folder: Path) -> dict[str, float]:
    """Return what is found of three held-out rows, which two processes can't divide."""
    found = {}
    for method, rows in (("sft", texts_of(3)), ("dpo", pairs_of(3))):
        for fast in ("true", "false"):
            torch.manual_seed(1)
            recipe = lora(method, f"fast={fast}", "batch_size=1")
            trainer: Any = trainer_of(recipe, model_folder, folder, rows, per_device_eval_batch_size=1)
            trainer.eval_dataset = trainer.train_dataset
            told = trainer.evaluate()
            found |= {f"{method} {fast} {name}": told[name] for name in told if "loss" in name or "rewards" in name}
    return found


def judged_alone(model_folder: Path, folder: Path, on_reference: OnReference = silently) -> Any:
    """Return a trainer of answers that are judged alone (KTO), whose reference is worked out beforehand."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    from studio.training.methods import unpaired
    from studio.training.trainer.model import adapter_config

    torch.manual_seed(1)
    recipe = make_recipe("kto", ["device=cpu", "dtype=fp32", "lora_rank=4", "batch_size=2"])
    said = [{"prompt_ids": [100 + n, 101], "completion_ids": [120 + n, 121], "label": n % 2 == 0} for n in range(8)]
    rows = Dataset.from_list(said)
    common = {
        "model": AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="sdpa"),
        "train_dataset": rows,
        "eval_dataset": rows.select(range(2)),
        "processing_class": PreTrainedTokenizerFast.from_pretrained(model_folder),
        "peft_config": adapter_config(recipe),
    }
    arguments = {"output_dir": str(folder / "out"), "per_device_train_batch_size": 2, "max_steps": 2, "use_cpu": True}
    arguments |= {"bf16": False, "report_to": "none", "disable_tqdm": True, "save_strategy": "no"}
    trainer = unpaired.make(recipe, common, arguments, with_reference=True, on_reference=on_reference)
    assert trainer.precompute_ref_logps
    return trainer


@pytest.fixture(scope="module")
def learnt(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that two processes have trained in."""
    tmp_path = tmp_path_factory.mktemp("two")
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "1",
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
    return tmp_path


def test_two_processes_learn_alike_in_both_ways(small: Path, learnt: Path, tmp_path: Path) -> None:
    fast, *others = (torch.load(learnt / f"{way}.{rank}.pt") for way in ("true", "false") for rank in "01")
    for other in others:
        assert torch.allclose(fast, other, rtol=1e-3, atol=1e-5)
    # What two find of the held-out rows is what one finds.
    alone = measured(small, tmp_path)
    assert any("accuracies" in name for name in alone)
    for rank in "01":
        together = json.loads((learnt / f"measured.{rank}.json").read_text())
        assert together == pytest.approx(alone, rel=1e-5, abs=1e-7)


def passes_of_reference(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what grows with each batch that the reference is worked out of."""
    from studio.training.methods.unpaired import RenderedKTOTrainer

    made: list[Any] = []
    compute = RenderedKTOTrainer.compute_ref_log_probs

    def counted(trainer: Any, model: Any, inputs: Any) -> Any:
        made.append(inputs)
        return compute(trainer, model, inputs)

    monkeypatch.setattr(RenderedKTOTrainer, "compute_ref_log_probs", counted)
    return made


def test_a_reference_by_trl_lies_where_all_machines_see_it_and_a_resume_finds_it(
    small: Path, learnt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = sorted(learnt.glob("kto/.together/*"))
    assert len(shared) == 2, "rows to learn from, and held-out ones"
    assert not list(learnt.glob("temporary*/**/*.arrow"))
    made = passes_of_reference(monkeypatch)
    judged_alone(small, learnt / "kto")
    assert not made
    assert sorted(learnt.glob("kto/.together/*")) == shared


def test_a_reference_that_did_not_come_to_the_disk_whole_is_worked_out_anew(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:100])
        raise OSError("as good as a power cut")

    made = passes_of_reference(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(processes, "to_disk", cut_off)
        with pytest.raises(OSError, match="power cut"):
            judged_alone(small, tmp_path)
    before = len(made)
    assert before
    trainer = judged_alone(small, tmp_path)
    assert len(made) > before
    assert len(trainer.train_dataset["ref_logps"]) == len(trainer.train_dataset) == 8
    whole = len(made)
    assert judged_alone(small, tmp_path).train_dataset["ref_logps"] == trainer.train_dataset["ref_logps"]
    assert len(made) == whole
    assert {path.suffix for path in tmp_path.glob(".together/*")} == {".arrow"}


def test_a_reference_by_trl_tells_how_far_it_is_and_goes_on_where_it_was_stopped(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []

    def stopped(done: int, of: int) -> None:
        told.append((done, of))
        if done == 4:
            raise StopRequested

    made = passes_of_reference(monkeypatch)
    monkeypatch.setattr(processes, "BATCHES", 1)
    with pytest.raises(StopRequested):
        judged_alone(small, tmp_path, stopped)
    assert told == [(0, 8), (2, 8), (4, 8)]
    assert len(made) == 2
    parts = judged_alone(small, tmp_path).train_dataset
    assert len(made) == 5, "the other two batches, and the held-out rows"
    monkeypatch.setattr(processes, "BATCHES", 4)
    at_once = judged_alone(small, tmp_path / "at_once").train_dataset
    assert parts["ref_logps"] == pytest.approx(at_once["ref_logps"], rel=1e-5)
    assert parts["prompt_ids"] == at_once["prompt_ids"]


if __name__ == "__main__":
    learn(Path(sys.argv[1]), Path(sys.argv[2]))
