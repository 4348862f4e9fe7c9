"""Settings: what a GGUF says of the model's make beside config.json; a wrong number here changes every answer."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from studio.inference.gguf.layout import KNOWN
from studio.inference.gguf.whole import ROPE
from studio.inference.proof.evidence import Check, Finding

if TYPE_CHECKING:
    import gguf as gguf_library

SETTINGS = {
    "context_length": "max_position_embeddings",
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.sliding_window": "sliding_window",
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
    "rope.freq_base": "rope_theta",
    "rope.scaling.factor": "factor",
    "embedding_scale": "embedding_multiplier",
    "residual_scale": "residual_multiplier",
    "attention.scale": "attention_multiplier",
}
"""What transformers calls each setting of llama.cpp that stands for the same number."""

UNSAID = {"rope.freq_base": 10000.0}
"""What llama.cpp takes where the file says nothing."""

ALIKE = 1e-5
"""The share by which two readings may differ: the file holds 32-bit floats."""

AGAIN = "Convert the model again from its folder, or set it in the file's metadata."


def check_settings(reader: "gguf_library.GGUFReader", folder: Path, gguf: Path) -> Check:
    """Compare the settings of an open GGUF with those of a Hugging Face folder, as far as both say them."""
    said = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("tokenizer.")}
    architecture = str(said.get("general.architecture"))
    config = _config(folder)
    if config is None or architecture not in KNOWN:
        why = "there is no config.json" if config is None else f"what they mean in {architecture} is not known here"
        return Check("settings", "not checked", why)
    rope = _rope(config)
    wrong: list[Finding] = []
    compared = 0
    for key, name in SETTINGS.items():
        theirs, right = (
            _number(said.get(f"{architecture}.{key}", UNSAID.get(key))),
            _number({**config, **rope}.get(name)),
        )
        if theirs is None or right is None:
            continue
        compared += 1
        if not math.isclose(theirs, right, rel_tol=ALIKE):
            words = f"{gguf.name} says {key} {theirs:g}; {name} is {right:g} in the model's config.json."
            wrong.append(Finding("setting", words, AGAIN))
    wrong += _scaling(said.get(f"{architecture}.rope.scaling.type"), rope, reader, gguf)
    sentence = f"{compared} settings compared, {len(wrong) or 'none'} differ{'' if wrong else 's'}"
    return Check("settings", "different" if wrong else "equal", sentence, tuple(wrong), {"compared": float(compared)})


def _scaling(said: Any, rope: Mapping[str, Any], reader: "gguf_library.GGUFReader", gguf: Path) -> Iterator[Finding]:
    """Find a stretching of the rotary embedding that only one side has."""
    right, theirs = str(rope.get("rope_type") or "default"), str(said or "none")
    if right in ("linear", "yarn") or theirs not in ("none", "llama3", "longrope", "dynamic"):
        if theirs != right:
            yield Finding(
                "setting",
                f"{gguf.name} says rope.scaling.type {theirs}; rope_type is {right} in the model's config.json.",
                AGAIN,
            )
    elif right == "llama3" and all(tensor.name != ROPE for tensor in reader.tensors):
        yield Finding("setting", f"{gguf.name} lacks {ROPE}; rope_type is llama3 in the model's config.json.", AGAIN)


def _config(folder: Path) -> dict[str, Any] | None:
    try:
        found = orjson.loads((folder / "config.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    if not isinstance(found, dict):
        return None
    text = found.get("text_config")
    return text if isinstance(text, dict) else found


def _rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return how tokens are placed, whichever version of transformers wrote it; of layers that see all the text."""
    found = config.get("rope_parameters") or config.get("rope_scaling") or {}
    found = found.get("full_attention", found)
    kind = found.get("rope_type") or found.get("type")
    return {name: value for name, value in {**found, "rope_type": kind}.items() if value is not None}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
