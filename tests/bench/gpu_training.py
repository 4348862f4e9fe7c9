"""SFT and DPO of a 1B and an 8B model on a GPU, the studio's fast ways beside TRL's defaults: speed, MFU, memory.

It has not been run yet, for want of a GPU: how long it takes is guessed.

    python tests/bench/gpu_training.py                       everything; perhaps an hour on one large GPU
    python tests/bench/gpu_training.py --sizes 1b --quick    a look, some minutes

The weights are random, since speed does not hang on them; the rows are random tokens with the lengths of real pairs.
Each case runs in a process of its own, so that peak memory is its own. TRL's side is what a plain script gets: its
defaults for everything but the model, the rows, the adapter and that the weights are bf16. A case that runs out of
memory says so. Without a GPU nothing is run.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.training.trainer.one_gpu import one_gpu

SIZES: dict[str, dict[str, int]] = {
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32},
    "8b": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32},
}
"""As Llama 3.2 1B and Llama 3.1 8B are; both have 8 heads of keys and values, and this vocabulary:"""

VOCABULARY = 128256
EFFECTIVE_BATCH = 8


@dataclass(frozen=True)
class Case:
    """What one process measures."""

    size: str
    method: str
    quantisation: str
    is_fast: bool
    steps: int

    @property
    def name(self) -> str:
        """The case in words."""
        adapter = "QLoRA" if self.quantisation == "4bit" else "LoRA"
        return f"{self.size} {self.method} {adapter}, {'the studio, fast' if self.is_fast else 'TRL by default'}"


def main() -> None:
    """Print a line for each case, and the ratios."""
    parser = argparse.ArgumentParser(description=" ".join(__doc__.splitlines()[:3]))
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--methods", nargs="+", choices=["sft", "dpo"], default=["sft", "dpo"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with one_gpu("cuda"):
        go(arguments)


def go(arguments: argparse.Namespace) -> None:
    """Measure one case, or start all of them."""
    import torch

    if not torch.cuda.is_available():
        sys.exit("There is no GPU here, so nothing was measured.")
    if arguments.case:
        print(json.dumps(measure(Case(**json.loads(arguments.case)))))
        return
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {time.strftime('%Y-%m-%d')}")
    for size in arguments.sizes:
        for method in arguments.methods:
            for quantisation in ("none", "4bit"):
                compare(size, method, quantisation, 4 if arguments.quick else 12)


def compare(size: str, method: str, quantisation: str, steps: int) -> None:
    """Print both ways of a case, and how they compare."""
    found = {}
    for is_fast in (False, True):
        case = Case(size, method, quantisation, is_fast, steps)
        found[is_fast] = in_a_process(case)
        print(f"{case.name}: {json.dumps(found[is_fast])}", flush=True)
    if all("tokens_a_second" in each for each in found.values()):
        rows, first = (
            found[True][name] / found[False][name] for name in ("rows_a_second", "rows_a_second_with_reference")
        )
        memory = found[True]["peak_gb"] / found[False]["peak_gb"]
        print(
            f"  {rows:.2f} times the rows a second, {first:.2f} in an epoch that works out its reference,"
            f" {memory:.2f} of the memory",
            flush=True,
        )


def in_a_process(case: Case) -> dict[str, Any]:
    """Return what a case measured, or why it could not."""
    command = [sys.executable, __file__, "--case", json.dumps(case.__dict__)]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    return {"failed": (done.stderr.strip().splitlines() or ["without a word"])[-1][:300]}


def measure(case: Case) -> dict[str, Any]:
    """Train some steps; the first two, in which memory is found and kernels are compiled, are not timed."""
    import torch
    from transformers import TrainerCallback

    class Stopwatch(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.marks: list[float] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            torch.cuda.synchronize()
            self.marks.append(time.perf_counter())

        def on_train_end(self, *_: Any, **__: Any) -> None:
            torch.cuda.synchronize()
            self.marks.append(time.perf_counter())

    rows = rows_of(case)
    reference = 0.0
    with tempfile.TemporaryDirectory() as name:
        if case.is_fast:
            trainer, reference = fast(case, rows, Path(name))
        else:
            trainer = by_default(case, rows, Path(name))
        watch = Stopwatch()
        trainer.add_callback(watch)
        torch.cuda.reset_peak_memory_stats()
        trainer.train()
    seconds = watch.marks[-1] - watch.marks[2]
    steps = len(watch.marks) - 3
    tokens = sum(tokens_of(row, case.method) for row in rows) / len(rows)
    computed = tokens - (sum(len(row.get("prompt_ids", [])) for row in rows) / len(rows) if case.is_fast else 0)
    length = tokens if case.method == "sft" else tokens / 2
    rows_a_second = steps * EFFECTIVE_BATCH / seconds
    in_an_epoch = 1 / (1 / rows_a_second + reference / len(rows))
    return {
        "tokens_a_second": round(rows_a_second * tokens),
        "rows_a_second": round(rows_a_second, 2),
        "rows_a_second_with_reference": round(in_an_epoch, 2),
        "mfu": mfu(trainer, rows_a_second * computed, int(length)),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 2**30, 1),
    }


def tokens_of(row: dict[str, list[int]], method: str) -> int:
    """Return a row's tokens, a prompt once for each of its answers: the same for both ways, so that savings show."""
    if method == "sft":
        return len(row["input_ids"])
    return 2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])


