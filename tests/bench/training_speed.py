"""An epoch of DPO and of SFT by the studio, beside a plain TRL script at TRL's defaults: time and held-out measure.

    python tests/bench/training_speed.py --quick                     one step of each, about 10 minutes
    python tests/bench/training_speed.py --rows 48                   time alone, on a part of an epoch; about 15 minutes
    python tests/bench/training_speed.py --seeds 1 2 3               the demo's 200 pairs, about 3 hours on two cores
    python tests/bench/training_speed.py --file PAIRS.json --seeds 1 2 3      a public data set of pairs instead
    python tests/bench/training_speed.py --seeds 1 2 3 --known FILE           what FILE has is not run again

Both sides start from the same model, train an adapter of the same shape on the same pairs with the same learning rate
and the same 8 rows a step, and measure the same held-out pairs. TRL's side is what its documentation shows: the model
by its folder, rows as messages, and no other setting; only held-out rows, which are not timed, go one by one, which is
sooner done. Each side runs in a process of its own, in turn. The studio's time has in it what its reference costs; none
is kept from before. SFT learns the chosen answers.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

EFFECTIVE_BATCH = 8
"""TRL's default: eight rows in a batch, a step after each."""

ROWS_AT_ONCE = {"dpo": 1, "sft": 8}
"""What the studio takes in one pass, up to a step's eight rows, of which each pair of DPO is two answers."""

LEARNING_RATE = {"dpo": 1e-4, "sft": 2e-4}


@dataclass(frozen=True)
class Job:
    """One side's epoch."""

    side: str
    method: str
    data: str
    seed: int
    rows: int
    """How many of an epoch, to measure time alone; 0 for all."""
    threads: int


def main() -> None:
    """Print each epoch, then the ratios' medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--methods", nargs="+", default=["dpo", "sft"], choices=["dpo", "sft"])
    parser.add_argument("--file", help="a file of pairs, in the place of the demo")
    parser.add_argument("--rows", type=int, default=0, help="time alone, on so many rows of an epoch")
    parser.add_argument("--quick", dest="rows", action="store_const", const=EFFECTIVE_BATCH, help="one step of each")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--known", type=Path, help="a file of finished epochs, one to a line; new ones are added")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        print(json.dumps(run(Job(**json.loads(arguments.job)))))
        return
    for method in arguments.methods:
        compare(arguments.file or "demo", method, arguments)


def compare(data: str, method: str, arguments: argparse.Namespace) -> None:
    """Print both sides for each seed."""
    ratios: dict[str, list[float]] = {"clock": [], "processor": []}
    for seed in arguments.seeds:
        found = {}
        for side in ("trl", "studio"):
            job = Job(side, method, data, seed, arguments.rows, arguments.threads)
            found[side] = known(job, arguments.known) or in_a_process(job, arguments.known)
            print(f"{method} on {Path(data).name}, seed {seed}, {side}: {json.dumps(found[side])}", flush=True)
        for clock, each in ratios.items():
            each.append(found["studio"][clock] / found["trl"][clock])
    said = ", ".join(f"{statistics.median(each):.2f} of it by the {clock}" for clock, each in ratios.items())
    print(f"{method} on {Path(data).name}: the studio takes {said} (median of {len(arguments.seeds)})\n", flush=True)


def known(job: Job, file: Path | None) -> dict[str, Any] | None:
    """Return what a side measured in an earlier sitting."""
    lines = map(json.loads, file.read_text().splitlines() if file and file.exists() else [])
    return next((line["found"] for line in lines if line["job"] == named(job)), None)


def named(job: Job) -> dict[str, Any]:
    """Return a job by its data's name, wherever that lies."""
    return asdict(replace(job, data=Path(job.data).name))


def in_a_process(job: Job, file: Path | None) -> dict[str, Any]:
    """Return what a side measured; write it down too where there is a file for it."""
    command = [sys.executable, __file__, "--job", json.dumps(asdict(job))]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "OMP_NUM_THREADS": str(job.threads)}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if file:
        with file.open("a") as out:
            out.write(json.dumps({"job": named(job), "found": found}) + "\n")
    return found


