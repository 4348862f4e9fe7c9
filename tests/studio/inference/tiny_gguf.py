"""Models of two layers and a token for each byte, made in a moment, for what does not hang on a model's size."""

from pathlib import Path

import gguf
import numpy as np
from tokenizers.pre_tokenizers import ByteLevel

WIDTH = 64
VOCABULARY = 258
TRAINED_FOR = 4096


def write_model(path: Path, seed: int = 0, *, sharpness: float = 0.5) -> Path:
    """A model with random weights; the higher the sharpness, the surer it is of its tokens."""
    chance = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    _add_vocabulary(writer)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_rope_dimension_count(WIDTH // 4)
    _add_random(writer, chance, "token_embd", VOCABULARY, sharpness)
    for layer in range(2):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            _add_random(writer, chance, f"blk.{layer}.{name}", WIDTH, 0.25)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(WIDTH, dtype=np.float32))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, dtype=np.float32))
    return _finish(writer, path)


def write_recurrent_model(path: Path, seed: int = 0) -> Path:
    """A model that keeps no tokens but a state, of which nothing can be taken back: Mamba."""
    chance = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "mamba")
    _add_vocabulary(writer)
    inner, state, rank, kernel = 2 * WIDTH, 16, 4, 4
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_ssm_conv_kernel(kernel)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    shapes = {
        "ssm_in.weight": (2 * inner, WIDTH),
        "ssm_conv1d.weight": (inner, kernel),
        "ssm_conv1d.bias": (inner,),
        "ssm_x.weight": (rank + 2 * state, inner),
        "ssm_dt.weight": (inner, rank),
        "ssm_dt.bias": (inner,),
        "ssm_d": (inner,),
        "ssm_out.weight": (WIDTH, inner),
    }
    _add_random(writer, chance, "token_embd", VOCABULARY, 0.5)
    for layer in range(2):
        for name, shape in shapes.items():
            writer.add_tensor(f"blk.{layer}.{name}", (chance.normal(size=shape) / 4).astype(np.float32))
        writer.add_tensor(f"blk.{layer}.ssm_a", -chance.uniform(0.1, 1, size=(inner, state)).astype(np.float32))
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", np.ones(WIDTH, dtype=np.float32))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, dtype=np.float32))
    return _finish(writer, path)


def write_adapter(path: Path, seed: int = 1) -> Path:
    """A LoRA adapter for such a model, with an effect that can be seen."""
    chance = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    for layer in range(2):
        for side in "ab":
            shape = (4, WIDTH) if side == "a" else (WIDTH, 4)
            values = chance.normal(size=shape).astype(np.float32) / 4
            writer.add_tensor(f"blk.{layer}.attn_q.weight.lora_{side}", values)
            writer.add_tensor(f"blk.{layer}.ffn_up.weight.lora_{side}", values)
    return _finish(writer, path)


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*sorted(ByteLevel.alphabet()), "<|end|>", "Ġt"])
    writer.add_token_types([1] * 256 + [3, 1])
    writer.add_token_merges(["Ġ t"])
    writer.add_eos_token_id(256)
    writer.add_context_length(TRAINED_FOR)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(2)
    writer.add_layer_norm_rms_eps(1e-5)


def _add_random(writer: gguf.GGUFWriter, chance: np.random.Generator, name: str, rows: int, size: float) -> None:
    writer.add_tensor(f"{name}.weight", (chance.normal(size=(rows, WIDTH)) * size).astype(np.float32))


def _finish(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
