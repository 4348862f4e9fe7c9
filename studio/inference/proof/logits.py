"""Logits: what torch says after each token of held-out texts against what llama.cpp says of the converted model."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import StudioError
from studio.free_memory import free_memory
from studio.inference.asked import EngineError, Scored
from studio.inference.engine import Engine
from studio.inference.proof.conversations import Conversation
from studio.inference.proof.evidence import Check, Finding
from studio.inference.proof.torch_logits import Question
from studio.rendering import ChatTokenizer, render
from studio.sizes import size_in_words

if TYPE_CHECKING:
    import gguf as gguf_library

LEAST_TOP = 0.998
"""The least share of positions at which both find the same token likeliest, or torch's two best all but tie.

A wrong rotary order or a missing layer of an adapter leaves far less."""

NEAR_TIE = 0.05
"""Nats by which torch's likeliest token may lead its second for rounding to turn them round.

Rounding that diverges by a nat's 3,000th, the most that was seen, moves logits by about the root of twice that."""

MOST_KL = 1e-3
"""The most that the worst position may diverge by, in nats.

Rounding to 16-bit floats costs the default model 3e-4 at worst over 3,776 positions; wrong conversions cost 1e-2 and
more."""

MOST_QUANTISED = 1.0
"""The most that a quantised model may diverge by on average: the coarsest types cost half a nat, other faults more."""

TEXTS = 8
POSITIONS = 400
"""What is compared after each training: some seconds for a small model."""

LONGEST = 100
"""Tokens of a text that are compared; a wrong rotary order shows more the further tokens stand apart."""

MOST_BYTES = 200_000_000
"""Logits that are kept on the disk meanwhile; a large vocabulary is compared at fewer positions."""

SPARE_BYTES = 500_000_000
"""What torch and llama.cpp take in memory beside the weights."""

_OTHERS_VARIABLES = ("ACCELERATE_", "FSDP_", "MASTER_", "RANK", "LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_")
"""Of the launcher of several trainers, which would make torch wait for the others."""


@dataclass(frozen=True)
class Amount:
    """How much is compared."""

    texts: int = TEXTS
    positions: int = POSITIONS
    longest: int = LONGEST
    bytes: int = MOST_BYTES


@dataclass(frozen=True)
class Sequence:
    """Tokens to compare, and which text they are of."""

    label: str
    ids: list[int]