def run(job: Job) -> dict[str, Any]:
    """Train one epoch; return the seconds by each clock, and what the held-out pairs say."""
    import judged_projects
    import torch

    torch.set_num_threads(job.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = (
            judged_projects.demo(folder / "project")
            if job.data == "demo"
            else judged_projects.public(folder / "project", Path(job.data))
        )
        base, rows, ids = judged_projects.written(project, folder / "run")
        side = plain_trl if job.side == "trl" else studio
        make = side(job, str(base.folder), rows, ids, folder)
        begun, spent = time.perf_counter(), time.process_time()
        trainer = make()
        trainer.train()
        clock, processor = time.perf_counter() - begun, time.process_time() - spent
        print(f"trained in {clock:.1f} s, {processor:.1f} s of the processor", file=sys.stderr, flush=True)
        measured = {} if job.rows else held_out(job.method, trainer, ids["validation"])
    told = {name: round(value, 4) for name, value in measured.items()}
    return {"clock": round(clock, 1), "processor": round(processor, 1), **told}


def held_out(method: str, trainer: Any, rows: list[Any]) -> dict[str, float]:
    """Return what a side makes of the held-out pairs: for SFT, the mean over the same tokens on both sides.

    TRL learns the line break after an answer's end as well, which no model gets wrong.
    """
    import torch

    if method == "dpo":
        measured = trainer.evaluate()
        return {name: measured[name] for name in ("eval_loss", "eval_rewards/accuracies")}
    model, losses = trainer.model.float().eval(), []
    with torch.no_grad():
        for row in rows:
            text = row_of(row, method)
            losses.append(torch.nn.functional.cross_entropy(*shifted(model, text), reduction="none"))
    return {"eval_loss": float(torch.cat(losses).mean())}


def shifted(model: Any, text: dict[str, list[int]]) -> tuple[Any, Any]:
    """Return the logits that tell of the learnt tokens, and the tokens."""
    import torch

    labels = torch.tensor(text["labels"][1:])
    learnt = labels != -100
    return model(input_ids=torch.tensor([text["input_ids"]])).logits[0, :-1][learnt], labels[learnt]


def some(rows: list[Any], job: Job) -> list[Any]:
    """Return the rows, or as many as are wanted, chosen by the seed."""
    return random.Random(job.seed).sample(rows, min(job.rows, len(rows))) if job.rows else rows


def plain_trl(job: Job, model: str, rows: Any, _ids: Any, folder: Path) -> Any:
    """Return what makes the trainer of a plain script, once the model is loaded and the rows are rendered."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    def of(split: str) -> Any:
        if job.method == "dpo":
            return [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in some(rows[split], job)]
        return [{"prompt": row["prompt"], "completion": row["chosen"]} for row in some(rows[split], job)]

    settings = {
        "output_dir": str(folder / "out"),
        "num_train_epochs": 1,
        "learning_rate": LEARNING_RATE[job.method],
        "seed": job.seed,
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "per_device_eval_batch_size": 1,
    }
    kind, config = (DPOTrainer, DPOConfig) if job.method == "dpo" else (SFTTrainer, SFTConfig)
    trainer = kind(
        model=model,
        args=config(**settings),
        train_dataset=Dataset.from_list(of("train")),
        eval_dataset=Dataset.from_list(of("validation")),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    return lambda: trainer


def studio(job: Job, model: str, _rows: Any, ids: Any, folder: Path) -> Any:
    """Return what makes the studio's trainer, which is where its reference is computed."""
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast

    from studio.training.fast import reference
    from studio.training.folder import RunFolder
    from studio.training.methods import pairs, texts
    from studio.training.recipe import make_recipe
    from studio.training.trainer.arguments import arguments_of
    from studio.training.trainer.hardware import choose
    from studio.training.trainer.model import adapter_config, load_model

    rate = f"learning_rate={LEARNING_RATE[job.method]}"
    same = ["warmup=0", "scheduler=linear", "lora_rank=16", "lora_alpha=32", f"seed={job.seed}", "epochs=1", rate]
    at_once = ROWS_AT_ONCE[job.method]
    batch = [f"batch_size={at_once}", f"gradient_accumulation={EFFECTIVE_BATCH // at_once}"]
    recipe = make_recipe(job.method, [*same, *batch, "device=cpu"])
    hardware = choose(recipe)
    data = {split: Dataset.from_list([row_of(row, job.method) for row in some(ids[split], job)]) for split in ids}
    arguments = arguments_of(recipe, RunFolder(folder / "run"), hardware, len(data["train"]), len(data["validation"]))
    arguments |= {"eval_strategy": "no", "eval_on_start": False, "save_strategy": "no", "output_dir": str(folder)}
    common = {
        "model": load_model(model, recipe, hardware),
        "train_dataset": data["train"],
        "eval_dataset": data["validation"],
        "processing_class": PreTrainedTokenizerFast.from_pretrained(model),
        "peft_config": adapter_config(recipe),
    }
    reference._known = lambda _: None
    if job.method == "sft":
        return lambda: texts.make(recipe, common, arguments)
    return lambda: pairs.make(recipe, common, arguments, with_reference=True)


def row_of(row: dict[str, list[int]], method: str) -> dict[str, list[int]]:
    """Return a pair, or its prompt with the chosen answer."""
    if method == "dpo":
        return row
    prompt, answer = row["prompt_ids"], row["chosen_ids"]
    return {"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer}


if __name__ == "__main__":
    main()
