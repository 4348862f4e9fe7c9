"""Whole models in 16-bit floats: one that was trained throughout, and a quantised one widened."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.atomic import placed
from studio.errors import StudioError
from studio.inference.gguf.layout import Layout, field
from studio.inference.gguf.metadata import Metadata, apply
from studio.inference.gguf.writing import Planned, Progress, copy_metadata, kinds, shape_of, write

if TYPE_CHECKING:
    import gguf as gguf_library
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

ROPE = "rope_freqs.weight"
"""Worked out from the settings, not trained."""


def model_to_gguf(
    weights: Iterable[str],
    read: "Callable[[str], Array]",
    base: Path,
    out: Path,
    metadata: Metadata = Metadata(),
) -> None:
    """Write trained weights as a GGUF that is otherwise the base model's, in 16-bit floats.

    Args:
        weights: their names, as transformers has them.
        read: returns the one of a name, in full precision.
        base: the base model's GGUF.
        out: the file to write.
        metadata: what the file says of itself.

    Raises:
        StudioError: the base is of an architecture whose layout is not known here, or other weights than it has.
    """
    import gguf

    reader = gguf.GGUFReader(base)
    layout = Layout.of(reader)
    known = layout.by_their_names(weights)
    for tensor in reader.tensors:
        if tensor.name not in known and tensor.name.endswith((".weight", ".bias")) and tensor.name != ROPE:
            raise StudioError(f"The trained model lacks {tensor.name}, which {base.name} has.")

    def values(tensor: "gguf_library.ReaderTensor") -> "Callable[[], Array]":
        name = known.get(tensor.name)
        return _stored(tensor) if name is None else lambda: layout.turned(name, read(name))

    with placed(out) as temporary:
        writer = gguf.GGUFWriter(temporary, layout.architecture)
        copy_metadata(reader, writer)
        apply(writer, metadata)
        kind_of = kinds(reader)
        write(writer, [Planned(t.name, shape_of(t), kind_of[t.name], values(t)) for t in reader.tensors])


def widen(source: Path, out: Path, *, on_progress: Progress | None = None) -> None:
    """Write a quantised model's weights as 16-bit floats, all else unchanged; a full one is only linked.

    The weights that training starts from are these numbers, so chat then differs from training by rounding alone.
    """
    import gguf

    full = {gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.BF16}
    reader = gguf.GGUFReader(source)
    if all(tensor.tensor_type in full for tensor in reader.tensors):
        out.symlink_to(source.resolve())
        return
    with placed(out) as temporary:
        writer = gguf.GGUFWriter(temporary, str(field(reader, "general.architecture")))
        copy_metadata(reader, writer)
        kind_of = kinds(reader)
        planned = [Planned(t.name, shape_of(t), kind_of[t.name], _stored(t)) for t in reader.tensors]
        write(writer, planned, on_progress)


def _stored(tensor: "gguf_library.ReaderTensor") -> "Callable[[], Array]":
    from gguf.quants import dequantize

    return lambda: dequantize(tensor.data, tensor.tensor_type)
