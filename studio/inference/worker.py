"""The process that runs llama.cpp: `python -m studio.inference.worker`, one JSON message a line both ways.

Requests name what to do and carry an id; replies carry the same id. Several generations go on at once,
a token of each in turn. What llama.cpp prints from C goes to standard error, which is the log.
"""

import codecs
import ctypes
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, BinaryIO

import orjson

PROMPT_CHUNK = 64
"""Prompt tokens that are evaluated between two looks at whether the user wants to stop."""

KEPT = 2
"""Models that stay loaded when another is asked for: a run and its base. Each holds memory of its own."""

Message = dict[str, Any]
Job = Iterator[Message]


class Refused(Exception):
    """What was asked can't be done; the message says why, for the user."""


class Inbox:
    """Requests from the user's side; a cancel takes effect before the requests that wait."""

    def __init__(self, stream: BinaryIO) -> None:
        self.requests: queue.Queue[Message | None] = queue.Queue()
        self.cancelled: set[int] = set()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: BinaryIO) -> None:
        for line in stream:
            message = orjson.loads(line)
            if message["op"] == "cancel":
                self.cancelled.add(message["target"])
            else:
                self.requests.put(message)
        self.requests.put(None)


ModelKey = tuple[str, str | None, int]


class Models:
    """The loaded models, by file, adapter and context length."""

    def __init__(self) -> None:
        self._loaded: dict[ModelKey, Any] = {}
        self._in_use: list[ModelKey] = []
        self._vocabularies: dict[str, Any] = {}

    def load(self, gguf: str, adapter: str | None, context: int) -> Any:
        """Return the model, loading it the first time."""
        from llama_cpp import Llama

        key = (gguf, adapter, context)
        model = self._loaded.pop(key, None)
        if model is None:
            self._make_room()
            model = Llama(gguf, lora_path=adapter, n_ctx=context, n_gpu_layers=-1, verbose=False, logits_all=False)
        # The one asked for last stands last.
        self._loaded[key] = model
        return model

    @contextmanager
    def using(self, gguf: str, adapter: str | None, context: int) -> Iterator[Any]:
        """Hold a model for the time of a reply, so that no other takes its place."""
        model = self.load(gguf, adapter, context)
        self._in_use.append((gguf, adapter, context))
        try:
            yield model
        finally:
            self._in_use.remove((gguf, adapter, context))

    def _make_room(self) -> None:
        for key in [k for k in self._loaded if k not in self._in_use]:
            if len(self._loaded) >= KEPT:
                self._loaded.pop(key).close()

    def vocabulary(self, gguf: str) -> Any:
        """Return the model's tokenizer alone, which loads in a moment."""
        from llama_cpp import Llama

        if gguf not in self._vocabularies:
            self._vocabularies[gguf] = Llama(gguf, vocab_only=True, verbose=False)
        return self._vocabularies[gguf]

    def close(self) -> None:
        """Free the models; llama-cpp-python raises at exit from those left open."""
        for model in (*self._loaded.values(), *self._vocabularies.values()):
            model.close()


def main() -> None:
    """Serve until the user's side closes the pipe."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    inbox, models = Inbox(sys.stdin.buffer), Models()
    jobs: dict[int, Job] = {}
    while True:
        try:
            request = inbox.requests.get(block=not jobs)
        except queue.Empty:
            pass
        else:
            if request is None:
                break
            jobs[request["id"]] = start(request, models, inbox)
            continue
        for number, job in list(jobs.items()):
            reply = advance(job)
            if reply is None:
                del jobs[number]
                inbox.cancelled.discard(number)
            else:
                replies.write(orjson.dumps({"id": number, **reply}) + b"\n")
    models.close()


def advance(job: Job) -> Message | None:
    """Return the job's next reply, None at its end; a fault is a reply too."""
    try:
        return next(job, None)
    except Refused as error:
        return {"event": "error", "message": str(error)}
    except Exception as error:
        return {"event": "error", "message": f"{type(error).__name__}: {error}"}


def start(request: Message, models: Models, inbox: Inbox) -> Job:
    """Return the job that answers a request."""
    match request["op"]:
        case "load":
            return load(request, models)
        case "tokenize":
            return tokenize(request, models)
        case "generate":
            return generate(request, models, inbox)
        case unknown:
            return iter([{"event": "error", "message": f"no such operation: {unknown}"}])


