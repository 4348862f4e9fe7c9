"""A reply that is made in a thread and can be stopped from another at any moment."""

import threading
import time
from collections.abc import Callable

from store.database import Store
from store.examples import Message
from studio.inference.chat import reply, resolve_chat_model
from studio.inference.conversation import Answer
from studio.inference.engine import Engine, Generation, Sampling
from studio.project import Project

BATCH_SECONDS = 0.1
"""Text is handed on this often, not token by token."""


class PendingReply:
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
        self,
        engine: Engine,
        project: Project,
        model: str,
        messages: list[Message],
        sampling: Sampling,
        on_text: Callable[[str], None],
        store: Store,
    ) -> Answer:
        """Make the answer, calling `on_text` with all of it so far; blocks until its end.

        Raises:
            StudioError: there is no such model, or the engine refused or died.
        """
        chat_model = resolve_chat_model(project, store, model)
        if self._stopped.is_set():
            return Answer("", {"reason": "cancelled", "tokens": 0})
        self._generation = reply(engine, chat_model, messages, sampling)
        if self._stopped.is_set():
            self._generation.cancel()
        return self._collect(self._generation, on_text)

    @staticmethod
    def _collect(generation: Generation, on_text: Callable[[str], None]) -> Answer:
        pieces: list[str] = []
        handed_on = 0.0
        for token in generation:
            pieces.append(token.text)
            if time.monotonic() - handed_on >= BATCH_SECONDS:
                on_text("".join(pieces))
                handed_on = time.monotonic()
        return Answer("".join(pieces), generation.stats)
