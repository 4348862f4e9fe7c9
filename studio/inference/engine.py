"""The user's side of the llama.cpp process: starts it, asks, streams, cancels, and survives its death."""

import queue
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.inference.asked import Asked, Comparison, EngineError, Generation
from studio.inference.child import Child, Replies, start

DEFAULT_CONTEXT = 4096
"""Tokens of prompt and reply together that a model is loaded for."""

LISTENING_SECONDS = 0.1
"""How often one who waits for a model is asked whether to go on waiting."""


@dataclass(frozen=True)
class ModelKey:
    """A model as the engine knows it."""

    gguf: Path
    adapter: Path | None = None
    context: int = DEFAULT_CONTEXT
    """Tokens that it is loaded for; after `Engine.load`, no more than the model was made for."""
    scale: float = 1.0
    """How strongly the adapter acts."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; temperature 0 always takes the likeliest."""

    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 40
    min_p: float = 0.05
    max_tokens: int = 512
    seed: int = 0
    repeat_penalty: float = 1.0
    """Above 1, what stands in the last tokens becomes less likely."""


class Engine:
    """A llama.cpp process; started at first use, safe to use from several threads."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._last_number = 0

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(
        self,
        gguf: Path,
        adapter: Path | None = None,
        context: int = DEFAULT_CONTEXT,
        *,
        scale: float = 1.0,
        on_progress: Callable[[float], None] | None = None,
    ) -> ModelKey:
        """Load a model, or find it loaded.

        Args:
            gguf: its file.
            adapter: a LoRA adapter, as a GGUF.
            context: tokens of prompt and reply together; the model's own limit counts where it is lower.
            scale: how strongly the adapter acts.
            on_progress: called with 0 to 1 several times a second until it is there; what it raises stops the load.

        Raises:
            EngineError: llama.cpp can't read the file, there is no memory for it, or the process died.
        """
        key = ModelKey(gguf.resolve(), adapter.resolve() if adapter else None, context, scale)
        asked = Asked(*self._post({"op": "load", "model": _model(key)}))
        value = _wait(asked, on_progress or (lambda _: None))
        return ModelKey(key.gguf, key.adapter, value["context"], scale)

    def generate(
        self,
        key: ModelKey,
        ids: list[int],
        sampling: Sampling,
        stop_ids: frozenset[int] = frozenset(),
        *,
        repeatable: bool = False,
        alternatives: int = 0,
    ) -> Generation:
        """Begin a reply to a prompt given as token ids; it ends before any of the stop ids.

        A repeatable one is the same whatever was asked before. Others begin sooner: a prompt is evaluated only from
        where it parts from the last one, which rounds differently, and now and then chooses another token.
        With alternatives, each token comes with its log-probability and that many of the likeliest at its place.
        """
        request = {
            "op": "generate",
            "model": _model(key),
            "ids": ids,
            "sampling": asdict(sampling),
            "stop_ids": sorted(stop_ids),
            "repeatable": repeatable,
            "alternatives": alternatives,
        }
        return Generation(*self._post(request))

    def compare(
        self,
        key: ModelKey,
        sequences: list[list[int]],
        starts: list[int],
        *,
        reference: ModelKey | Path | None = None,
    ) -> Comparison:
        """Score each token of the sequences, each from its start (1 or later) on.

        Args:
            key: the model that is asked.
            sequences: token ids.
            starts: the first token of each that counts; one before it must exist.
            reference: what to compare with: another model, or a folder with a file `N.npy` for the sequence N
                (from 0): float32 logits [tokens from its start on, vocabulary], row 0 being what the model said
                before the start. Where the vocabularies' widths differ, the narrower one counts.
        """
        request = {"op": "compare", "model": _model(key), "sequences": sequences, "starts": starts}
        if isinstance(reference, ModelKey):
            request["reference"] = _model(reference)
        elif reference is not None:
            request["folder"] = str(reference.resolve())
        return Comparison(*self._post(request))

    def embed(self, key: ModelKey, texts_ids: list[list[int]]) -> list[list[float]]:
        """Return a vector of length 1 for each text given as token ids, pooled as the model says, else by the mean.

        Raises:
            EngineError: a text is longer than the model's context, or the process died.
        """
        vectors: list[list[float]] = self._ask({"op": "embed", "model": _model(key), "texts": texts_ids})
        return vectors

    def tokenize(self, gguf: Path, pieces: list[tuple[str, bool]]) -> list[int]:
        """Return the ids that llama.cpp's own tokenizer makes of the pieces of one text.

        Args:
            gguf: the model whose tokenizer is asked.
            pieces: text, and whether special tokens are read in it.
        """
        ids: list[int] = self._ask({"op": "tokenize", "gguf": str(gguf.resolve()), "pieces": pieces})
        return ids

    def close(self) -> None:
        """End the process, and with it what is still coming: cancelled, or with an error."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.close()

    def _ask(self, message: dict[str, Any]) -> Any:
        return Asked(*self._post(message)).result()

    def _post(self, message: dict[str, Any]) -> tuple[Child, int, Replies]:
        with self._lock:
            if self._child is None or self._child.is_dead:
                self._child = start(self._log)
            self._last_number += 1
            child, number = self._child, self._last_number
        return child, number, child.ask(number, message)


def _wait(asked: Asked, on_progress: Callable[[float], None]) -> dict[str, Any]:
    """Wait for a model, telling how far it is; what `on_progress` raises stops the load."""
    part = 0.0
    try:
        on_progress(part)
        while True:
            try:
                reply = asked.next(LISTENING_SECONDS)
            except queue.Empty:
                on_progress(part)
                continue
            if reply["event"] == "result":
                value: dict[str, Any] = reply["value"]
                return value
            part = reply["part"]
            on_progress(part)
    except EngineError:
        raise
    except BaseException:
        asked.cancel()
        raise


def _model(key: ModelKey) -> dict[str, Any]:
    adapter = str(key.adapter) if key.adapter else None
    return {"gguf": str(key.gguf), "adapter": adapter, "context": key.context, "scale": key.scale}