def load(request: Message, models: Models) -> Job:
    """Load a model."""
    begun = time.monotonic()
    model = models.load(request["gguf"], request["adapter"], request["context"])
    yield {"event": "result", "value": {"seconds": time.monotonic() - begun, "context": model.n_ctx()}}


def tokenize(request: Message, models: Models) -> Job:
    """Turn pieces of text into ids; each piece says whether special tokens are read in it."""
    vocabulary = models.vocabulary(request["gguf"])
    ids: list[int] = []
    for text, special in request["pieces"]:
        if text:
            ids += vocabulary.tokenize(text.encode(), add_bos=False, special=special)
    yield {"event": "result", "value": ids}


def generate(request: Message, models: Models, inbox: Inbox) -> Job:
    """Load the model and let it reply."""
    with models.using(request["gguf"], request["adapter"], request["context"]) as model:
        yield from reply(request, model, inbox)


def reply(request: Message, model: Any, inbox: Inbox) -> Job:
    """Evaluate a prompt's ids and stream what follows."""
    number, sampling = request["id"], request["sampling"]
    ids: list[int] = request["ids"]
    begun = time.monotonic()
    room = model.n_ctx() - len(ids)
    if room < 1:
        raise Refused(f"The prompt has {len(ids)} tokens and the context holds {model.n_ctx()}; begin a new chat.")
    reused = reuse_prefix(model, ids, whole=request["repeatable"])
    # The last token by itself, as it is where all before it is known already, since the next one is rounded by that.
    last = len(ids) - 1 if request["repeatable"] else len(ids)
    for position, end in pairwise(sorted({*range(reused, last, PROMPT_CHUNK), last, len(ids)})):
        if number in inbox.cancelled:
            break
        model.eval(ids[position:end])
        yield {"event": "prompt", "done": end, "of": len(ids)}
    first = time.monotonic()
    stop_ids = frozenset(request["stop_ids"])
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    count, reason = 0, "cancelled"
    if number not in inbox.cancelled:
        reason = "length"
        model.set_seed(sampling["seed"])
        limit = min(sampling["max_tokens"], room)
        for token in model.generate(
            ids, temp=sampling["temperature"], top_p=sampling["top_p"], top_k=sampling["top_k"], min_p=sampling["min_p"]
        ):
            if number in inbox.cancelled:
                reason = "cancelled"
                break
            if token in stop_ids:
                reason = "stop"
                break
            count += 1
            yield {"event": "token", "token": token, "text": decoder.decode(bytes_of(model, token))}
            if count >= limit:
                break
    ended = time.monotonic()
    yield {
        "event": "done",
        "text": decoder.decode(b"", final=True),
        "stats": {
            "reason": reason,
            "prompt_tokens": len(ids),
            "reused_tokens": reused,
            "tokens": count,
            "first_token_seconds": first - begun,
            "seconds": ended - begun,
            "tokens_per_second": count / (ended - first) if count and ended > first else 0.0,
            "context": model.n_ctx(),
        },
    }


def bytes_of(model: Any, token: int) -> bytes:
    """Return a token's bytes; llama-cpp-python's own `detokenize` loses tokens of more than 32."""
    from llama_cpp import llama_token_to_piece

    vocabulary, size = model._model.vocab, 32
    while True:
        buffer = ctypes.create_string_buffer(size)
        written = llama_token_to_piece(vocabulary, token, buffer, size, 0, True)
        if written >= 0:
            return buffer.raw[:written]
        size = -written


def reuse_prefix(model: Any, ids: list[int], *, whole: bool = False) -> int:
    """Keep what the model has evaluated already; return how many tokens that saves.

    At least one token is evaluated again, since its logits are what the next one is sampled from. `whole`: keep all
    but that one or nothing, since a part of a prompt evaluated by itself is rounded differently.
    """
    evaluated = model.input_ids[: model.n_tokens].tolist()
    same = 0
    for old, new in zip(evaluated, ids[:-1], strict=False):
        if old != new:
            break
        same += 1
    if whole and same < len(ids) - 1:
        same = 0
    model.n_tokens = same
    return same


if __name__ == "__main__":
    main()
