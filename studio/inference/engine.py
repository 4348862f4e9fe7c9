"""The user's side of the llama.cpp process: starts it, asks, streams, cancels, and survives its death."""

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from studio.errors import StudioError

DEFAULT_CONTEXT = 4096
"""Tokens of prompt and reply together that a model is loaded for."""

ILLEGAL_INSTRUCTION_CURE = (
    "llama.cpp was built for another processor; build it again: "
    'CMAKE_ARGS="-DGGML_NATIVE=OFF" pip install --force-reinstall --no-cache-dir --no-deps llama-cpp-python'
)


class EngineError(StudioError):
    """The llama.cpp process refused or died; it is started anew at the next use."""


@dataclass(frozen=True)
class ModelKey:
    """A model as the engine knows it."""

    gguf: Path
    adapter: Path | None = None
    context: int = DEFAULT_CONTEXT


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; temperature 0 always takes the likeliest."""

    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 40
    min_p: float = 0.05
    max_tokens: int = 512
    seed: int = 0


@dataclass(frozen=True)
class Token:
    """One generated token; `text` is empty while a character is not complete yet."""

    id: int
    text: str


@dataclass
class Generation:
    """A reply that is being made: iterate it for its tokens; `stats` is filled at its end."""

    engine: "Engine"
    number: int
    replies: "queue.Queue[dict[str, Any]]"
    stats: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Token]:
        """Yield tokens as they come.

        Raises:
            EngineError: the model refused, or the process died.
        """
        while True:
            reply = self.replies.get()
            match reply["event"]:
                case "token":
                    yield Token(reply["token"], reply["text"])
                case "done":
                    self.stats = reply["stats"]
                    if reply["text"]:
                        yield Token(-1, reply["text"])
                    return
                case "error":
                    raise EngineError(reply["message"], reply.get("hint", ""))

    def cancel(self) -> None:
        """End the reply now, in the midst of the prompt too; safe from any thread."""
        self.engine.send({"op": "cancel", "target": self.number, "id": 0})


Waiting = dict[int, "queue.Queue[dict[str, Any]]"]


@dataclass(frozen=True)
class _Child:
    """One life of the process, with those who wait for its replies."""

    process: "subprocess.Popen[bytes]"
    waiting: Waiting = field(default_factory=dict)

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None


class Engine:
    """A llama.cpp process; started at first use, safe to use from several threads."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._last_number = 0

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, gguf: Path, adapter: Path | None = None, context: int = DEFAULT_CONTEXT) -> ModelKey:
        """Load a model, or find it loaded.

        Raises:
            EngineError: llama.cpp can't read the file.
        """
        key = ModelKey(gguf.resolve(), adapter.resolve() if adapter else None, context)
        self._ask({"op": "load", **_model(key)})
        return key

    def generate(
        self,
        key: ModelKey,
        ids: list[int],
        sampling: Sampling,
        stop_ids: frozenset[int] = frozenset(),
        *,
        repeatable: bool = False,
    ) -> Generation:
        """Begin a reply to a prompt given as token ids; it ends before any of the stop ids.

        A repeatable one is the same whatever was asked before. Others begin sooner: a prompt is evaluated only from
        where it parts from the last one, which rounds differently, and now and then chooses another token.
        """
        number, replies = self._post(
            {
                "op": "generate",
                **_model(key),
                "ids": ids,
                "sampling": asdict(sampling),
                "stop_ids": sorted(stop_ids),
                "repeatable": repeatable,
            }
        )
        return Generation(self, number, replies)

    def tokenize(self, gguf: Path, pieces: list[tuple[str, bool]]) -> list[int]:
        """Return the ids that llama.cpp's own tokenizer makes of pieces of text.

        Args:
            gguf: the model whose tokenizer is asked.
            pieces: text, and whether special tokens are read in it.
        """
        ids: list[int] = self._ask({"op": "tokenize", "gguf": str(gguf.resolve()), "pieces": pieces})
        return ids

    def close(self) -> None:
        """End the process; replies that are still coming end with an error."""
        with self._lock:
            child, self._child = self._child, None
        if child is None:
            return
        if child.process.stdin:
            child.process.stdin.close()
        try:
            child.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the process, if it lives."""
        with self._lock:
            if self._child and not self._child.is_dead:
                self._write(self._child, message)

    def _ask(self, message: dict[str, Any]) -> Any:
        _, replies = self._post(message)
        reply = replies.get()
        if reply["event"] == "error":
            raise EngineError(reply["message"], reply.get("hint", ""))
        return reply["value"]

    def _post(self, message: dict[str, Any]) -> "tuple[int, queue.Queue[dict[str, Any]]]":
        replies: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._lock:
            if self._child is None or self._child.is_dead:
                self._child = self._start()
            self._last_number += 1
            number = self._last_number
            self._child.waiting[number] = replies
            self._write(self._child, {"id": number, **message})
        return number, replies

    @staticmethod
    def _write(child: _Child, message: dict[str, Any]) -> None:
        assert child.process.stdin is not None
        try:
            child.process.stdin.write(orjson.dumps(message) + b"\n")
            child.process.stdin.flush()
        except OSError:
            # It died just now: the listening thread tells those who wait.
            return

    def _start(self) -> _Child:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "studio.inference.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Not in the terminal's group: ctrl+c at the prompt must not kill the model.
                start_new_session=True,
            )
        child = _Child(process)
        threading.Thread(target=self._listen, args=(child,), daemon=True).start()
        return child

    def _listen(self, child: _Child) -> None:
        assert child.process.stdout is not None
        for line in child.process.stdout:
            reply = orjson.loads(line)
            ends = reply["event"] in ("done", "error", "result")
            with self._lock:
                replies = child.waiting.pop(reply["id"], None) if ends else child.waiting.get(reply["id"])
            if replies is not None:
                replies.put(reply)
        self._tell_death(child)

    def _tell_death(self, child: _Child) -> None:
        code = child.process.wait()
        hint = ILLEGAL_INSTRUCTION_CURE if code == -signal.SIGILL else f"Its last words are in {self._log}."
        cause = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        with self._lock:
            waiting = list(child.waiting.values())
            child.waiting.clear()
        for replies in waiting:
            replies.put({"event": "error", "message": f"The llama.cpp process {cause}.", "hint": hint})


def _model(key: ModelKey) -> dict[str, Any]:
    return {"gguf": str(key.gguf), "adapter": str(key.adapter) if key.adapter else None, "context": key.context}
