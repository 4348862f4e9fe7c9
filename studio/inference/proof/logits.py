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
from studio.inference.engine import Engine, Scored
from studio.inference.proof.conversations import Conversation
from studio.inference.proof.evidence import Check, Finding
from studio.inference.proof.torch_logits import Question
from studio.rendering import ChatTokenizer, render
from studio.sizes import size_in_words
from studio.statistics.shares import wilson

if TYPE_CHECKING:
    import gguf as gguf_library

LEAST_TOP = 0.998
"""The least share of positions at which both find the same token likeliest.

Of the default model's conversion, which is right, 99.87 % agree over 3,776 positions: near ties fall either way by
rounding. A wrong rotary order or a missing layer of an adapter leaves far less."""

MOST_KL = 1e-3
"""The most that the worst position may diverge by, in nats.

Rounding to 16-bit floats costs 3e-4 at worst over the same positions; wrong conversions cost 1e-2 and more."""

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
    with tempfile.TemporaryDirectory(prefix="logits-") as folder:
        _ask_torch(Question(str(weights.resolve()), str(peft.resolve()) if peft else None, ids, folder))
        key = engine.load(gguf, adapter, context=max(map(len, ids)))
        scored = list(engine.compare(key, ids, [1] * len(ids), reference=Path(folder)))
    return _judged(scored, sequences, is_bound=not _is_quantised(reader))


def _judged(scored: list[Scored], sequences: list[Sequence], *, is_bound: bool) -> Check:
    kl = [value for each in scored for value in each.kl]
    same = [value for each in scored for value in each.same_top]
    share = wilson(sum(same), len(same))
    worst, place = max(
        (inf if isnan(value) else value, (text, at))
        for text, each in enumerate(scored)
        for at, value in enumerate(each.kl)
    )
    figures = {
        "positions": float(len(kl)),
        "texts": float(len(scored)),
        "top1": share.value,
        "mean_kl": sum(kl) / len(kl),
        "worst_kl": worst,
    }
    agreement = f"the same likeliest token at {share.part:,} of {share.of:,} places ({share.value:.2%})"
    sentence = f"{agreement}, KL at worst {worst:.1e} and {figures['mean_kl']:.1e} on average"
    if worst <= MOST_KL and share.high >= LEAST_TOP:
        return Check("logits", "equal", sentence, (), figures)
    text, at = place
    where = f"{sequences[text].label}, after {at + 1:,} tokens"
    finding = Finding(
        "logits",
        f"llama.cpp does not say what torch says: {agreement}; it diverges most in {where}, by {worst:.2g} nats"
        f" where {MOST_KL:g} is rounding.",
        "The conversion or the adapter is wrong; the weights and the adapter below say where.",
    )
    if is_bound:
        return Check("logits", "different", sentence, (finding,), figures)
    return Check("logits", "noted", f"{sentence}; this GGUF is quantised, and that is what it costs", (), figures)


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
    import psutil

    needed = 4 * sum(int(tensor.n_elements) for tensor in reader.tensors) + gguf.stat().st_size + SPARE_BYTES
    free = psutil.virtual_memory().available
    if needed <= free:
        return ""
    words = f"torch needs about {size_in_words(needed)} for it, and {size_in_words(free)} is free"
    return f"{words}; `studio parity` compares them on a larger machine"


def _is_quantised(reader: "gguf_library.GGUFReader") -> bool:
    import gguf

    full = {gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16}
    return any(tensor.tensor_type not in full for tensor in reader.tensors)
