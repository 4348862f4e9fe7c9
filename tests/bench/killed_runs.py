"""A run killed at random moments and resumed, beside one that was not: the largest difference of their weights.

Usage: python tests/bench/killed_runs.py [--kills 10] [--seed 1] [--method dpo]

On the processor in fp32, with a model of two layers and random weights; each kill is a SIGKILL to the real trainer
process at a random moment after its first step, half-written checkpoints among them. Other than 0 is a bug.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
from safetensors.torch import load_file

from store.database import Store
from studio.importing import import_file
from studio.models import prepare, resolve
from studio.project import Project, create_project
from studio.training import launch
from studio.training.course import checkpoints
from studio.training.folder import RunFolder, read_status

ROWS = 60
RECIPE = ["device=cpu", "dtype=fp32", "lora_rank=4", "lora_dropout=0.1", "batch_size=2", "gradient_accumulation=2"]
RECIPE += ["epochs=6", "evaluations=30", "samples=0", "general_text=false", "keep_best=false", "max_length=128"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def main() -> None:
    """Train one run whole, kill its twin again and again, and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--method", choices=["sft", "dpo"], default="dpo")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        whole = written(Path(place), asked.method)
        killed = RunFolder(whole.path.with_name("killed"))
        shutil.copytree(whole.path, killed.path)
        begun = time.monotonic()
        assert trainer(whole).wait() == 0, whole.log.read_text()
        status = read_status(whole)
        assert status is not None
        print(f"whole: {status.step} steps, {time.monotonic() - begun:.0f} s with its start")
        kill_often(killed, asked.kills, random.Random(asked.seed))
        assert trainer(killed).wait() == 0, killed.log.read_text()
        print(f"largest difference of {len(weights(whole))} weights: {difference(whole, killed)}")


def kill_often(folder: RunFolder, kills: int, chance: random.Random) -> None:
    """Kill the run's trainer so many times, each time a little later in the run."""
    for number in range(kills):
        process = trainer(folder)
        # A share of what is left, so that all kills find the run unfinished and they lie all over it.
        _wait_for_step(process, folder, chance.random() * 1.5 / (kills - number + 1))
        time.sleep(chance.random() * 0.3)
        if process.poll() is not None:
            print("the run ended before it was killed often enough: ask for fewer kills")
            return
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        status, last = read_status(folder), checkpoints.latest(folder.checkpoints)
        all_of_them = list(folder.checkpoints.glob("checkpoint-*"))
        broken = sum(checkpoints.read_seal(path) is None for path in all_of_them)
        kept = checkpoints.step_of(last) if last else None
        print(f"kill {number + 1}: at step {status.step if status else 0}, whole checkpoint {kept}, broken {broken}")


def _wait_for_step(process: "subprocess.Popen[bytes]", folder: RunFolder, share: float) -> None:
    """Wait until the trainer has made a step and this share of those that are left from where it went on."""
    last = checkpoints.latest(folder.checkpoints)
    begun = checkpoints.step_of(last) if last else 0
    while process.poll() is None:
        status = read_status(folder)
        if status and status.pid == process.pid and status.step > begun + (status.total_steps - begun) * share:
            return
        time.sleep(0.005)


def trainer(folder: RunFolder) -> "subprocess.Popen[bytes]":
    """Start the run's trainer."""
    with folder.log.open("ab") as log:
        command = [sys.executable, "-m", "studio.training.worker", str(folder.path)]
        return subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log)


def weights(folder: RunFolder) -> dict[str, object]:
    """Return the trained weights."""
    found: dict[str, object] = load_file(folder.adapter / "adapter_model.safetensors")
    return found


def difference(one: RunFolder, other: RunFolder) -> float:
    """Return the largest difference between the weights of two runs."""
    first, second = (load_file(folder.adapter / "adapter_model.safetensors") for folder in (one, other))
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def written(place: Path, method: str) -> RunFolder:
    """Write the folder of a run on short texts, which nothing trains yet."""
    project = create_project(place / "project")
    launch.enqueue = lambda *_: None
    with project.open_store() as store:
        _fill(project, store, method)
        run_id = launch.start_run(project, store, method, model=str(tiny_model(place)), overrides=RECIPE)
    return RunFolder(project.runs / run_id)


def _fill(project: Project, store: Store, method: str) -> None:
    rows = []
    for number in range(ROWS):
        prompt = [{"role": "user", "content": f"Where is order {number}?"}]
        answer = [{"role": "assistant", "content": f"Order {number} left on Monday." + " Write again." * (number % 7)}]
        if method == "dpo":
            rejected = [{"role": "assistant", "content": "No idea."}]
            rows.append({"prompt": prompt, "chosen": answer, "rejected": rejected})
        else:
            rows.append({"messages": prompt + answer})
    path = project.folder / "rows.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    import_file(project, store, path)


def tiny_model(place: Path) -> Path:
    """Make a model of two layers with random weights, whose tokens are those of the default model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    base, folder = resolve("smollm2"), place / "tiny"
    prepare(base, "tokenizer")
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=49152, eos_token_id=2, pad_token_id=2, **sizes)).save_pretrained(folder)
    for file in [*base.folder.glob("*token*.json"), base.folder / "chat_template.jinja"]:
        shutil.copy(file, folder)
    return folder


if __name__ == "__main__":
    main()
