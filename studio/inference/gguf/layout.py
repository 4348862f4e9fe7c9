"""How llama.cpp names and keeps what transformers has."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.inference.gguf.header import read_header

if TYPE_CHECKING:
    import gguf as gguf_library
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

ROTATED = frozenset({"llama", "granite", "smollm3"})
"""Architectures whose query and key rows llama.cpp keeps in another order, for its rotary embedding."""

KNOWN = ROTATED | {
    *("qwen2", "qwen3", "gemma", "gemma2", "gemma3", "olmo2", "stablelm", "starcoder2", "command-r"),
}
"""Architectures whose linear layers otherwise keep the order that transformers has."""

SHIFTED = frozenset({"gemma", "gemma2", "gemma3"})
"""Architectures whose norms transformers keeps less one."""


@dataclass(frozen=True)
class Layout:
    """The names and the order of one model's weights."""

    architecture: str
    heads: int
    key_heads: int
    names: Any

    @classmethod
    def of(cls, reader: "gguf_library.GGUFReader") -> "Layout":
        """Return the layout of a base.

        Raises:
            StudioError: its architecture is not known here.
        """
        return cls._of(lambda key: field(reader, key))

    @classmethod
    def of_file(cls, gguf: Path) -> "Layout":
        """Return the layout of a base from its head alone, which is read in no time.

        Raises:
            StudioError: it is no GGUF, or its architecture is not known here.
        """
        values = read_header(gguf).values
        return cls._of(lambda key: _said(key, values.get(key)))

    @classmethod
    def _of(cls, said: Callable[[str], Any]) -> "Layout":
        import gguf

        name = str(said("general.architecture"))
        if name not in KNOWN:
            raise StudioError(
                f"What was trained of {name} can't be written for llama.cpp yet.",
                f"Known are {', '.join(sorted(KNOWN))}.",
            )
        architecture = next(a for a, text in gguf.MODEL_ARCH_NAMES.items() if text == name)
        names = gguf.get_tensor_name_map(architecture, int(said(f"{name}.block_count")))
        heads, key_heads = (int(said(f"{name}.attention.{key}")) for key in ("head_count", "head_count_kv"))
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


def field(reader: "gguf_library.GGUFReader", key: str) -> Any:
    """Return what a GGUF says under a key.

    Raises:
        StudioError: it says nothing.
    """
    found = reader.get_field(key)
    return _said(key, found and found.contents())


def _said(key: str, value: Any) -> Any:
    if value is None:
        raise StudioError(f"The base GGUF lacks {key}.", "Is it a complete model?")
    return value


def _rotate(weights: "Array", heads: int) -> "Array":
    # transformers keeps the two halves of a rotation apart, llama.cpp side by side.
    rows = weights.shape[0]
    if rows % (2 * heads):
        raise StudioError(f"The weights of a query or key have {rows} rows, and the base has {heads} heads.")
    return weights.reshape(heads, 2, rows // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)