def sequences_of(
    tokenizer: ChatTokenizer, conversations: Iterable[Conversation], amount: Amount = Amount()
) -> list[Sequence]:
    """Return the first tokens of some texts, as training saw them."""
    width = tokenizer.tokenizer.get_vocab_size(with_added_tokens=True)
    left = min(amount.positions, amount.bytes // (4 * max(width, 1)))
    found: list[Sequence] = []
    for conversation in conversations:
        if len(found) == amount.texts or left < 2:
            break
        try:
            ids = render(tokenizer, conversation.messages, conversation.tools).ids
        except StudioError:
            continue
        ids = ids[: min(amount.longest, left) + 1]
        if len(ids) > 1:
            found.append(Sequence(conversation.label, ids))
            left -= len(ids) - 1
    return found


def check_logits(
    engine: Engine,
    reader: "gguf_library.GGUFReader",
    gguf: Path,
    adapter: Path | None,
    weights: Path,
    peft: Path | None,
    sequences: list[Sequence],
) -> Check:
    """Compare what llama.cpp says with what torch says.

    Args:
        engine: to run the GGUF.
        reader: the same GGUF, opened.
        gguf: its file.
        adapter: the adapter that llama.cpp applies, as a GGUF.
        weights: the Hugging Face folder that torch loads.
        peft: the adapter that torch applies, as training left it.
        sequences: of tokens, each of two or more.

    Raises:
        StudioError: torch or llama.cpp can't load the model.
    """
    if not sequences:
        return Check("logits", "not checked", "there is no text that no training has seen")
    if short := _want_of_memory(reader, gguf):
        return Check("logits", "not checked", short)
    ids = [sequence.ids for sequence in sequences]
    try:
        key = engine.load(gguf, adapter, context=max(map(len, ids)))
    except EngineError as error:
        finding = Finding("loading", error.message, error.hint or "Convert the model again.")
        return Check("logits", "different", f"{gguf.name} does not run", (finding,))
    ids = [each[: key.context] for each in ids]
    with tempfile.TemporaryDirectory(prefix="logits-") as place:
        folder = Path(place)
        _ask_torch(Question(str(weights.resolve()), str(peft.resolve()) if peft else None, ids, place))
        scored = list(engine.compare(key, ids, [1] * len(ids), reference=folder))
        leads = [_lead(folder / f"{text}.npy", at) for text, each in enumerate(scored) for at in _turned(each)]
    return judged(scored, leads, [each.label for each in sequences], is_quantised=_is_quantised(reader))


def _turned(scored: Scored) -> list[int]:
    """Return the positions at which another token is the likeliest."""
    return [at for at, same in enumerate(scored.same_top) if not same]


def _lead(logits: Path, at: int) -> float:
    """Return by how many nats torch's likeliest token leads its second."""
    import numpy as np

    second, first = np.partition(np.load(logits, mmap_mode="r", allow_pickle=False)[at], -2)[-2:]
    return float(first - second)


def judged(scored: list[Scored], leads: list[float], labels: list[str], *, is_quantised: bool) -> Check:
    """Tell whether two models say the same.

    Args:
        scored: what llama.cpp says beside torch, of each text.
        leads: by how much torch's likeliest token leads its second, where llama.cpp's is another.
        labels: which texts they are.
        is_quantised: whether the GGUF can't be what torch has.
    """
    kl = [value for each in scored for value in each.kl]
    clear = sum(lead > NEAR_TIE for lead in leads)
    worst, (text, at) = max(
        (inf if isnan(value) else value, (text, at))
        for text, each in enumerate(scored)
        for at, value in enumerate(each.kl)
    )
    mean = sum(kl) / len(kl)
    figures = {
        "positions": float(len(kl)),
        "texts": float(len(scored)),
        "top1": 1 - len(leads) / len(kl),
        "near_ties": float(len(leads) - clear),
        "mean_kl": mean,
        "worst_kl": worst,
    }
    agreement = _agreement(len(kl), len(leads), clear)
    sentence = f"{agreement}, KL at worst {worst:.1e} and {mean:.1e} on average"
    if worst <= MOST_KL and clear <= (1 - LEAST_TOP) * len(kl):
        return Check("logits", "equal", sentence, (), figures)
    if is_quantised and mean <= MOST_QUANTISED:
        return Check("logits", "noted", f"{sentence}; this GGUF is quantised, and that is what it costs", (), figures)
    bound = f"{MOST_KL:g} is rounding"
    if is_quantised:
        bound = f"quantising costs less than {MOST_QUANTISED:g} on average"
    finding = Finding(
        "logits",
        f"llama.cpp does not say what torch says: {agreement}; it diverges most in {labels[text]},"
        f" after {at + 1:,} tokens, by {worst:.2g} nats where {bound}.",
        "The conversion or the adapter is wrong; the settings, the weights and the adapter above say where.",
    )
    return Check("logits", "different", sentence, (finding,), figures)


def _agreement(places: int, turned: int, clear: int) -> str:
    words = f"the same likeliest token at {places - turned:,} of {places:,} places ({1 - turned / places:.2%})"
    if not turned:
        return words
    return f"{words}, near ties at {'the other' if not clear else f'{turned - clear:,} of the other'} {turned:,}"


def _ask_torch(question: Question) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OTHERS_VARIABLES)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "studio.inference.proof.torch_logits"],
        input=question.as_json(),
        capture_output=True,
        check=False,
        # On the processor, whatever else there is: its full precision is what is compared with.
        env={**kept, "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"},
    )
    if done.returncode < 0:
        raise StudioError(f"torch was ended by signal {-done.returncode}.", "It may have needed more memory than free.")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise StudioError(f"torch can't run {question.weights}: {said[-1] if said else done.returncode}.")


def _want_of_memory(reader: "gguf_library.GGUFReader", gguf: Path) -> str:
    """Say that memory is short; empty where it is not."""
    needed = 4 * sum(int(tensor.n_elements) for tensor in reader.tensors) + gguf.stat().st_size + SPARE_BYTES
    free = free_memory()
    if needed <= free:
        return ""
    words = f"torch needs about {size_in_words(needed)} for it, and {size_in_words(free)} is free"
    return f"{words}; `studio parity` compares them on a larger machine"


def _is_quantised(reader: "gguf_library.GGUFReader") -> bool:
    import gguf

    full = {gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16}
    return any(tensor.tensor_type not in full for tensor in reader.tensors)
