"""The memory that a plan reckons with, against what the run's own trainer really holds: a table over three models.

    python tests/bench/memory.py [--quick] [--model NAME]... [--tuning lora|full]... [--length N]... [--method M]...

Each line is a process of its own that trains a few steps on rows of one length. On a processor the most that the
process ever held is measured, on a GPU the most that torch took. The default model is the real one, which has to be
prepared (`studio train` does that); the other two have random weights and are made on the spot under its tokenizer.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

SHAPES = {
    "30M": {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 16, "heads": (4, 2)},
    "360M": {"hidden_size": 960, "intermediate_size": 2560, "num_hidden_layers": 32, "heads": (15, 5)},
}
NAMES = ("30M", "smollm2", "360M")
WITHIN = 0.15
PROMPT_SHARE = 3
"""A third of a row is prompt."""
MIB = 1 << 20


@dataclass(frozen=True)
class Case:
    """A line of the table."""

    model: str
    method: str
    tuning: str
    length: int
    fast: str


def main() -> None:
    """Print the table; fail where a line is further off than it may be."""
    arguments = _arguments()
    if arguments.child:
        _measure(Path(arguments.child), Case(**json.loads(arguments.case)))
        return
    cases = [Case(*each, fast=arguments.fast) for each in product(*_wanted(arguments))]
    worst = 0.0
    with tempfile.TemporaryDirectory() as place:
        print(f"{'model':<8} {'method':<6} {'tuning':<6} {'tokens':>6}  {'reckoned':>9} {'measured':>9}  off")
        for case in cases:
            reckoned, measured = _run(case, _model(case.model, Path(place)))
            off = reckoned / measured - 1
            worst = max(worst, abs(off))
            figures = f"{reckoned / MIB:7,.0f} M {measured / MIB:7,.0f} M  {off:+.0%}"
            print(f"{case.model:<8} {case.method:<6} {case.tuning:<6} {case.length:>6}  {figures}", flush=True)
    print(f"furthest off: {worst:.0%} (at most {WITHIN:.0%} is wanted)")
    sys.exit(worst > WITHIN)


def _arguments() -> Any:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="The smallest model alone, one length.")
    parser.add_argument("--model", action="append", choices=NAMES)
    parser.add_argument("--method", action="append", choices=["sft", "dpo", "kto", "reward"])
    parser.add_argument("--tuning", action="append", choices=["lora", "full"])
    parser.add_argument("--length", action="append", type=int)
    parser.add_argument("--fast", default="true", choices=["true", "false"], help="false: as TRL does it.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    return parser.parse_args()


def _wanted(arguments: Any) -> tuple[Any, Any, Any, Any]:
    models = arguments.model or (["30M"] if arguments.quick else NAMES)
    lengths = arguments.length or ([256] if arguments.quick else [256, 512, 1024])
    return models, arguments.method or ["sft"], arguments.tuning or ["lora", "full"], lengths


def _model(name: str, place: Path) -> Path:
    """Return a model's folder; those with random weights are made by a process that is gone before any measures."""
    from studio.models import prepare, resolve

    base = resolve("smollm2")
    prepare(base, "weights")
    folder = place / name
    if name == "smollm2" or folder.is_dir():
        return base.folder if name == "smollm2" else folder
    shape = dict(SHAPES[name])
    heads, keys = shape.pop("heads")  # type: ignore[misc]
    config = {**shape, "num_attention_heads": heads, "num_key_value_heads": keys, "vocab_size": 49152}
    code = (
        "import sys, json; from transformers import LlamaConfig, LlamaForCausalLM;"
        " LlamaForCausalLM(LlamaConfig(**json.loads(sys.argv[1]), tie_word_embeddings=True,"
        " eos_token_id=2, pad_token_id=2)).save_pretrained(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(config), str(folder)], check=True, capture_output=True)
    for file in (*base.folder.glob("*token*.json"), base.folder / "chat_template.jinja"):
        shutil.copy(file, folder)
    return folder


def _run(case: Case, model: Path) -> tuple[int, int]:
    command = [sys.executable, __file__, "--child", str(model), "--case", json.dumps(case.__dict__)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    reckoned, measured = map(int, done.stdout.splitlines()[-1].split())
    return reckoned, measured


def _measure(model: Path, case: Case) -> None:
    """Train a few steps on rows of the case's length; print what was reckoned and what was held."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from studio.training.folder import RunFolder
    from studio.training.plan.architecture import read_architecture
    from studio.training.plan.free import machine_of
    from studio.training.plan.load import FAST_METHODS, load_of
    from studio.training.plan.memory import estimate, is_fast
    from studio.training.plan.sampled import Sampled
    from studio.training.plan.timing import Course, Given, time_steps
    from studio.training.recipe import make_recipe
    from studio.training.rows.data import Tokenised
    from studio.training.trainer import hardware

    # The answers of a batch are held against each other by kto.
    together = 2 if case.method == "kto" else 1
    changes = [f"tuning={case.tuning}", f"batch_size={together}", f"max_length={case.length}", "general_text=false"]
    recipe = make_recipe(case.method, changes)
    if case.method in FAST_METHODS:
        recipe = replace(recipe, fast=case.fast == "true")
    shape, here = read_architecture(model), hardware.choose(recipe)
    tokens = Tokenised([_row(case, shape.vocabulary, seed) for seed in range(4)], 0, 0, [], [0, 1, 2, 3])
    sampled = Sampled(tokens, tokens.rows, len(tokens.rows), len(tokens.rows))
    fast = is_fast(recipe, shape)
    load, rows = load_of(recipe, tokens.rows, fast=fast), len(tokens.rows)
    reckoned = estimate(recipe, shape, load, machine_of(here), rows=rows, fast=fast)
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        folder.tokenizer.mkdir()
        for file in (*model.glob("*token*.json"), model / "chat_template.jinja"):
            shutil.copy(file, folder.tokenizer)
        given = Given(recipe, folder, here, model, None, sampled, tokens)
        found = time_steps(given, Course(1, case.length, 1, 1), steps=1)
    print(reckoned.needed, found.peak)


def _row(case: Case, vocabulary: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    prompt, answer = case.length // PROMPT_SHARE, case.length - case.length // PROMPT_SHARE

    def ids(count: int) -> list[int]:
        return [chance.randrange(100, vocabulary) for _ in range(count)]

    match case.method:
        case "sft":
            found = ids(case.length)
            return {"input_ids": found, "labels": [-100] * prompt + found[prompt:]}
        case "kto":
            return {"prompt_ids": ids(prompt), "completion_ids": ids(answer), "label": seed % 2 == 0}
        case "reward":
            return {"chosen_ids": ids(case.length), "rejected_ids": ids(case.length)}
        case _:
            return {"prompt_ids": ids(prompt), "chosen_ids": ids(answer), "rejected_ids": ids(answer)}


if __name__ == "__main__":
    main()