def mfu(trainer: Any, tokens_a_second: float, length: int) -> float | None:
    """Return the share of the GPU's peak by TRL's own count of operations; None for a GPU that it does not know.

    A prompt that is computed once counts once. What a forward pass without learning costs, and one that is made
    again in the backward pass, counts for nothing, as is the custom; nor do gradients of the base model's weights,
    which nobody computes, and TRL counts as a third.
    """
    import torch
    from trl.trainer.utils import compute_flops_per_token, get_peak_flops

    peak = get_peak_flops(torch.cuda.get_device_name(), "bfloat16")
    flops = compute_flops_per_token(trainer.model.config, length) * 2 / 3
    return round(tokens_a_second * flops / peak, 3) if peak else None


def rows_of(case: Case) -> list[dict[str, list[int]]]:
    """Return rows of random tokens, as long as those of public sets of pairs: a median of 500, up to 1,024."""
    chance = random.Random(1)

    def some(most: int) -> list[int]:
        return [chance.randrange(1000, 100_000) for _ in range(min(most, int(chance.lognormvariate(5.5, 0.7)) + 8))]

    rows = []
    for _ in range(EFFECTIVE_BATCH * case.steps):
        prompt, chosen, rejected = some(512), some(512), some(512)
        if case.method == "sft":
            rows.append({"input_ids": prompt + chosen, "labels": [-100] * len(prompt) + chosen})
        else:
            rows.append({"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected})
    return rows


def model_of(case: Case) -> Any:
    """Return a model with random weights on the GPU, in 4 bits where that is asked for."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        num_key_value_heads=8,
        rope_theta=500_000.0,
        tie_word_embeddings=case.size == "1b",
        eos_token_id=1,
        pad_token_id=0,
        **SIZES[case.size],
    )
    with torch.device("cuda"):
        torch.set_default_dtype(torch.bfloat16)
        model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    model.set_attn_implementation("sdpa")
    if case.quantisation == "4bit":
        with tempfile.TemporaryDirectory() as name:
            model.save_pretrained(name)
            del model
            torch.cuda.empty_cache()
            in_4_bits = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=torch.bfloat16,
            )
            model = AutoModelForCausalLM.from_pretrained(
                name, quantization_config=in_4_bits, device_map={"": 0}, dtype=torch.bfloat16
            )
    model.config.use_cache = False
    return model


def tokenizer_of(folder: Path) -> Any:
    """Return a tokenizer that names the tokens that trainers ask for."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<pad>": 0, "</s>": 1, "<unk>": 2}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.save(str(folder / "tokenizer.json"))
    return PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def common_of(case: Case, rows: list[dict[str, list[int]]], folder: Path) -> dict[str, Any]:
    """Return what both ways are given."""
    from datasets import Dataset
    from peft import LoraConfig

    return {
        "model": model_of(case),
        "train_dataset": Dataset.from_list(rows),
        "eval_dataset": None,
        "processing_class": tokenizer_of(folder),
        "peft_config": LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
    }


def by_default(case: Case, rows: list[dict[str, list[int]]], folder: Path) -> Any:
    """Return TRL's trainer with its defaults; its reference is computed in each step."""
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    class Tokenised(DPOTrainer):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

    settings = {"output_dir": str(folder / "out"), "max_steps": case.steps, "report_to": "none", "save_strategy": "no"}
    if case.method == "dpo":
        return Tokenised(args=DPOConfig(**settings), **common_of(case, rows, folder))
    return SFTTrainer(args=SFTConfig(**settings), **common_of(case, rows, folder))


def fast(case: Case, rows: list[dict[str, list[int]]], folder: Path) -> tuple[Any, float]:
    """Return the studio's trainer, and the seconds that its reference took, which is computed before the steps."""
    from studio.training.fast import reference
    from studio.training.methods import pairs, texts
    from studio.training.recipe import make_recipe
    from studio.training.trainer.model import keep_exact

    batch = [f"batch_size={EFFECTIVE_BATCH}", "gradient_accumulation=1"]
    recipe = make_recipe(case.method, [*batch, f"quantisation={case.quantisation}"])
    begun: list[float] = []
    reference._known = lambda _: None
    arguments = {
        "output_dir": str(folder / "out"),
        "max_steps": case.steps,
        "per_device_train_batch_size": EFFECTIVE_BATCH,
        "activation_checkpointing": False,
        "bf16": True,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
    }
    common = common_of(case, rows, folder)
    if case.method == "dpo":
        trainer = pairs.make(
            recipe, common, arguments, with_reference=True, on_reference=lambda *_: begun.append(time.perf_counter())
        )
    else:
        trainer = texts.make(recipe, common, arguments)
    took = time.perf_counter() - begun[0] if begun else 0.0
    if case.quantisation == "4bit":
        keep_exact(trainer.model)
    return trainer, took


if __name__ == "__main__":
    main()
