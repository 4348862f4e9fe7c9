"""A trained LoRA adapter as llama.cpp reads it: a small GGUF that fits any quantisation of the base."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.atomic import placed
from studio.inference.gguf.header import read_header
from studio.inference.gguf.layout import Layout
from studio.inference.gguf.lora import read_peft
from studio.inference.gguf.metadata import Metadata, apply
from studio.inference.gguf.writing import Planned, write

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def adapter_to_gguf(adapter: Path, base: Path, out: Path, metadata: Metadata = Metadata()) -> None:
    """Write a PEFT LoRA adapter as a GGUF adapter for the base model's GGUF.

    Raises:
        StudioError: the base is of an architecture whose layout is not known here, or the adapter
            changes something that a LoRA GGUF can't hold.
    """
    import gguf
    import numpy as np

    layout = Layout.of_file(base)
    lora = read_peft(adapter, layout)
    with placed(out) as temporary:
        writer = gguf.GGUFWriter(temporary, layout.architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, lora.alpha)
        # What was made of a model stands under its terms.
        licence = metadata.licence or read_header(base).text(gguf.Keys.General.LICENSE)
        apply(writer, replace(metadata, licence=licence))
        matrices = [
            (f"{target}.lora_{side}", matrix)
            for target, pair in sorted(lora.pairs.items())
            for side, matrix in zip("ab", pair, strict=True)
        ]
        write(writer, [Planned(name, matrix.shape, np.float32, partial(_itself, matrix)) for name, matrix in matrices])


def _itself(matrix: "Array") -> "Array":
    return matrix
