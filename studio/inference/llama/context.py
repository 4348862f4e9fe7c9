"""A model that reads: its adapter, and its memory of the tokens it has evaluated."""

import ctypes
import math
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llama_cpp
import numpy as np

from studio.inference.llama.crew import Crew
from studio.inference.llama.native import NoRoom, Refused, forget_errors, threads, why

if TYPE_CHECKING:
    Rows = np.ndarray[tuple[int, int], np.dtype[np.float32]]

BATCH = 512
"""Tokens that llama.cpp evaluates at once, at most."""

ROWS = 64
"""Tokens of one batch whose logits can be had: with a large vocabulary they take more memory than all else."""

FIRST_CHUNK = 64
"""Tokens that are evaluated first, where it is not known yet how long they take."""

REPEATABLE_CHUNK = 128
"""Tokens at once where the same prompt must always be rounded in the same way, so whatever the model's pace is."""

CHUNK_SECONDS = 2.0
"""How long a chunk may take: then a single operation, in which nothing can be stopped, takes less than 50 ms."""

WATCHED_SECONDS = 0.05
"""A token that takes longer than this can be stopped within; asking costs fast models some percent of their speed."""

LONGEST_EMBEDDED = 2048
"""Tokens of a text to embed: models that read both ways need room for each pair of them."""

ABORTED = 2

NOT_WATCHED = llama_cpp.ggml_abort_callback()


