"""Weights: the GGUF's tensors against transformers', with the cause of a difference named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from studio.errors import StudioError
from studio.inference.gguf.layout import Layout
from studio.inference.proof.evidence import Check, Finding, Outcome
from studio.inference.proof.likeness import alike, close, has_rows, rounded, spread

if TYPE_CHECKING:
    import gguf as gguf_library
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MOST_NAMED = 3
MOST_EXPLAINED = 24
"""Faults whose cause is looked for; of a wholly other model each tensor is one."""

UNKNOWN = "has nothing of the trained numbers"

EMBEDDINGS, HEAD = "token_embd.weight", "output.weight"


@dataclass(frozen=True)
class Fault:
    """A tensor whose numbers are others, and the kind of its fault."""

    tensor: str
    kind: str
    words: str


class Weights:
    """The weights of a Hugging Face folder, read row by row."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def files(self) -> dict[str, Path]:
        """The file of each weight.

        Raises:
            StudioError: the folder has no safetensors.
        """
        from safetensors import safe_open

        index = self._folder / "model.safetensors.index.json"
        if index.is_file():
            places = orjson.loads(index.read_bytes())["weight_map"]
            return {name: self._folder / file for name, file in places.items()}
        single = self._folder / "model.safetensors"
        if not single.is_file():
            raise StudioError(f"{self._folder} has no model.safetensors.", "Name the folder with the model's weights.")
        with safe_open(single, framework="pt") as file:
            return dict.fromkeys(file.keys(), single)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a weight's shape."""
        from safetensors import safe_open

        with safe_open(self.files[name], framework="pt") as file:
            return tuple(file.get_slice(name).get_shape())

    def rows(self, name: str, numbers: "Array | None" = None) -> "Array":
        """Return a weight's rows of these numbers, or all of it, in full precision."""
        import torch
        from safetensors import safe_open

        # torch reads bf16, which numpy does not know.
        with safe_open(self.files[name], framework="pt") as file:
            part = file.get_slice(name)
            taken = part[:] if numbers is None else torch.cat([part[n : n + 1] for n in numbers.tolist()])
        values: Array = taken.float().numpy()
        return values

    @property
    def is_tied(self) -> bool | None:
        """Whether the output layer is the input embeddings; None where nothing says so."""
        try:
            config = orjson.loads((self._folder / "config.json").read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        tied = config.get("tie_word_embeddings")
        return bool(tied) if tied is not None else None


def check_weights(reader: "gguf_library.GGUFReader", weights: Weights, gguf: Path) -> Check:
    """Compare the tensors of an open GGUF with those of a Hugging Face folder.

    Raises:
        StudioError: the folder has no weights.
    """
    try:
        layout = Layout.of(reader)
    except StudioError as error:
        return Check("weights", "not checked", error.message)
    both = _Both(layout, layout.by_their_names(weights.files), weights)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    faults: list[Fault] = []
    for tensor in tensors.values():
        if tensor.name in both.names and (fault := _fault(both, tensor, is_named=len(faults) < MOST_EXPLAINED)):
            faults.append(fault)
    findings = [*_findings(faults, gguf), *_tying(tensors, both, gguf), *_absent(tensors, both.names, gguf)]
    compared = sum(name in both.names for name in tensors)
    sentence = f"{compared} of {len(tensors)} tensors compared, {len(faults) or 'none'} differ{'' if faults else 's'}"
    outcome: Outcome = "different" if findings else "equal" if compared else "not checked"
    return Check("weights", outcome, sentence, tuple(findings), {"compared": compared, "different": len(faults)})


@dataclass(frozen=True)
class _Both:
    """What transformers calls each tensor, and how it keeps it."""

    layout: Layout
    names: Mapping[str, str]
    weights: Weights

    def rows(self, tensor: str, numbers: "Array") -> "Array":
        """Return the rows that a tensor of llama.cpp should have."""
        import numpy as np

        name = self.names[tensor]
        shape = self.weights.shape(name)
        if len(shape) == 1:
            return self.layout.turned(name, self.weights.rows(name))[numbers]
        place = self.layout.turned(name, np.arange(shape[0])[:, None])[:, 0]
        return self.weights.rows(name, place[numbers])


def _fault(both: _Both, tensor: Any, *, is_named: bool) -> Fault | None:
    """Return what is wrong with a tensor."""
    import numpy as np

    found = _Sampled.of(tensor)
    shape = both.weights.shape(both.names[tensor.name])
    if shape != found.shape:
        return Fault(tensor.name, "shape", f"has the shape {found.shape}, and was trained as {shape}")
    expected = both.rows(tensor.name, found.numbers)
    if found.rows.ndim == 1 and (word := _shifted(found.rows, expected)):
        return Fault(tensor.name, "norm", f"is {word} by one")
    if not alike(found.rows, expected):
        return Fault(tensor.name, *(_cause(both, tensor.name, found) if is_named else ("values", UNKNOWN)))
    if found.is_exact and not rounded(found.rows, expected):
        return Fault(tensor.name, "values", f"is off by up to {np.abs(found.rows - expected).max():.2g}")
    return None


def _shifted(found: "Array", expected: "Array") -> str:
    """Say whether a norm counts from another zero; empty where it does not."""
    # Element by element: some norms hold numbers in the hundreds, beside which one is little.
    moved = ((0.0, ""), (1.0, "less"), (-1.0, "more"))
    return next((word for by, word in moved if close(found + by, expected)), "")


def _cause(both: _Both, tensor: str, found: "_Sampled") -> tuple[str, str]:
    """Return the kind of a fault, and what is wrong in words."""
    if found.rows.ndim == 1:
        return "values", UNKNOWN
    whole = both.weights.rows(both.names[tensor])
    if has_rows(whole, found.rows):
        is_rotated = tensor.endswith(("attn_q.weight", "attn_k.weight"))
        return "rope" if is_rotated else "order", "has the trained rows in another order"
    for other in _twins(both, tensor):
        if both.weights.shape(both.names[other]) == found.shape and alike(found.rows, both.rows(other, found.numbers)):
            return "layer", f"holds the weights of {other}"
    return ("embeddings" if tensor in (EMBEDDINGS, HEAD) else "values"), UNKNOWN


def _twins(both: _Both, tensor: str) -> Iterator[str]:
    """Yield the tensors that one may be mistaken for: the same of other layers, others of its layer."""
    place, _, part = tensor.removeprefix("blk.").partition(".")
    for other in both.names if tensor.startswith("blk.") else ():
        if other != tensor and (other.endswith(f".{part}") or other.startswith(f"blk.{place}.")):
            yield other


_MEANING = {
    "rope": (
        "The query and key rows are in the wrong order for llama.cpp's rotary embedding",
        "Tokens are placed wrongly to each other; convert the model again with the permutation of its architecture.",
    ),
    "layer": ("Tensors stand in each other's place", "Convert the model again."),
    "order": ("Rows stand in another order", "Convert the model again."),
    "norm": ("Norms are off by one", "Gemma's norms count from one in transformers; convert the model again."),
    "embeddings": ("The embeddings are not the trained ones", "Convert the model again from the trained folder."),
    "shape": ("Tensors have other shapes", "The GGUF is of another model."),
    "values": ("Tensors hold other numbers", "The GGUF is of another model or another state of training."),
}
"""What each kind of fault is, and what to do."""


def _findings(faults: list[Fault], gguf: Path) -> Iterator[Finding]:
    for kind, (title, hint) in _MEANING.items():
        mine = [fault for fault in faults if fault.kind == kind]
        if mine:
            named = "; ".join(f"{fault.tensor} {fault.words}" for fault in mine[:MOST_NAMED])
            more = f"; and {len(mine) - MOST_NAMED} more" if len(mine) > MOST_NAMED else ""
            yield Finding(kind, f"{title} in {gguf.name}: {named}{more}.", hint)


def _tying(tensors: Mapping[str, Any], both: _Both, gguf: Path) -> Iterator[Finding]:
    """Find an output layer that is tied where it should be its own, or the other way round."""
    hint = "Convert the model again; its config.json says tie_word_embeddings."
    tied = both.weights.is_tied
    if tied is False and HEAD in both.names and HEAD not in tensors:
        yield Finding(
            "embeddings",
            f"{gguf.name} has no output layer, so llama.cpp takes the input embeddings; the model has one of its own.",
            hint,
        )
    if tied and HEAD in tensors and HEAD not in both.names and EMBEDDINGS in both.names:
        found = _Sampled.of(tensors[HEAD])
        if not alike(found.rows, both.rows(EMBEDDINGS, found.numbers)):
            yield Finding(
                "embeddings",
                f"{gguf.name} has an output layer of its own; the model's is tied to its input embeddings.",
                hint,
            )


def _absent(tensors: Mapping[str, Any], names: Mapping[str, str], gguf: Path) -> Iterator[Finding]:
    absent = sorted(name for name in names if name not in tensors and name != HEAD)
    if absent:
        named = ", ".join(absent[:MOST_NAMED])
        more = f" and {len(absent) - MOST_NAMED} more" if len(absent) > MOST_NAMED else ""
        yield Finding("missing", f"{gguf.name} lacks {named}{more}, which the model has.", "Convert the model again.")


@dataclass(frozen=True)
class _Sampled:
    """Some rows of a GGUF's tensor."""

    shape: tuple[int, ...]
    numbers: "Array"
    rows: "Array"
    is_exact: bool

    @classmethod
    def of(cls, tensor: Any) -> "_Sampled":
        import gguf
        import numpy as np
        from gguf.quants import dequantize

        shape = tuple(int(size) for size in reversed(tensor.shape))
        numbers = spread(shape[0]) if len(shape) > 1 else np.arange(shape[0])
        rows = dequantize(tensor.data[numbers], tensor.tensor_type)
        kinds = gguf.GGMLQuantizationType
        return cls(shape, numbers, rows, tensor.tensor_type in (kinds.F32, kinds.F16, kinds.BF16))
