"""A reply: the prompt is read from where it parts from what was read last, then token comes after token."""

import codecs
import time
from dataclasses import dataclass, field
from typing import Any

from studio.inference.llama.context import BATCH, REPEATABLE_CHUNK, Context
from studio.inference.llama.inbox import Inbox
from studio.inference.llama.memory import Models, Wanted
from studio.inference.llama.native import Refused, bytes_of
from studio.inference.llama.sampling import Sampler, likeliest
from studio.inference.llama.steps import WORKED, Message, Steps, Stopped


def generate(request: Message, models: Models, inbox: Inbox) -> Steps:
    """Load the model and let it reply; `done` comes last, with the reason and the figures."""
    reply = _Reply(request, inbox)
    wanted = [Wanted.of(request["model"])]
    try:
        yield from models.take(request["id"], wanted)
        with models.hold(wanted) as [context]:
            yield from reply.steps(context)
    except Stopped:
        yield reply.done()


@dataclass
class _Reply:
    """What is known of a reply while it is made."""

    request: Message
    inbox: Inbox
    reason: str = "cancelled"
    reused: int = 0
    count: int = 0
    context: int = 0
    end: list[Any] | None = None
    decoder: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))
    begun: float = field(default_factory=time.monotonic)
    read: float | None = None

    def steps(self, context: Context) -> Steps:
        """Read the prompt, then write."""
        ids: list[int] = self.request["ids"]
        self.context = context.length
        if not ids or max(ids) >= context.width or min(ids) < 0:
            raise Refused("The prompt is empty, or has tokens that the model has not.")
        if len(ids) >= context.length:
            raise Refused(f"The prompt has {len(ids):,} tokens and the context holds {context.length:,}.")
        yield from self._read(context, ids)
        self.read = time.monotonic()
        sampler = Sampler(self.request["sampling"], context.width)
        try:
            yield from self._write(context, sampler)
        finally:
            sampler.close()
        yield self.done()

    def done(self) -> Message:
        """Return what is told at the end."""
        ended = time.monotonic()
        read = self.read or ended
        stats = {
            "reason": self.reason,
            "prompt_tokens": len(self.request["ids"]),
            "reused_tokens": self.reused,
            "tokens": self.count,
            "first_token_seconds": read - self.begun,
            "seconds": ended - self.begun,
            "tokens_per_second": self.count / (ended - read) if self.count and ended > read else 0.0,
            "context": self.context,
        }
        return {"event": "done", "text": self.decoder.decode(b"", final=True), "end": self.end, "stats": stats}

    def _read(self, context: Context, ids: list[int]) -> Steps:
        repeatable = self.request["repeatable"]
        self.reused = context.keep(ids, whole=repeatable)
        # The last token by itself, as it is where all before it is known already: the next one is rounded by that.
        last = len(ids) - 1 if repeatable else len(ids)
        while (at := len(context.ids)) < len(ids):
            self._check()
            chunk = REPEATABLE_CHUNK if repeatable else context.chunk()
            end = min(at + min(chunk, BATCH), last) if at < last else len(ids)
            context.evaluate(ids[at:end], self._is_urgent)
            yield {"event": "reading", "part": len(context.ids) / len(ids)}

    def _write(self, context: Context, sampler: Sampler) -> Steps:
        known: list[int] = [*self.request["ids"]]
        stop_ids = frozenset(self.request["stop_ids"])
        limit = min(self.request["sampling"]["max_tokens"], context.length - len(self.request["ids"]))
        while True:
            if self.inbox.is_cancelled(self.request["id"]):
                return
            token = sampler.next(context)
            if token in stop_ids:
                self.reason, self.end = "stop", self._sent(context, token, _text(context, token))
                return
            self.count += 1
            text = self.decoder.decode(bytes_of(context.model, token))
            yield {"event": "tokens", "tokens": [self._sent(context, token, text)]}
            if self.count >= limit:
                self.reason = "length"
                return
            known.append(token)
            while not self._catch_up(context, known):
                # Somebody else was to be stopped, or this reply is.
                if self.inbox.is_cancelled(self.request["id"]):
                    return
                yield WORKED

    def _catch_up(self, context: Context, known: list[int]) -> bool:
        """Read the last token, and those before it that a model forgot which can't forget a part; True when done."""
        at = len(context.ids)
        return context.evaluate(known[at : at + BATCH], self._is_urgent) and len(context.ids) == len(known)

    def _sent(self, context: Context, token: int, text: str) -> list[Any]:
        count = self.request["alternatives"]
        if not count:
            return [token, text]
        logprob, others = likeliest(context.rows()[-1], token, count)
        named = [[one, _text(context, one), score] for one, score in others]
        return [token, text, logprob, named]

    def _check(self) -> None:
        if self.inbox.is_cancelled(self.request["id"]):
            raise Stopped

    def _is_urgent(self) -> bool:
        return self.inbox.is_urgent


def _text(context: Context, token: int) -> str:
    return bytes_of(context.model, token).decode("utf-8", "replace")