class Context:
    """One memory of tokens, and what is evaluated on top of it."""

    def __init__(
        self, model: Any, length: int, adapter: Path | None = None, scale: float = 1.0, *, embeddings: bool = False
    ) -> None:
        self.model = model
        self.length = length
        self.ids: list[int] = []
        self.width = int(llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model)))
        self._outputs = self._repeatable = 0
        self._reading_seconds: float | None = None
        """What a token of many at once takes."""
        self._token_seconds = math.inf
        """What a token by itself takes; the first may take any time."""
        self._is_urgent: Callable[[], bool] = lambda: False
        self._watching = False
        self._crew, self._threads = crew(), 0
        # ctypes frees a callback with its last reference, llama.cpp or no.
        self._watcher = llama_cpp.ggml_abort_callback(lambda _: self._is_urgent())
        self.pointer = _opened(model, _parameters(length, embeddings))
        self._memory = llama_cpp.llama_get_memory(self.pointer)
        self._adapter = self._adapt(adapter, scale) if adapter else None
        self._batch = llama_cpp.llama_batch_init(max(BATCH, _batch_of(length, embeddings)), 0, 1)
        self._views = self._views_of_batch(max(BATCH, _batch_of(length, embeddings)))

    def close(self) -> None:
        """Free the memory; the model stays."""
        llama_cpp.llama_free(self.pointer)
        llama_cpp.llama_batch_free(self._batch)
        if self._adapter is not None:
            llama_cpp.llama_adapter_lora_free(self._adapter)

    def keep(self, ids: list[int], *, whole: bool = False) -> int:
        """Keep what is evaluated already of a prompt, forget the rest; return how many tokens that saves.

        At least one token is evaluated again, since its logits are what the next one is sampled from. `whole`: keep
        all but that one, if just they were read as a whole before, or nothing: tokens that were written, one by one,
        or a part of a prompt, are rounded differently.
        """
        same, whole_length = 0, len(ids) - 1
        for old, new in zip(self.ids, ids[:-1], strict=False):
            if old != new:
                break
            same += 1
        if whole and not same == whole_length == self._repeatable:
            same = 0
        if whole:
            self._repeatable = whole_length
        elif same < self._repeatable:
            self._repeatable = 0
        self._cut(same)
        return len(self.ids)

    def chunk(self) -> int:
        """Return how many tokens to evaluate at once, so that it can be stopped soon."""
        if self._reading_seconds is None:
            return FIRST_CHUNK
        return max(16, min(BATCH, int(CHUNK_SECONDS / self._reading_seconds) // 16 * 16))

    def evaluate(self, ids: list[int], is_urgent: Callable[[], bool], *, rows: bool = False) -> bool:
        """Read some tokens, at most a batch; False where that was broken off, and nothing of it is kept.

        Args:
            ids: the tokens.
            is_urgent: whether to break off; asked many times a second.
            rows: whether the logits of all of them are wanted, not of the last one alone.
        """
        count, at = len(ids), len(self.ids)
        tokens, positions, outputs = self._views
        tokens[:count] = ids
        positions[:count] = range(at, at + count)
        outputs[:count] = rows
        outputs[count - 1] = True
        self._batch.n_tokens = count
        self._watch(is_urgent, count > 1 or self._token_seconds > WATCHED_SECONDS)
        begun = time.monotonic()
        self._crew.begin(self._man(count))
        status = llama_cpp.llama_decode(self.pointer, self._batch)
        self._crew.end()
        if status != 0:
            self._cut(at, dirty=True)
            if status == ABORTED:
                return False
            raise Refused(f"llama.cpp could not evaluate {count:,} tokens after {at:,} others (status {status}).")
        self._note_pace(count, time.monotonic() - begun)
        self.ids += ids
        self._outputs = count if rows else 1
        return True

    def rows(self) -> "Rows":
        """Return the logits of the tokens read last; they are llama.cpp's own, until more is read."""
        pointer = llama_cpp.llama_get_logits(self.pointer)
        return np.ctypeslib.as_array(pointer, shape=(self._outputs, self.width))

    def _cut(self, length: int, *, dirty: bool = False) -> None:
        """Forget all from this position on; everything, where the model can't forget a part."""
        if length == len(self.ids) and not dirty:
            return
        if self._memory is not None and not llama_cpp.llama_memory_seq_rm(self._memory, 0, length, -1):
            llama_cpp.llama_memory_clear(self._memory, False)
            length = 0
        del self.ids[length:]

    def _note_pace(self, count: int, seconds: float) -> None:
        if count == 1:
            self._token_seconds = seconds
        elif count >= 16:
            self._reading_seconds = seconds / count

    def _man(self, tokens: int) -> int:
        """Take as many threads as are worth it just now; return how many that is."""
        one, many = (min(most, self._crew.count) for most in threads())
        if self._threads != self._crew.count:
            self._threads = self._crew.count
            llama_cpp.llama_set_n_threads(self.pointer, one, many)
        return one if tokens == 1 else many

    def _watch(self, is_urgent: Callable[[], bool], wanted: bool) -> None:
        self._is_urgent = is_urgent
        if wanted != self._watching:
            watcher = self._watcher if wanted else NOT_WATCHED
            llama_cpp.llama_set_abort_callback(self.pointer, watcher, None)
            self._watching = wanted

    def _adapt(self, path: Path, scale: float) -> Any:
        adapter = llama_cpp.llama_adapter_lora_init(self.model, str(path).encode())
        scales = (ctypes.c_float * 1)(scale)
        if not adapter:
            llama_cpp.llama_free(self.pointer)
            raise Refused(f"llama.cpp can't put {path.name} on this model{why()}.")
        llama_cpp.llama_set_adapters_lora(self.pointer, (llama_cpp.llama_adapter_lora_p_ctypes * 1)(adapter), 1, scales)
        return adapter

    def _views_of_batch(self, size: int) -> tuple[Any, Any, Any]:
        for position in range(size):
            self._batch.n_seq_id[position] = 1
            self._batch.seq_id[position][0] = 0
        fields = (self._batch.token, self._batch.pos, self._batch.logits)
        tokens, positions, outputs = (np.ctypeslib.as_array(field, shape=(size,)) for field in fields)
        return tokens, positions, outputs


@cache
def crew() -> Crew:
    """Return the threads that all contexts share."""
    # Where a GPU computes, threads that are given no time wait for it, not for other programs.
    return Crew(threads()[1], fixed=bool(llama_cpp.llama_supports_gpu_offload()))


def _opened(model: Any, parameters: Any) -> Any:
    forget_errors()
    pointer = llama_cpp.llama_init_from_model(model, parameters)
    if pointer is None:
        raise NoRoom(f"There is no memory for a context of {parameters.n_ctx:,} tokens{why()}.")
    if not parameters.embeddings or llama_cpp.llama_pooling_type(pointer) != llama_cpp.LLAMA_POOLING_TYPE_NONE:
        return pointer
    # The model was not made for it and says nothing about how to make one vector of many.
    llama_cpp.llama_free(pointer)
    parameters.pooling_type = llama_cpp.LLAMA_POOLING_TYPE_MEAN
    return _opened(model, parameters)


def _batch_of(length: int, embeddings: bool) -> int:
    # A model that reads both ways must have all of a text in one batch.
    return length if embeddings else min(length, BATCH)


def _parameters(length: int, embeddings: bool) -> Any:
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx = length
    parameters.n_batch = parameters.n_ubatch = _batch_of(length, embeddings)
    parameters.n_outputs_max = 0 if embeddings else ROWS
    parameters.n_threads, parameters.n_threads_batch = threads()
    parameters.embeddings = embeddings
    # Flash attention on a processor adds up in half precision: too coarse to prove a conversion with.
    parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return parameters
