"""A base and its adapter as one model in 16-bit floats: what is quantised, and what other programs run."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.atomic import placed
from studio.errors import StudioError
from studio.inference.gguf.header import read_header
from studio.inference.gguf.layout import Layout, field
from studio.inference.gguf.lora import CONFIG, WEIGHTS, Lora, read_adapter_gguf, read_peft
from studio.inference.gguf.metadata import MADE_FROM, Metadata, apply, put
from studio.inference.gguf.writing import Planned, Progress, copy_metadata, kinds, shape_of, write
from studio.models import file_hash

if TYPE_CHECKING:
    import gguf as gguf_library
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

FULL = 0
"""The number of the 32-bit floats among ggml's types."""

FORM = 1
"""Raised when the same things are merged otherwise than before."""


def merge(
    base_gguf: Path,
    adapter: Path | None,
    out: Path,
    *,
    metadata: Metadata = Metadata(),
    on_progress: Progress | None = None,
) -> None:
    """Write a base, with what an adapter adds to it, in 16-bit floats; leave a file alone that was made so already.

    Args:
        base_gguf: the base, in any quantisation.
        adapter: PEFT's folder or a GGUF adapter; None: the base alone.
        out: the file; it is there whole or not at all.
        metadata: what the file says of itself.
        on_progress: told how much is done, from 0 to 1.

    Raises:
        StudioError: the adapter does not fit the base, or the file can't be written.
    """
    import gguf

    made_from = hash_of(base_gguf, adapter, metadata)
    if is_made_from(out, made_from):
        return
    reader = gguf.GGUFReader(base_gguf)
    lora = _read_lora(adapter, reader) if adapter else Lora(0, {})
    _check_fit(lora, reader)
    with placed(out) as temporary:
        writer = gguf.GGUFWriter(temporary, str(field(reader, gguf.Keys.General.ARCHITECTURE)))
        copy_metadata(reader, writer)
        apply(writer, metadata)
        put(writer, MADE_FROM, made_from, gguf.GGUFValueType.STRING)
        kind_of = kinds(reader)
        planned = (
            Planned(tensor.name, shape_of(tensor), kind_of[tensor.name], _values(tensor, lora))
            for tensor in reader.tensors
        )
        write(writer, planned, on_progress)


def hash_of(base_gguf: Path, adapter: Path | None, metadata: Metadata) -> str:
    """Return a hash of all that a merged model is made from."""
    if adapter is None:
        parts = []
    elif adapter.is_dir():
        parts = [file_hash(adapter / CONFIG), file_hash(adapter / WEIGHTS)]
    else:
        parts = [file_hash(adapter)]
    made_from = [FORM, file_hash(base_gguf), *parts, asdict(metadata)]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def is_made_from(path: Path, digest: str) -> bool:
    """Tell whether a GGUF is there, whole, and made from just this."""
    try:
        header = read_header(path)
    except StudioError:
        return False
    # What is written here is in 32 or 16 bits; a file that was cut off has its head still.
    data = sum(prod(tensor.sizes) * (4 if tensor.type == FULL else 2) for tensor in header.tensors)
    return header.text(MADE_FROM) == digest and path.stat().st_size >= data


def _read_lora(adapter: Path, reader: "gguf_library.GGUFReader") -> Lora:
    return read_peft(adapter, Layout.of(reader)) if adapter.is_dir() else read_adapter_gguf(adapter)


def _check_fit(lora: Lora, reader: "gguf_library.GGUFReader") -> None:
    shapes = {tensor.name: shape_of(tensor) for tensor in reader.tensors}
    for target, (a, b) in lora.pairs.items():
        if target not in shapes:
            raise StudioError(f"The adapter changes {target}, which the base does not have.", "Is it this base's?")
        if (b.shape[0], a.shape[-1]) != shapes[target] or b.shape[-1] != a.shape[0]:
            raise StudioError(f"The adapter's {target} has another shape than the base's.", "Is it this base's?")


def _values(tensor: "gguf_library.ReaderTensor", lora: Lora) -> "Callable[[], Array]":
    from gguf.quants import dequantize

    def read() -> "Array":
        weights: Array = dequantize(tensor.data, tensor.tensor_type)
        return weights + lora.change(tensor.name) if tensor.name in lora.pairs else weights

    return read
