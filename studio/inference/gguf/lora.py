"""A LoRA adapter, of PEFT or as a GGUF: its pairs of matrices by the tensor of the base that they change."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.inference.gguf.layout import Layout, field

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

PREFIX = "base_model.model."
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@dataclass(frozen=True)
class Lora:
    """An adapter as llama.cpp applies it: the base's tensor plus alpha / rank times b times a."""

    alpha: float
    pairs: "dict[str, tuple[Array, Array]]"
    """The matrices a and b, by the name of the tensor that they change."""

    def change(self, tensor: str) -> "Array":
        """Return what the adapter adds to a tensor of the base."""
        import numpy as np

        a, b = (matrix.astype(np.float32) for matrix in self.pairs[tensor])
        scaled: Array = (b @ a) * np.float32(self.alpha / b.shape[-1])
        return scaled


def read_peft(folder: Path, layout: Layout) -> Lora:
    """Read PEFT's folder of an adapter, in the order that llama.cpp keeps weights.

    Raises:
        StudioError: the adapter changes what a LoRA GGUF can't hold.
    """
    from safetensors.numpy import load_file

    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if config.get("use_dora"):
        raise StudioError("The adapter is a DoRA, which llama.cpp can't apply.", "Merge it into the whole model.")
    alpha = _scale(config, config["lora_alpha"], config["r"]) * config["r"]
    sides: dict[str, dict[str, Array]] = {}
    for name, weights in sorted(load_file(folder / WEIGHTS).items()):
        module, side = _split(name)
        target = layout.names.get_name(module)
        if target is None:
            raise StudioError(
                f"The adapter changes {module}, which llama.cpp has no name for in {layout.architecture}."
            )
        if side == "b":
            own = _scale_of(config, module, weights.shape[-1]) * weights.shape[-1] / alpha
            # Modules with a scale of their own, since a GGUF adapter has one alpha for all.
            weights = layout.turned(module, weights) * weights.dtype.type(own)  # noqa: PLW2901
        sides.setdefault(f"{target}.weight", {})[side] = weights
    return Lora(alpha, {target: _both(target, found) for target, found in sides.items()})


def read_adapter_gguf(path: Path) -> Lora:
    """Read a GGUF adapter.

    Raises:
        StudioError: it is none, or half of one.
    """
    import gguf
    from gguf.quants import dequantize

    reader = gguf.GGUFReader(path)
    if field(reader, gguf.Keys.General.TYPE) != gguf.GGUFType.ADAPTER:
        raise StudioError(f"{path.name} is no adapter.")
    sides: dict[str, dict[str, Array]] = {}
    for tensor in reader.tensors:
        target, _, side = tensor.name.rpartition(".lora_")
        sides.setdefault(target, {})[side] = dequantize(tensor.data, tensor.tensor_type)
    alpha = float(field(reader, gguf.Keys.Adapter.LORA_ALPHA))
    return Lora(alpha, {target: _both(target, found) for target, found in sides.items()})


def _both(target: str, sides: "dict[str, Array]") -> "tuple[Array, Array]":
    if sides.keys() != {"a", "b"}:
        raise StudioError(f"The adapter lacks one of the two matrices of {target}.", "Is it a complete adapter?")
    return sides["a"], sides["b"]


def _scale_of(config: dict[str, Any], module: str, rank: int) -> float:
    """Return by what PEFT multiplies a module's change."""
    patterns: dict[str, float] = config.get("alpha_pattern") or {}
    alpha = next((a for key, a in patterns.items() if re.match(rf"(.*\.)?({key})$", module)), config["lora_alpha"])
    return _scale(config, alpha, rank)


def _scale(config: dict[str, Any], alpha: float, rank: int) -> float:
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _split(tensor_name: str) -> tuple[str, str]:
    for side in ("a", "b"):
        ending = f".lora_{side.upper()}.weight"
        if tensor_name.startswith(PREFIX) and tensor_name.endswith(ending):
            return tensor_name.removeprefix(PREFIX).removesuffix(ending), side
    raise StudioError(f"The adapter holds {tensor_name}, which is no plain LoRA weight.")
