"""The adapter that llama.cpp loads against the one that was trained: its layers, its numbers, its strength."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.inference.gguf.layout import Layout
from studio.inference.gguf.lora import Lora, read_adapter_gguf, read_peft
from studio.inference.proof.evidence import Check, Finding, Outcome
from studio.inference.proof.likeness import alike, has_rows, spread

if TYPE_CHECKING:
    import gguf as gguf_library
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SCALE = 0.01
"""The share by which the strengths of an adapter may differ: 16-bit floats change less."""

MOST_NAMED = 4

AGAIN = "Write the adapter's GGUF again from the folder that training left."


def check_adapter(reader: "gguf_library.GGUFReader", adapter: Path, peft: Path) -> Check:
    """Compare an adapter's GGUF with PEFT's folder of it.

    Args:
        reader: the open GGUF of the base.
        adapter: the adapter's GGUF.
        peft: the folder that training left.
    """
    try:
        trained = read_peft(peft, Layout.of(reader))
    except StudioError as error:
        return Check("adapter", "not checked", error.message)
    try:
        found = read_adapter_gguf(adapter)
    except StudioError as error:
        return Check("adapter", "different", error.message, (Finding("missing layer", error.message, AGAIN),))
    findings = (*_missing(trained, found, adapter), *_others(trained, found, adapter), *_scale(trained, found, adapter))
    layers = len({target.split(".")[1] for target in trained.pairs if target.startswith("blk.")})
    sentence = f"{len(trained.pairs)} changed tensors in {layers} layers, alpha {trained.alpha:g}"
    outcome: Outcome = "different" if findings else "equal"
    return Check("adapter", outcome, sentence, findings, {"tensors": len(found.pairs), "alpha": found.alpha})


def _missing(trained: Lora, found: Lora, adapter: Path) -> Iterator[Finding]:
    missing = sorted(trained.pairs.keys() - found.pairs.keys())
    if missing:
        yield Finding("missing layer", f"{adapter.name} lacks {_named(missing)}, which training changed.", AGAIN)
    more = sorted(found.pairs.keys() - trained.pairs.keys())
    if more:
        yield Finding("values", f"{adapter.name} changes {_named(more)}, which training did not.", AGAIN)


def _others(trained: Lora, found: Lora, adapter: Path) -> Iterator[Finding]:
    ordered: list[str] = []
    other: list[str] = []
    for target in sorted(trained.pairs.keys() & found.pairs.keys()):
        (a, b), (their_a, their_b) = trained.pairs[target], found.pairs[target]
        if a.shape != their_a.shape or b.shape != their_b.shape:
            other.append(target)
        elif not alike(_change(trained, target), _change(found, target)):
            moved = alike(a, their_a) and has_rows(b, their_b[spread(len(their_b))])
            (ordered if moved else other).append(target)
    if ordered:
        yield Finding(
            "rope",
            f"{adapter.name} changes the rows of {_named(ordered)} in another order than they were trained.",
            f"Its conversion has missed, or done twice, the permutation for the rotary embedding. {AGAIN}",
        )
    if other:
        yield Finding("values", f"{adapter.name} holds other numbers than were trained in {_named(other)}.", AGAIN)


def _scale(trained: Lora, found: Lora, adapter: Path) -> Iterator[Finding]:
    strengths = [
        strength
        for target in sorted(trained.pairs.keys() & found.pairs.keys())
        if (strength := _strength(trained, found, target)) is not None
    ]
    if not strengths:
        # An adapter that has learnt nothing yet changes nothing at any strength.
        strengths = [found.alpha / trained.alpha] if trained.pairs else []
    wrong = [strength for strength in strengths if abs(strength - 1) > SCALE]
    if wrong:
        where = "" if len(wrong) == len(strengths) else f" in {len(wrong)} of {len(strengths)} tensors"
        is_alpha = abs(found.alpha / trained.alpha - 1) > SCALE
        why = f": its alpha is {found.alpha:g}, and {trained.alpha:g} is right" if is_alpha else ""
        words = f"{adapter.name} acts at {wrong[0]:.3g} times the strength that was trained{where}{why}."
        yield Finding("scale", words, AGAIN)


def _strength(trained: Lora, found: Lora, target: str) -> float | None:
    """Return by how much more the GGUF changes a tensor; None where it is another change, or none."""
    import numpy as np

    ours, theirs = trained.pairs[target], found.pairs[target]
    if any(a.shape != b.shape for a, b in zip(ours, theirs, strict=True)):
        return None
    right, given = _change(trained, target), _change(found, target)
    size = float(np.vdot(right, right))
    return float(np.vdot(right, given)) / size if size and alike(right, given) else None


def _change(lora: Lora, target: str) -> "Array":
    """Return some rows of what is added to a tensor."""
    import numpy as np

    a, b = (matrix.astype(np.float32) for matrix in lora.pairs[target])
    change: Array = (b[spread(len(b))] @ a) * np.float32(lora.alpha / b.shape[-1])
    return change


def _named(targets: list[str]) -> str:
    layers = sorted({int(target.split(".")[1]) for target in targets if target.startswith("blk.")})
    more = f" and {len(targets) - MOST_NAMED} more" if len(targets) > MOST_NAMED else ""
    where = f" (layer{'s' if len(layers) > 1 else ''} {', '.join(map(str, layers))})" if 0 < len(layers) <= 8 else ""
    return f"{', '.join(targets[:MOST_NAMED])}{more}{where}"
