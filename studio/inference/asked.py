"""What the llama.cpp process is asked, and what comes of it: tokens, scores, or why there are none."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from studio.errors import StudioError
from studio.inference.child import Child, Replies, Reply


class EngineError(StudioError):
    """The llama.cpp process refused or died; it is started anew at the next use."""


@dataclass(frozen=True)
class Alternative:
    """A token that could have come, with its natural log-probability before any sampling."""

    id: int
    text: str
    logprob: float


@dataclass(frozen=True)
class Token:
    """One generated token; `text` is empty while a character is not complete yet."""

    id: int
    text: str
    logprob: float | None = None
    """Where alternatives were asked for: natural, of the model's own distribution, before any sampling."""
    alternatives: tuple[Alternative, ...] = ()
    """The likeliest tokens at its place, itself among them if it is one of them."""


@dataclass(frozen=True)
class Scored:
    """What a model makes of a sequence, from its start on: a number for each token."""

    logprobs: list[float]
    """The token's natural log-probability."""
    reference_logprobs: list[float]
    """The same under the reference; empty without one, as are the next two."""
    kl: list[float]
    """The divergence of the model from the reference, KL(reference || model), in nats."""
    same_top: list[bool]
    """Whether both find the same token likeliest."""


@dataclass
class Asked:
    """Something that the process works on, and that can be stopped."""

    child: Child
    number: int
    replies: Replies

    def cancel(self) -> None:
        """End it now; safe from any thread, and waits for nothing."""
        self.child.stop(self.number)

    def next(self, timeout: float | None = None) -> Reply:
        """Return what comes next of it.

        Raises:
            EngineError: the process refused, or died.
            queue.Empty: nothing came in so many seconds.
        """
        reply = self.replies.get(timeout=timeout)
        if reply["event"] == "error":
            raise EngineError(reply["message"], reply.get("hint", ""))
        return reply

    def result(self) -> Any:
        """Wait for what comes of it; raises as `next`."""
        reply = self.next()
        while reply["event"] != "result":
            reply = self.next()
        return reply["value"]


@dataclass
class Generation(Asked):
    """A reply that is being made: iterate it for its tokens; `stats` is filled at its end.

    `cancel` ends it in the midst of the prompt, or of loading the model, too.
    """

    stats: dict[str, Any] = field(default_factory=dict)
    end: Token | None = None
    """The stop token that ended it, which is none of its tokens."""
    on_read: Callable[[float], None] = lambda _: None
    """Called while it is iterated, with how much of the prompt was read, from 0 to 1."""

    def __iter__(self) -> Iterator[Token]:
        """Yield tokens as they come.

        Raises:
            EngineError: the model refused, or the process died.
        """
        while True:
            reply = self.next()
            if reply["event"] == "tokens":
                yield from map(_token, reply["tokens"])
            elif reply["event"] == "reading":
                self.on_read(reply["part"])
            elif reply["event"] == "done":
                self.stats = reply["stats"]
                self.end = _token(reply["end"]) if reply["end"] else None
                if reply["text"]:
                    yield Token(-1, reply["text"])
                return


@dataclass
class Comparison(Asked):
    """Sequences that are being scored: iterate it for one result each, in their order; ends early when cancelled."""

    def __iter__(self) -> Iterator[Scored]:
        return self

    def __next__(self) -> Scored:
        """Return the next sequence's numbers.

        Raises:
            EngineError: the model refused, or the process died.
        """
        reply = self.next()
        while reply["event"] not in ("scored", "done"):
            reply = self.next()
        if reply["event"] == "done":
            # Asked once more, it must end once more.
            self.replies.put(reply)
            raise StopIteration
        logprobs, reference, kl = (_numbers(reply[name]) for name in ("logprobs", "reference_logprobs", "kl"))
        return Scored(logprobs, reference, kl, reply["same_top"])


def _numbers(sent: list[float | None]) -> list[float]:
    """Return numbers as they were; JSON has no word for those of a model that computes nonsense."""
    return [math.nan if number is None else number for number in sent]


def _token(sent: list[Any]) -> Token:
    """Return a token as it was sent: id, text, and where alternatives were asked for, log-probability and those."""
    if len(sent) == 2:
        return Token(sent[0], sent[1])
    return Token(sent[0], sent[1], sent[2], tuple(Alternative(*other) for other in sent[3]))
