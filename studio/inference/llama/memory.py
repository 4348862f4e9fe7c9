"""The models that stay loaded: as many as there is memory for, the ones used last."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import psutil

from studio.free_memory import free_memory
from studio.inference.llama.context import BATCH, LONGEST_EMBEDDED, ROWS, Context
from studio.inference.llama.inbox import Inbox
from studio.inference.llama.loading import Loading, Version, version_of
from studio.inference.llama.native import NoRoom, open_vocabulary
from studio.inference.llama.steps import Message, Steps, Stopped

SHARE = 0.8
"""Of the free memory; the rest is for others."""


@dataclass(frozen=True)
class Wanted:
    """A model as it was asked for."""

    gguf: Path
    adapter: Path | None
    context: int
    scale: float
    embeddings: bool = False

    @classmethod
    def of(cls, sent: Message, *, embeddings: bool = False) -> "Wanted":
        """Read it from a request."""
        adapter = Path(sent["adapter"]) if sent["adapter"] else None
        return cls(Path(sent["gguf"]), adapter, sent["context"], sent["scale"], embeddings)


@dataclass(frozen=True)
class _Key:
    weights: Version
    adapter: Version | None
    length: int
    scale: float
    embeddings: bool


class Models:
    """Weights by their files, and on each any number of contexts: a run and its base share their weights."""

    def __init__(self, inbox: Inbox, budget: Callable[[], int] | None = None) -> None:
        self._inbox = inbox
        self._budget = budget or _budget
        self._weights: dict[Version, Any] = {}
        self._coming: dict[Version, Loading] = {}
        self._contexts: dict[_Key, Context] = {}
        self._in_use: set[_Key] = set()
        self._awaited: dict[int, set[Version]] = {}
        self._sizes: dict[_Key, int] = {}
        self._vocabularies: dict[Version, Any] = {}

    def take(self, number: int, wanted: list[Wanted]) -> Steps:
        """Load what is not there yet and wait for what others use; then `hold` gives it.

        Raises:
            Refused: it can't be loaded.
            Stopped: the request is no longer wanted.
        """
        self._awaited[number] = {version_of(one.gguf) for one in wanted}
        try:
            for version in self._awaited[number]:
                yield from self._load(number, version)
            while self._in_use.intersection(map(self._key, wanted)):
                self._check(number)
                yield None
        finally:
            del self._awaited[number]

    @contextmanager
    def hold(self, wanted: list[Wanted]) -> Iterator[list[Context]]:
        """Give contexts to one job alone, until it is done with them; to be used at once after `take`."""
        keys = [self._key(one) for one in wanted]
        self._in_use.update(keys)
        try:
            yield [self._context(key, one) for key, one in zip(keys, wanted, strict=True)]
        finally:
            self._in_use.difference_update(keys)

    def vocabulary(self, gguf: Path) -> Any:
        """Return a model with its tokenizer, and perhaps nothing else of it.

        Raises:
            Refused: it can't be loaded.
        """
        version = version_of(gguf)
        if version in self._weights:
            return self._weights[version]
        if version not in self._vocabularies:
            self._vocabularies[version] = open_vocabulary(gguf)
        return self._vocabularies[version]

    def _key(self, wanted: Wanted) -> _Key:
        weights = version_of(wanted.gguf)
        trained = int(llama_cpp.llama_model_n_ctx_train(self._weights[weights])) or wanted.context
        length = min(wanted.context, trained, LONGEST_EMBEDDED if wanted.embeddings else wanted.context)
        adapter = version_of(wanted.adapter) if wanted.adapter else None
        return _Key(weights, adapter, length, wanted.scale, wanted.embeddings)

    def _context(self, key: _Key, wanted: Wanted) -> Context:
        context = self._contexts.pop(key, None)
        if context is None:
            context = self._make(key, wanted)
        # The one asked for last stands last.
        self._contexts[key] = context
        return context

    def _make(self, key: _Key, wanted: Wanted) -> Context:
        model = self._weights[key.weights]
        self._sizes[key] = _size_of_context(model, key.length)
        self._make_room(self._sizes[key])
        try:
            return Context(model, key.length, wanted.adapter, key.scale, embeddings=key.embeddings)
        except NoRoom:
            if not self._free_one():
                raise
            return self._make(key, wanted)

    def _load(self, number: int, version: Version) -> Steps:
        told = -1.0
        while version not in self._weights:
            loading = self._coming.get(version)
            if loading is None:
                self._make_room(version.size)
                loading = self._coming[version] = Loading(version.path, self._inbox, number)
            loading.wanted_by.add(number)
            if self._inbox.is_cancelled(number):
                # It goes on for others alone: soon nothing will be known of this request.
                loading.wanted_by.discard(number)
                raise Stopped
            if loading.is_done:
                del self._coming[version]
                weights = loading.result()
                if weights is not None:
                    self._weights[version] = weights
            elif loading.part - told >= 0.01:
                told = loading.part
                yield {"event": "loading", "part": told}
            else:
                yield None

    def _check(self, number: int) -> None:
        if self._inbox.is_cancelled(number):
            raise Stopped

    def _make_room(self, needed: int) -> None:
        while self.held + needed > self._budget():
            if not self._free_one():
                return

    @property
    def held(self) -> int:
        """About how many bytes are taken by what is loaded."""
        return sum(version.size for version in (*self._weights, *self._coming)) + sum(
            self._sizes[key] for key in self._contexts
        )

    def _free_one(self) -> bool:
        """Free the context whose use is longest ago, and weights that nothing stands on; False where there is none."""
        idle = next((key for key in self._contexts if key not in self._in_use), None)
        if idle is not None:
            self._contexts.pop(idle).close()
        needed = {key.weights for key in (*self._contexts, *self._in_use)}.union(*self._awaited.values())
        bare = self._weights.keys() - needed
        for version in bare:
            llama_cpp.llama_model_free(self._weights.pop(version))
        return idle is not None or bool(bare)


def _budget() -> int:
    """Return how much memory the models may take, what they have included."""
    own = psutil.Process().memory_info()
    # Pages of the models' files count as free already.
    return int(SHARE * free_memory()) + own.rss - getattr(own, "shared", 0)


def _size_of_context(model: Any, length: int) -> int:
    """Return about how many bytes a context takes: keys and values of 2 bytes, and room to compute in."""
    width = llama_cpp.llama_model_n_embd(model)
    heads = max(1, llama_cpp.llama_model_n_head(model))
    remembered = 2 * 2 * llama_cpp.llama_model_n_layer(model) * width * llama_cpp.llama_model_n_head_kv(model) // heads
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    return int(remembered * length + 4 * (ROWS * vocabulary + BATCH * (length + 8 * width)))
