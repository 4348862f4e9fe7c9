"""What was sent to a model and received from it, token by token: made once with the answer, kept with it."""

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from store import chats
from store.database import Store


class Likely(NamedTuple):
    """A token that might have stood at a place, with the natural logarithm of its probability."""

    id: int
    text: str
    logprob: float


class Received(NamedTuple):
    """A token of an answer, or the one that ended it."""

    id: int
    text: str
    logprob: float | None = None
    """None where probabilities were not asked for."""
    alternatives: tuple[Likely, ...] = ()
    """The likeliest at its place, itself among them where it is one, the likeliest first."""


class Trace(NamedTuple):
    """What a model was given and what it gave."""

    prompt: tuple[int, ...]
    tokens: tuple[Received, ...]
    end: Received | None = None
    """The token that ended the answer; None where it was stopped or cut."""


def pack(trace: Trace) -> bytes:
    """Return a trace as it is kept."""
    end = None if trace.end is None else _row(trace.end)
    return zlib.compress(orjson.dumps({"prompt": trace.prompt, "tokens": list(map(_row, trace.tokens)), "end": end}))


def unpack(kept: bytes) -> Trace:
    """Return a trace that was kept."""
    found = orjson.loads(zlib.decompress(kept))
    end = found["end"] and _received(found["end"])
    return Trace(tuple(found["prompt"]), tuple(map(_received, found["tokens"])), end)


def trace_of(store: Store, answer_id: int) -> Trace | None:
    """Return what an answer was made from and of; None where it was not kept, as by earlier versions."""
    kept = chats.trace(store, answer_id)
    return None if kept is None else unpack(kept)


def _row(token: Received) -> list[Any]:
    return [token.id, token.text, token.logprob, [list(each) for each in token.alternatives]]


def _received(row: Sequence[Any]) -> Received:
    number, text, logprob, alternatives = row
    return Received(number, text, logprob, tuple(Likely(*each) for each in alternatives))
