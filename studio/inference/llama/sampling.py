"""Which token comes next, and which could have come."""

import math
from typing import TYPE_CHECKING, Any

import llama_cpp
import numpy as np

from studio.inference.llama.context import Context

if TYPE_CHECKING:
    Row = np.ndarray[tuple[int], np.dtype[np.float32]]

PENALISED = 64
"""Tokens back that a penalty for repetition looks."""

ROWS = 64
"""The logits are laid in so many rows; the largest of each column are found for all columns at once."""


class Sampler:
    """llama.cpp's own samplers, one behind the other."""

    def __init__(self, settings: dict[str, Any], width: int) -> None:
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for sampler in _samplers(settings, width):
            llama_cpp.llama_sampler_chain_add(self._chain, sampler)

    def next(self, context: Context) -> int:
        """Choose a token by the logits of the last one read."""
        return int(llama_cpp.llama_sampler_sample(self._chain, context.pointer, -1))

    def close(self) -> None:
        """Free the samplers."""
        llama_cpp.llama_sampler_free(self._chain)


def _samplers(settings: dict[str, Any], width: int) -> list[Any]:
    penalty, temperature = settings["repeat_penalty"], settings["temperature"]
    found = [llama_cpp.llama_sampler_init_penalties(width, PENALISED, penalty, 0.0, 0.0)] if penalty != 1 else []
    if temperature == 0:
        return [*found, llama_cpp.llama_sampler_init_greedy()]
    return [
        *found,
        llama_cpp.llama_sampler_init_top_k(settings["top_k"]),
        llama_cpp.llama_sampler_init_top_p(settings["top_p"], 1),
        llama_cpp.llama_sampler_init_min_p(settings["min_p"], 1),
        llama_cpp.llama_sampler_init_temp(temperature),
        llama_cpp.llama_sampler_init_dist(settings["seed"] & 0xFFFFFFFF),
    ]


def likeliest(logits: "Row", token: int, count: int) -> tuple[float, list[tuple[int, float]]]:
    """Return a token's natural log-probability, and the likeliest tokens with theirs, the first one first."""
    columns = logits[: len(logits) - len(logits) % ROWS].reshape(ROWS, -1)
    rest = np.arange(columns.size, len(logits))
    highest = columns.max(axis=0)
    top = max(highest.max(initial=-np.inf), logits[rest].max(initial=-np.inf))
    shares = logits - top
    np.exp(shares, out=shares)
    total = float(top) + math.log(shares.sum())
    if len(highest) > count:
        # The largest of all are in the columns whose largest are the largest.
        among = np.argpartition(highest, -count)[-count:]
        places = np.concatenate([(among + np.arange(0, columns.size, len(highest))[:, None]).ravel(), rest])
    else:
        places = np.arange(len(logits))
    best = places[np.argsort(-logits[places], kind="stable")[:count]]
    return float(logits[token]) - total, [(int(one), float(logits[one]) - total) for one in best]
