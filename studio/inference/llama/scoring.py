"""What a model makes of given tokens: the probability of each, and how far it is from a reference."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.inference.llama.context import REPEATABLE_CHUNK, ROWS, Context
from studio.inference.llama.inbox import Inbox
from studio.inference.llama.memory import Models, Wanted
from studio.inference.llama.native import Refused
from studio.inference.llama.steps import WORKED, Message, Steps, Stopped

if TYPE_CHECKING:
    Rows = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Numbers = np.ndarray[tuple[int], np.dtype[Any]]

Blocks = Iterator["Rows | None"]
"""Logits of some tokens each time; None where there are none yet."""


def compare(request: Message, models: Models, inbox: Inbox) -> Steps:
    """Load the model, and the reference if that is one, and score one sequence after the other."""
    wanted = [Wanted.of(request[name]) for name in ("model", "reference") if name in request]
    try:
        yield from models.take(request["id"], wanted)
        with models.hold(wanted) as contexts:
            for number, (ids, start) in enumerate(zip(request["sequences"], request["starts"], strict=True)):
                yield from _score(request, inbox, contexts, number, ids, start)
    except Stopped:
        pass
    yield {"event": "done"}


def _score(request: Message, inbox: Inbox, contexts: list[Context], number: int, ids: list[int], start: int) -> Steps:
    _check(contexts, number, ids, start)
    # One memory can't read the same text twice at once: what a model says is its own reference.
    readers = [_read(request, inbox, context, ids, start) for context in dict.fromkeys(contexts)]
    folder = Path(request["folder"]) if "folder" in request else None
    made = _made_elsewhere(folder, number, len(ids) - start) if folder else None
    at, parts = start, []
    while at < len(ids):
        blocks: list[Rows] = []
        for reader in readers:
            while (block := next(reader)) is None:
                yield WORKED
            blocks.append(block)
        end = at + len(blocks[0])
        reference = blocks[-1] if len(contexts) == 2 else made[at - start : end - start] if made is not None else None
        parts.append(_numbers(blocks[0], reference, ids[at:end]))
        at = end
        yield WORKED
    columns = [np.concatenate(column).tolist() for column in zip(*parts, strict=True)] or [[], [], [], []]
    names = ("logprobs", "reference_logprobs", "kl", "same_top")
    yield {"event": "scored", **dict(zip(names, columns, strict=True))}


def _check(contexts: list[Context], number: int, ids: list[int], start: int) -> None:
    longest = min(context.length for context in contexts)
    if len(ids) > longest:
        raise Refused(f"Sequence {number + 1} has {len(ids):,} tokens and the context holds {longest:,}.")
    if not 1 <= start <= len(ids):
        raise Refused(f"Sequence {number + 1} of {len(ids):,} tokens can't be scored from token {start:,} on.")
    if max(ids) >= min(context.width for context in contexts) or min(ids) < 0:
        raise Refused(f"Sequence {number + 1} has tokens that the model has not.")


def _read(request: Message, inbox: Inbox, context: Context, ids: list[int], start: int) -> Blocks:
    """Read a sequence, always in the same chunks, and yield the logits from which its tokens are to be guessed."""
    context.keep([])
    # Up to there nothing is guessed, and the last token is followed by none.
    done, last = start - 1, len(ids) - 1
    while (at := len(context.ids)) < last:
        if inbox.is_cancelled(request["id"]):
            raise Stopped
        # Broken off for another's sake, a model that can't forget a part has to read again what was scored already.
        wanted = at >= done
        end = min(last, at + ROWS) if wanted else min(done, at + REPEATABLE_CHUNK)
        if context.evaluate(ids[at:end], lambda: inbox.is_urgent, rows=wanted) and wanted:
            done = end
            yield context.rows()
        else:
            yield None


def _made_elsewhere(folder: Path, number: int, count: int) -> "Rows":
    path = folder / f"{number}.npy"
    try:
        made: Rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise Refused(f"The reference's logits {path.name} can't be read: {error}") from error
    if made.ndim != 2 or made.shape[0] != count:
        raise Refused(f"The reference's logits {path.name} are {made.shape} and not of {count:,} tokens.")
    return made


def _numbers(rows: "Rows", reference: "Rows | None", tokens: list[int]) -> "tuple[Numbers, ...]":
    """Return log-probabilities, those of the reference, divergences, and whether the likeliest token is the same."""
    if reference is None:
        shifted, total = _shifted(rows)
        none = np.empty(0)
        return _of_tokens(shifted, total, tokens), none, none, none
    # A matrix that was padded for speed has columns that stand for no token.
    width = min(rows.shape[1], reference.shape[1])
    (ours, our_total), (theirs, their_total) = (_shifted(np.asarray(one)[:, :width]) for one in (rows, reference))
    weights = np.exp(theirs)
    gap = np.einsum("ij,ij->i", weights, theirs - ours, dtype=np.float64) / np.exp(their_total)
    return (
        _of_tokens(ours, our_total, tokens),
        _of_tokens(theirs, their_total, tokens),
        np.maximum(gap - their_total + our_total, 0.0),
        ours.argmax(1) == theirs.argmax(1),
    )


def _shifted(rows: "Rows") -> "tuple[Rows, Numbers]":
    """Return logits less their highest, which keeps the likely ones exact, and the logarithm of their sum."""
    shifted = rows.astype(np.float32)
    shifted -= shifted.max(1, keepdims=True)
    return shifted, np.log(np.exp(shifted).sum(1, dtype=np.float64))


def _of_tokens(shifted: "Rows", total: "Numbers", tokens: list[int]) -> "Numbers":
    return shifted[np.arange(len(tokens)), tokens] - total
