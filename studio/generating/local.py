"""Models of this machine, spoken to through llama.cpp with prompts of the one renderer."""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from store import runs
from store.database import Store
from store.errors import MissingRowError
from store.examples import Message
from store.responses import ResponseOrigin
from studio.errors import StudioError
from studio.generating.speakers import RefusedError, Said, TooLongError
from studio.inference.asked import Generation
from studio.inference.chat import ChatModel, resolve_chat_model
from studio.inference.engine import DEFAULT_CONTEXT, Engine, Sampling
from studio.inference.quantising.places import model_of, parted
from studio.models import model_hash, resolve
from studio.project import Project
from studio.rendering import render_prompt


class LocalSpeaker:
    """A base model, alone or with a run's adapter."""

    def __init__(self, model: ChatModel, engine: Engine, origin: ResponseOrigin, base: str) -> None:
        self.name = model.name
        self.origin = origin
        self._model = model
        self._engine = engine
        self._base = base
        self._generation: Generation | None = None
        self._cancelled = False

    def provenance(self) -> dict[str, Any]:
        """Return the model's files and template by their hashes."""
        adapter = self._model.adapter
        return {
            "model": self._base,
            "model_hash": model_hash(resolve(self._base)),
            **({"adapter": self.name, "adapter_hash": _hash_of(adapter)} if adapter else {}),
            **({"quantised": self.name} if parted(self.name) else {}),
            "template_hash": self._model.load_tokenizer().hash,
            "engine": f"llama-cpp-python {version('llama-cpp-python')}",
        }

    def say(self, messages: list[Message], sampling: Sampling, tools: list[dict[str, Any]] | None = None) -> Said:
        """Answer a conversation; see `Speaker`."""
        tokenizer = self._model.load_tokenizer()
        try:
            ids = render_prompt(tokenizer, messages, tools).ids
        except StudioError as error:
            raise RefusedError(error.message, error.hint) from error
        if len(ids) + sampling.max_tokens > DEFAULT_CONTEXT:
            raise TooLongError(
                f"The prompt has {len(ids):,} tokens; with {sampling.max_tokens:,} of a reply it is longer than the"
                f" {DEFAULT_CONTEXT:,} that the model is loaded for.",
                "Ask for shorter replies, or leave this prompt out.",
            )
        key = self._engine.load(self._model.gguf, self._model.adapter)
        if self._cancelled:
            return Said("", {"reason": "cancelled"})
        self._generation = self._engine.generate(key, ids, sampling, tokenizer.eos_ids, repeatable=True)
        if self._cancelled:
            # It may have come just before there was anything to cancel.
            self._generation.cancel()
        text = "".join(token.text for token in self._generation)
        return Said(text, self._generation.stats)

    def cancel(self) -> None:
        """End the reply that is being made."""
        self._cancelled = True
        if self._generation is not None:
            self._generation.cancel()


def local_speaker(project: Project, store: Store, ref: str, engine: Engine) -> LocalSpeaker:
    """Return who answers for a run's id, a model's name or a GGUF file.

    Raises:
        StudioError: there is neither, or it can't be run by llama.cpp.
    """
    model = resolve_chat_model(project, store, ref)
    try:
        return LocalSpeaker(model, engine, "run", runs.get(store, model_of(ref)).base_model)
    except MissingRowError:
        return LocalSpeaker(model, engine, "model", model_of(model.name))


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
