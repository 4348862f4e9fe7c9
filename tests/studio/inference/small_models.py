"""A model of two layers as a Hugging Face folder, an adapter of it, and their GGUFs, sound or broken on purpose."""

import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf.gguf_reader import ReaderField

from studio.models import BaseModel

Array = np.ndarray[Any, np.dtype[Any]]
Tensors = dict[str, Array]
Fields = dict[str, tuple[Any, Any, Any]]
"""Values by their keys, each with its type and that of its elements."""

HEADS, KEY_HEADS, LAYERS, WIDTH, INNER = 4, 2, 2, 32, 64

TOKENS = 2000
"""Of the default model's vocabulary, whose merges stand in the order of its tokens: a beginning of it is sound."""

TEMPLATE = "tokenizer.chat_template"


def make_model(base: BaseModel, folder: Path) -> Path:
    """Write a model of random weights, large enough that all of them matter, under the beginning of a vocabulary."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=TOKENS,
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        eos_token_id=2,
        pad_token_id=2,
        tie_word_embeddings=True,
        initializer_range=0.3,
        max_position_embeddings=512,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for name in ("tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(base.folder / name, folder)
    tokenizer = json.loads((base.folder / "tokenizer.json").read_text(encoding="utf-8"))
    model = tokenizer["model"]
    model["vocab"] = {token: number for token, number in model["vocab"].items() if number < TOKENS}
    model["merges"] = [pair for pair in model["merges"] if _is_kept(pair, model["vocab"])]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    return folder


def _is_kept(pair: list[str], vocabulary: Collection[str]) -> bool:
    return all(token in vocabulary for token in (*pair, "".join(pair)))


def make_adapter(model: Path, folder: Path) -> Path:
    """Write a PEFT adapter of the model that changes it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(8)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "v_proj", "down_proj"])
    tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(model), config)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    tuned.save_pretrained(folder)
    return folder


def fields_of(path: Path) -> Fields:
    """Return what a GGUF says of itself."""

    def read(field: ReaderField) -> tuple[Any, Any, Any]:
        is_array = field.types[0] == gguf.GGUFValueType.ARRAY
        return field.contents(), field.types[0], field.types[1] if is_array else None

    rewritten = ("GGUF.", "general.architecture")
    return {key: read(field) for key, field in gguf.GGUFReader(path).fields.items() if not key.startswith(rewritten)}


def small_fields(of_base: Fields) -> Fields:
    """Return the same for the small model: the beginning of the base's vocabulary, its own sizes."""
    number, fraction = gguf.GGUFValueType.UINT32, gguf.GGUFValueType.FLOAT32
    sizes = {
        "context_length": 512,
        "embedding_length": WIDTH,
        "block_count": LAYERS,
        "feed_forward_length": INNER,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KEY_HEADS,
        "rope.dimension_count": WIDTH // HEADS,
        "vocab_size": TOKENS,
    }
    kept = {key: value for key, value in of_base.items() if key.startswith("tokenizer.")}
    for name in ("tokens", "token_type"):
        values, *kinds = kept[f"tokenizer.ggml.{name}"]
        kept[f"tokenizer.ggml.{name}"] = (values[:TOKENS], kinds[0], kinds[1])
    vocabulary = set(kept["tokenizer.ggml.tokens"][0])
    merges, *kinds = kept["tokenizer.ggml.merges"]
    merges = [merge for merge in merges if _is_kept(merge.split(" "), vocabulary)]
    return {
        **kept,
        "tokenizer.ggml.merges": (merges, kinds[0], kinds[1]),
        **{f"llama.{key}": (value, number, None) for key, value in sizes.items()},
        "llama.attention.layer_norm_rms_epsilon": (1e-6, fraction, None),
        "llama.rope.freq_base": (10000.0, fraction, None),
    }


def tensors_of(model: Path) -> Tensors:
    """Return the weights as llama.cpp keeps them."""
    from safetensors.numpy import load_file

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, LAYERS)
    found = {}
    for name, values in load_file(model / "model.safetensors").items():
        heads = {"q_proj": HEADS, "k_proj": KEY_HEADS}.get(name.split(".")[-2])
        target = names.get_name(name, try_suffixes=(".weight",))
        found[str(target)] = rotated(values, heads) if heads else values
    return found


def rotated(weights: Array, heads: int) -> Array:
    """Return rows in the order of llama.cpp's rotary embedding."""
    rows = weights.shape[0]
    return weights.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def write_gguf(out: Path, fields: Fields, tensors: Tensors, *, precise: bool = False) -> Path:
    """Write a GGUF in 16-bit floats, or in full precision."""
    writer = gguf.GGUFWriter(out, "llama")
    for key, (value, kind, element) in fields.items():
        writer.add_key_value(key, value, kind, element)
    for name, values in tensors.items():
        is_full = precise or values.ndim == 1
        writer.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32 if is_full else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def changed_adapter(adapter: Path, out: Path, change: Callable[[Fields, Tensors], None]) -> Path:
    """Write an adapter's GGUF again after a change to what is in it."""
    fields = fields_of(adapter)
    tensors = {tensor.name: np.array(tensor.data) for tensor in gguf.GGUFReader(adapter).tensors}
    change(fields, tensors)
    return write_gguf(out, fields, tensors, precise=True)
