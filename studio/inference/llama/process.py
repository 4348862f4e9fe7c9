"""The process's loop: one JSON message a line both ways.

Requests name what to do and carry an id; replies carry the same id. Several go on at once, a step of each in turn.
What llama.cpp prints from C goes to standard error, which is the log.
"""

import os
import queue
import sys
import time
from pathlib import Path
from typing import BinaryIO

import orjson

from studio.inference.llama.embedding import embed
from studio.inference.llama.inbox import Inbox
from studio.inference.llama.memory import Models, Wanted
from studio.inference.llama.native import Refused, tokenize
from studio.inference.llama.replying import generate
from studio.inference.llama.scoring import compare
from studio.inference.llama.steps import Message, Steps, Stopped

IDLE_SECONDS = 0.005
"""How long to rest where every job waits for something."""

GATHERED_SECONDS = 0.04
"""Tokens of one fast model are sent this often: each one would wake the user's process, and it the processor."""


class Outbox:
    """The pipe to the user's side."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._number = 0
        self._tokens: list[list[object]] = []
        self._sent_at = 0.0

    def put(self, number: int, reply: Message, *, at_once: bool) -> None:
        """Send a reply; tokens may wait a moment for the next ones."""
        if reply["event"] != "tokens":
            self.flush()
            self._write({"id": number, **reply})
            return
        if number != self._number:
            self.flush()
        self._number = number
        self._tokens += reply["tokens"]
        if at_once or time.monotonic() - self._sent_at >= GATHERED_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._tokens:
            self._write({"id": self._number, "event": "tokens", "tokens": self._tokens})
            self._tokens = []
            self._sent_at = time.monotonic()

    def _write(self, message: Message) -> None:
        self._stream.write(orjson.dumps(message) + b"\n")


def main() -> None:
    """Serve until the user's side closes the pipe."""
    outbox = Outbox(os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)
    inbox = Inbox(sys.stdin.buffer)
    serve(inbox, Models(inbox), outbox)
    # Without Python's end: a model may be on its way in a thread, and all memory goes back in any case.
    os._exit(0)


def serve(inbox: Inbox, models: Models, outbox: Outbox) -> None:
    """Do what is asked, a step of each job in turn."""
    jobs: dict[int, Steps] = {}
    resting: float | None = None
    while True:
        try:
            request = inbox.next(resting)
        except queue.Empty:
            pass
        else:
            if request is None:
                return
            jobs[request["id"]] = start(request, models, inbox)
        moved = False
        for number in list(jobs):
            moved |= _step(number, jobs, inbox, outbox)
        resting = (0 if moved else IDLE_SECONDS) if jobs else None


def _step(number: int, jobs: dict[int, Steps], inbox: Inbox, outbox: Outbox) -> bool:
    """Go on with a job; False where it only waits."""
    try:
        reply = next(jobs[number])
    except StopIteration:
        del jobs[number]
        inbox.finish(number)
        return True
    if reply:
        outbox.put(number, reply, at_once=len(jobs) > 1)
    return reply is not None


def start(request: Message, models: Models, inbox: Inbox) -> Steps:
    """Return the job that answers a request; a fault is an answer too."""
    jobs = {"load": load, "tokenize": _tokenize, "generate": generate, "compare": compare, "embed": embed}
    try:
        yield from jobs[request["op"]](request, models, inbox)
    except Refused as error:
        yield {"event": "error", "message": str(error)}
    except Stopped:
        yield {"event": "error", "message": "This was stopped."}
    except Exception as error:
        yield {"event": "error", "message": f"{type(error).__name__}: {error}"}


def load(request: Message, models: Models, _: Inbox) -> Steps:
    """Load a model."""
    begun = time.monotonic()
    wanted = [Wanted.of(request["model"])]
    yield from models.take(request["id"], wanted)
    with models.hold(wanted) as [context]:
        yield {"event": "result", "value": {"seconds": time.monotonic() - begun, "context": context.length}}


def _tokenize(request: Message, models: Models, _: Inbox) -> Steps:
    """Turn pieces of one text into ids; each says whether special tokens are read in it."""
    vocabulary = models.vocabulary(Path(request["gguf"]))
    ids: list[int] = []
    for text, special in request["pieces"]:
        if text:
            ids += tokenize(vocabulary, text.encode(), special=special, after=ids[-1] if ids else None)
    yield {"event": "result", "value": ids}
