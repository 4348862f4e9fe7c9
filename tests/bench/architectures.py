"""Small random models of many architectures, with an adapter each: what llama.cpp makes of them against torch.

Each is written by transformers, converted, and given a LoRA on all its linear layers; then the logits are compared,
of the base, of the base with the adapter, and of both merged. Run it after a change of llama.cpp or transformers:
`python tests/bench/architectures.py [NAME]...`.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from llama_cpp import Llama
from peft import LoraConfig, get_peft_model

from studio.errors import StudioError
from studio.inference.gguf import adapter_to_gguf
from studio.inference.gguf.conversion import convert
from studio.inference.gguf.merged import merge
from studio.models import prepare, resolve

IDS = [1, 4093, 198, 2683, 1456, 617, 2, 330, 260, 1303, 3229, 282, 4649, 30, 1116, 416]
"""Some tokens: any will do."""

SMALL: dict[str, Any] = {
    "vocab_size": 49152,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
    "initializer_range": 0.2,
}

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Llama": {"tie_word_embeddings": True},
    "Mistral": {"sliding_window": None},
    "Qwen2": {},
    "Qwen3": {"head_dim": 32},
    "Gemma": {"head_dim": 16},
    "Gemma2": {"head_dim": 16, "query_pre_attn_scalar": 16},
    "Gemma3Text": {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 512},
    "Phi3": {},
    "Granite": {},
    "SmolLM3": {},
    "Olmo2": {},
    "StableLm": {},
    "Starcoder2": {},
    "Cohere": {},
    "Glm4": {"head_dim": 16},
}


def small_folder(name: str, tokenizer: Path, folder: Path) -> Any:
    """Write a small random model of an architecture with a tokenizer; return it."""
    torch.manual_seed(7)
    config = getattr(transformers, f"{name}Config")(**SMALL | ARCHITECTURES[name])
    causal = "Gemma3" if name == "Gemma3Text" else name
    model = getattr(transformers, f"{causal}ForCausalLM")(config).eval()
    for key, weight in model.named_parameters():
        if "norm" in key:
            torch.nn.init.normal_(weight, mean=0.0 if name.startswith("Gemma") else 1.0, std=0.2)
    model.save_pretrained(folder)
    for file in tokenizer.iterdir():
        if file.name.startswith(("tokenizer", "chat_template", "special_tokens")):
            shutil.copy(file, folder)
    return model


def with_adapter(model: Any, folder: Path) -> Any:
    """Give a model a LoRA that changes much, and save that."""
    tuned = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    tuned.eval().save_pretrained(folder)
    return tuned


def llama_logits(
    gguf: Path, adapter: Path | None = None, ids: list[int] = IDS
) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return llama.cpp's logits for tokens."""
    model = Llama(
        str(gguf), lora_path=str(adapter) if adapter else None, n_ctx=64, n_batch=64, logits_all=True, verbose=False
    )
    try:
        model.eval(ids)
        return np.array(model.scores[: len(ids)])
    finally:
        model.close()


def worst_kl(ours: "np.ndarray[Any, Any]", theirs: "np.ndarray[Any, Any]") -> float:
    """Return the greatest divergence of a position, in nats."""
    p, q = (x[:, : theirs.shape[1]] - x.max(-1, keepdims=True) for x in (ours, theirs))
    p, q = (x - np.log(np.exp(x).sum(-1, keepdims=True)) for x in (p, q))
    return float((np.exp(p) * (p - q)).sum(-1).max())


def measure(name: str, tokenizer: Path) -> str:
    """Return a line of what was found for an architecture."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        base = small_folder(name, tokenizer, folder / "base")
        tuned = with_adapter(base, folder / "adapter")

        def torch_logits(run: Callable[[], Any]) -> "np.ndarray[Any, Any]":
            with torch.no_grad():
                values: np.ndarray[Any, Any] = run().logits[0].numpy()
                return values

        gguf, adapter, merged = folder / "base.gguf", folder / "adapter.gguf", folder / "merged.gguf"
        convert(folder / "base", gguf)
        ids = torch.tensor([IDS])
        with tuned.disable_adapter():
            plain = torch_logits(lambda: tuned(ids))
        changed = torch_logits(lambda: tuned(ids))
        line = f"base {worst_kl(plain, llama_logits(gguf)):.1e}"
        adapter_to_gguf(folder / "adapter", gguf, adapter)
        line += f"  adapter {worst_kl(changed, llama_logits(gguf, adapter)):.1e}"
        merge(gguf, folder / "adapter", merged)
        return f"{line}  merged {worst_kl(changed, llama_logits(merged)):.1e}  (moved {worst_kl(changed, plain):.1e})"


def main() -> None:
    """Print a line an architecture."""
    smollm2 = resolve("smollm2")
    prepare(smollm2, "tokenizer")
    for name in sys.argv[1:] or ARCHITECTURES:
        try:
            print(f"{name:12}", measure(name, smollm2.folder), flush=True)
        except StudioError as error:
            print(f"{name:12}", error, flush=True)


if __name__ == "__main__":
    main()
