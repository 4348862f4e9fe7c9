"""A model's shape, read from its folder: what decides how much memory its training needs."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from studio.errors import StudioError

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj")
_NOT_LINEAR = ("embed", "norm", "wte", "wpe", "lm_head", "score")


@dataclass(frozen=True)
class Weight:
    """One of a model's weights."""

    name: str
    shape: tuple[int, ...]
    size: int
    """Bytes in its file."""

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def is_linear(self) -> bool:
        """Whether it belongs to a linear layer inside the model, on which an adapter can be put."""
        return len(self.shape) == 2 and not any(part in self.name for part in _NOT_LINEAR)


@dataclass(frozen=True)
class Architecture:
    """What counts of a decoder."""

    layers: int
    hidden: int
    inner: int
    """The width inside the feed-forward part."""
    queries: int
    """The width of all query heads together."""
    keys: int
    """The same of the key heads; values are as wide."""
    vocabulary: int
    weights: tuple[Weight, ...]
    attends_otherwise: bool
    """Whether some layers see only a window, or the model is a mixture of experts: the fast ways are not for these."""

    @property
    def parameters(self) -> int:
        """Numbers in all weights."""
        return sum(weight.count for weight in self.weights)

    @property
    def in_file(self) -> int:
        """Bytes of all weights in their files."""
        return sum(weight.size for weight in self.weights)

    @property
    def in_linear(self) -> int:
        """Numbers in the linear layers."""
        return sum(weight.count for weight in self.weights if weight.is_linear)

    @property
    def longest_linear(self) -> int:
        """Numbers in the largest weight."""
        return max(weight.count for weight in self.weights)

    def adapter(self, rank: int, targets: str) -> int:
        """Return how many numbers a LoRA adapter has."""
        chosen = (w for w in self.weights if w.is_linear and (targets == "all-linear" or _is_attention(w.name)))
        return sum(rank * sum(weight.shape) for weight in chosen)


def read_architecture(folder: Path) -> Architecture:
    """Read it from `config.json` and from the heads of the files with the weights.

    Raises:
        StudioError: a file is missing or broken, or the model is of no form that is known.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = config.get("text_config") or config
        return _architecture(config, tuple(weight for file in _files(folder) for weight in _weights(file)))
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise StudioError(
            f"The shape of the model in {folder} can't be read: {type(error).__name__} {error}.",
            "Its memory is known once a few steps are timed.",
        ) from error


def _files(folder: Path) -> list[Path]:
    """Return the files that transformers loads: some models lie in their folder in another form as well."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        return sorted({folder / name for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))


def _architecture(config: dict[str, Any], weights: tuple[Weight, ...]) -> Architecture:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    width = config.get("head_dim") or hidden // heads
    experts = config.get("num_experts_per_tok") or 1
    inner = config.get("moe_intermediate_size") if experts > 1 else None
    layer_types = set(config.get("layer_types") or ["full_attention"])
    if not weights:
        raise ValueError("no safetensors file in it")
    return Architecture(
        layers=config["num_hidden_layers"],
        hidden=hidden,
        inner=(inner or config.get("intermediate_size") or 4 * hidden) * experts,
        queries=heads * width,
        keys=(config.get("num_key_value_heads") or heads) * width,
        vocabulary=config["vocab_size"],
        weights=weights,
        attends_otherwise=layer_types != {"full_attention"} or experts > 1 or bool(_window(config)),
    )


def _window(config: dict[str, Any]) -> int | None:
    return config.get("sliding_window") if config.get("use_sliding_window", True) else None


def _weights(file: Path) -> list[Weight]:
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        head = orjson.loads(opened.read(length))
    return [
        Weight(name, tuple(each["shape"]), each["data_offsets"][1] - each["data_offsets"][0])
        for name, each in head.items()
        if name != "__metadata__"
    ]


def _is_attention(name: str) -> bool:
    return any(part in ATTENTION for part in name.split("."))
