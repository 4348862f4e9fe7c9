"""Writing a GGUF tensor by tensor: no more than one of them in memory, and no half file under the name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError

if TYPE_CHECKING:
    import gguf as gguf_library
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Planned:
    """A tensor that is to be written; its values are worked out when its turn comes."""

    name: str
    shape: tuple[int, ...]
    kind: "type[np.floating[Any]]"
    values: "Callable[[], Array]"


def write(writer: Any, tensors: Iterable[Planned], on_progress: Progress | None = None) -> None:
    """Write what a `GGUFWriter` has been told, and these tensors.

    Raises:
        StudioError: a tensor's values have another shape than planned, or are too large for 16 bits.
    """
    planned = list(tensors)
    for tensor in planned:
        writer.add_tensor_info(tensor.name, tensor.shape, _dtype(tensor), _bytes(tensor))
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        whole, done = sum(map(_bytes, planned)), 0
        for tensor in planned:
            writer.write_tensor_data(_narrowed(tensor))
            done += _bytes(tensor)
            if on_progress:
                on_progress(done / whole)
    finally:
        writer.close()


def copy_metadata(reader: "gguf_library.GGUFReader", writer: Any) -> None:
    """Give a writer all that a base says, but for how it was quantised."""
    import gguf

    keys = gguf.Keys.General
    rewritten = {keys.ARCHITECTURE, keys.FILE_TYPE, keys.QUANTIZATION_VERSION, keys.ALIGNMENT}
    for key, field in reader.fields.items():
        if key in rewritten or key.startswith(("GGUF.", "split.")):
            continue
        is_array = field.types[0] == gguf.GGUFValueType.ARRAY
        contents = field.contents()
        if not is_array or contents:  # the library writes no empty list
            writer.add_key_value(key, contents, field.types[0], field.types[1] if is_array else None)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def kinds(reader: "gguf_library.GGUFReader") -> "dict[str, type[np.floating[Any]]]":
    """Return in what precision each tensor of a model is written in 16-bit floats."""
    import gguf
    import numpy as np

    full = gguf.GGMLQuantizationType.F32
    # Where some are in full precision among others in less, llama.cpp wants them so: norms, routers, convolutions.
    mixed = any(tensor.tensor_type != full for tensor in reader.tensors if len(tensor.shape) > 1)
    return {
        tensor.name: np.float32 if len(tensor.shape) == 1 or (mixed and tensor.tensor_type == full) else np.float16
        for tensor in reader.tensors
    }


def shape_of(tensor: "gguf_library.ReaderTensor") -> tuple[int, ...]:
    """Return a tensor's shape as numpy has it."""
    return tuple(int(size) for size in reversed(tensor.shape))


def _narrowed(tensor: Planned) -> "Array":
    import numpy as np

    values = tensor.values()
    if values.shape != tensor.shape:
        raise StudioError(f"{tensor.name} has the shape {values.shape} and should have {tensor.shape}.")
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(values, dtype=tensor.kind)
    if not np.isfinite(narrow).all():
        raise StudioError(
            f"{tensor.name} holds numbers that are not finite or too large for 16 bits.", "The model is damaged."
        )
    return narrow


def _dtype(tensor: Planned) -> "np.dtype[Any]":
    import numpy as np

    return np.dtype(tensor.kind)


def _bytes(tensor: Planned) -> int:
    from math import prod

    return prod(tensor.shape) * _dtype(tensor).itemsize
