"""Writing GGUF files: a trained LoRA adapter, and a quantised model in the precision that was trained."""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError

if TYPE_CHECKING:
    import gguf as gguf_library
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

ROTATED = frozenset({"llama"})
"""Architectures whose query and key rows llama.cpp keeps in another order, for its rotary embedding."""

KNOWN = ROTATED | {"qwen2", "qwen3", "gemma", "gemma2", "gemma3"}
"""Architectures whose linear layers otherwise keep the order that transformers has."""

SHIFTED = frozenset({"gemma", "gemma2", "gemma3"})
"""Architectures whose norms transformers keeps less one."""

ROPE = "rope_freqs.weight"
"""Worked out from the settings, not trained."""

PREFIX = "base_model.model."


def adapter_to_gguf(adapter: Path, base: Path, out: Path) -> None:
    """Write a PEFT LoRA adapter as a GGUF adapter for the base model's GGUF.

    Raises:
        StudioError: the base is of an architecture whose layout is not known here, or the adapter
            changes something that a LoRA GGUF can't hold.
    """
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    layout = _Layout.of(gguf.GGUFReader(base))
    temporary = out.with_name(f".{out.name}.part")
    writer = gguf.GGUFWriter(temporary, layout.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, _alpha(config))
    for tensor_name, tensor in sorted(load_file(adapter / "adapter_model.safetensors").items()):
        module, side = _split(tensor_name)
        target = layout.names.get_name(module)
        if target is None:
            raise StudioError(
                f"The adapter changes {module}, which llama.cpp has no name for in {layout.architecture}."
            )
        turned = layout.turned(module, tensor) if side == "b" else tensor
        writer.add_tensor(f"{target}.weight.lora_{side}", turned)
    _write(writer)
    temporary.replace(out)


def model_to_gguf(weights: Iterable[str], read: Callable[[str], "Array"], base: Path, out: Path) -> None:
    """Write trained weights as a GGUF that is otherwise the base model's, in 16-bit floats.

    Args:
        weights: their names, as transformers has them.
        read: returns the one of a name, in full precision.
        base: the base model's GGUF.
        out: the file to write.

    Raises:
        StudioError: the base is of an architecture whose layout is not known here, or other weights than it has.
    """
    import gguf
    import numpy as np
    from gguf.quants import dequantize

    reader = gguf.GGUFReader(base)
    layout = _Layout.of(reader)
    known = layout.by_their_names(weights)
    temporary = out.with_name(f".{out.name}.part")
    writer = gguf.GGUFWriter(temporary, layout.architecture, use_temp_file=True)
    _copy_metadata(reader, writer)
    for tensor in reader.tensors:
        name = known.get(tensor.name)
        if name is None and tensor.name.endswith((".weight", ".bias")) and tensor.name != ROPE:
            raise StudioError(f"The trained model lacks {tensor.name}, which {base.name} has.")
        values = layout.turned(name, read(name)) if name else dequantize(tensor.data, tensor.tensor_type)
        if list(values.shape) != [int(size) for size in reversed(tensor.shape)]:
            raise StudioError(f"{tensor.name} has another shape in the trained model than in {base.name}.")
        writer.add_tensor(tensor.name, values.astype(np.float32 if values.ndim == 1 else np.float16))
    _write(writer)
    temporary.replace(out)


def widen(source: Path, out: Path) -> None:
    """Write a quantised model's weights as 16-bit floats, all else unchanged; a full one is only linked.

    The weights that training starts from are these numbers, so chat then differs from training by rounding alone.
    """
    import gguf
    import numpy as np
    from gguf.quants import dequantize

    full = {gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.BF16}
    reader = gguf.GGUFReader(source)
    if all(tensor.tensor_type in full for tensor in reader.tensors):
        out.symlink_to(source.resolve())
        return
    writer = gguf.GGUFWriter(out, str(_field(reader, "general.architecture")), use_temp_file=True)
    _copy_metadata(reader, writer)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        # llama.cpp keeps vectors, such as norms, in full precision.
        writer.add_tensor(tensor.name, values.astype(np.float32 if values.ndim == 1 else np.float16))
    _write(writer)


@dataclass(frozen=True)
class _Layout:
    """How llama.cpp names and keeps what transformers has."""

    architecture: str
    heads: int
    key_heads: int
    names: Any

    @classmethod
    def of(cls, reader: "gguf_library.GGUFReader") -> "_Layout":
        import gguf

        name = str(_field(reader, "general.architecture"))
        if name not in KNOWN:
            raise StudioError(
                f"What was trained of {name} can't be written for llama.cpp yet.",
                f"Known are {', '.join(sorted(KNOWN))}.",
            )
        architecture = next(a for a, text in gguf.MODEL_ARCH_NAMES.items() if text == name)
        names = gguf.get_tensor_name_map(architecture, int(_field(reader, f"{name}.block_count")))
        heads, key_heads = (int(_field(reader, f"{name}.attention.{key}")) for key in ("head_count", "head_count_kv"))
        return cls(name, heads, key_heads, names)

    def by_their_names(self, weights: Iterable[str]) -> dict[str, str]:
        """Return the names that transformers has, by llama.cpp's."""
        found = {}
        for weight in weights:
            module, _, kind = weight.rpartition(".")
            target = self.names.get_name(module)
            if target:
                found[f"{target}.{kind}"] = weight
        return found

    def turned(self, module: str, weights: "Array") -> "Array":
        """Return weights in the order and from the zero that llama.cpp has."""
        layer = module.removesuffix(".weight").removesuffix(".bias")
        if self.architecture in ROTATED and layer.endswith(("q_proj", "k_proj")):
            return _rotate(weights, self.heads if layer.endswith("q_proj") else self.key_heads)
        # The norms of these count from one in transformers.
        return weights + 1 if self.architecture in SHIFTED and layer.endswith("norm") else weights


def _alpha(config: dict[str, Any]) -> float:
    """Return what llama.cpp divides by the rank: of rsLoRA, which divides by its root, accordingly more."""
    alpha = float(config["lora_alpha"])
    return alpha * math.sqrt(config["r"]) if config.get("use_rslora") else alpha


def _copy_metadata(reader: "gguf_library.GGUFReader", writer: Any) -> None:
    import gguf

    rewritten = {gguf.Keys.General.ARCHITECTURE, gguf.Keys.General.FILE_TYPE, gguf.Keys.General.QUANTIZATION_VERSION}
    for key, field in reader.fields.items():
        if key in rewritten or key.startswith("GGUF."):
            continue
        element = field.types[1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), field.types[0], element)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _field(reader: "gguf_library.GGUFReader", key: str) -> Any:
    found = reader.get_field(key)
    if found is None:
        raise StudioError(f"The base GGUF lacks {key}.", "Is it a complete model?")
    return found.contents()


def _split(tensor_name: str) -> tuple[str, str]:
    for side in ("a", "b"):
        ending = f".lora_{side.upper()}.weight"
        if tensor_name.startswith(PREFIX) and tensor_name.endswith(ending):
            return tensor_name.removeprefix(PREFIX).removesuffix(ending), side
    raise StudioError(f"The adapter holds {tensor_name}, which is no plain LoRA weight.")


def _rotate(weights: "Array", heads: int) -> "Array":
    # transformers keeps the two halves of a rotation apart, llama.cpp side by side.
    rows = weights.shape[0]
    return weights.reshape(heads, 2, rows // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def _write(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
