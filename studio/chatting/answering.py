"""An answer that is made in a thread and can be stopped from another at any moment."""

import threading
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from store.database import Store
from studio.chatting.conversation import Answer, Prompt
from studio.chatting.traces import Likely, Received, Trace
from studio.inference.asked import Generation, Token
from studio.inference.chat import resolve_chat_model
from studio.inference.engine import Engine
from studio.inference.fitting import Fitted, fit
from studio.project import Project

BATCH_SECONDS = 0.1
"""Text is handed on this often, not token by token."""


KEPT_FOR_REPLY = 4
"""One part of so many of the context is kept for the reply, or less where it may not be as long."""


class Coming(NamedTuple):
    """How far an answer is."""

    stage: Literal["loading", "reading", "writing"]
    done: float
    """From 0 to 1, of the model that is loaded or of the prompt that is read."""
    text: str = ""
    """All of the answer so far."""


class Reply:
    """One model's answer in the making."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._generation: Generation | None = None

    def stop(self) -> None:
        """End it now: in the midst of the answer, of the prompt, or before the model is loaded."""
        self._stopped.set()
        if self._generation is not None:
            self._generation.cancel()

    def run(
        self, engine: Engine, project: Project, prompt: Prompt, on_news: Callable[[Coming], None], store: Store
    ) -> Answer:
        """Make the answer, telling how far it is; blocks until its end.

        Raises:
            StudioError: there is no such model, the question alone is too long, or the engine refused or died.
        """
        try:
            sent, tokens = self._make(engine, project, prompt, on_news, store)
        except _Stopped:
            return Answer("", {"reason": "cancelled", "tokens": 0})
        generation = self._generation
        assert generation is not None
        stats = {**generation.stats, "seed": prompt.sampling.seed}
        if sent.dropped:
            stats |= {"dropped": sent.dropped, "dropped_why": sent.why}
        end = None if generation.end is None else _received(generation.end)
        trace = Trace(tuple(sent.ids), tuple(map(_received, tokens)), end)
        return Answer("".join(token.text for token in tokens), stats, trace=trace)

    def _make(
        self, engine: Engine, project: Project, prompt: Prompt, on_news: Callable[[Coming], None], store: Store
    ) -> tuple[Fitted, list[Token]]:
        def loading(done: float) -> None:
            self._go_on()
            on_news(Coming("loading", done))

        loading(0.0)
        model = resolve_chat_model(project, store, prompt.model)
        tokenizer = model.load_tokenizer()
        key = engine.load(model.gguf, model.adapter, prompt.context, on_progress=loading)
        on_news(Coming("reading", 0.0))
        sent = fit(tokenizer, prompt.messages, room_for_prompt(key.context, prompt.sampling.max_tokens))
        self._go_on()
        self._generation = engine.generate(
            key, sent.ids, prompt.sampling, tokenizer.eos_ids, alternatives=prompt.alternatives
        )
        if self._stopped.is_set():
            self._generation.cancel()
        return sent, _collect(self._generation, on_news)

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The reply was stopped before its first token could be asked for."""


def room_for_prompt(context: int, max_tokens: int) -> int:
    """Return how long a prompt may be: what a reply may need stays free, at most a part of the context."""
    return context - min(max_tokens, context // KEPT_FOR_REPLY)


def _collect(generation: Generation, on_news: Callable[[Coming], None]) -> list[Token]:
    generation.on_read = lambda done: on_news(Coming("reading", done))
    tokens: list[Token] = []
    text, handed_on = "", 0.0
    for token in generation:
        tokens.append(token)
        text += token.text
        if time.monotonic() - handed_on >= BATCH_SECONDS:
            on_news(Coming("writing", 1.0, text))
            handed_on = time.monotonic()
    return tokens


def _received(token: Token) -> Received:
    alternatives = tuple(Likely(each.id, each.text, each.logprob) for each in token.alternatives)
    return Received(token.id, token.text, token.logprob, alternatives)
