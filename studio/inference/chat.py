"""Talking to a base model or a run: the one renderer makes the prompt's ids, llama.cpp continues them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from store import runs
from store.database import Store
from store.errors import MissingRowError
from store.examples import Message
from store.runs import UNENDED, Run
from studio.chat_templates import override_of
from studio.errors import StudioError
from studio.inference.asked import Generation
from studio.inference.engine import Engine, Sampling
from studio.inference.gguf import of_run
from studio.inference.quantising.places import MARK, parted, quantised_gguf
from studio.inference.quantising.source import check_source
from studio.models import check_unchanged, resolve
from studio.project import Project
from studio.rendering import ChatTokenizer, load_tokenizer, render_prompt
from studio.training.folder import RunFolder


@dataclass(frozen=True)
class ChatModel:
    """Something to talk to."""

    name: str
    gguf: Path
    adapter: Path | None
    tokenizer_folder: Path
    """The tokenizer and template that it was trained with."""
    template: str | None = None
    """The project's chat template, where it takes the place of the one beside the tokenizer."""
    parity: str = ""
    """What the token-for-token proof of the run said; empty for a base model."""

    def load_tokenizer(self) -> ChatTokenizer:
        """Return what renders its prompts.

        Raises:
            StudioError: see `ChatTokenizer.load`.
        """
        return load_tokenizer(self.tokenizer_folder, self.template)


def resolve_chat_model(
    project: Project, store: Store, ref: str, *, on_progress: Callable[[str], None] | None = None
) -> ChatModel:
    """Find the model behind a run's id or a model's name; `RUN@Q4_K_M` is its quantised form.

    Raises:
        StudioError: there is neither, the run has no adapter, its base has no GGUF, or it was not quantised so.
    """
    if quantised := parted(ref):
        gguf = quantised_gguf(project, store, *quantised)
        whole = resolve_chat_model(project, store, quantised[0], on_progress=on_progress)
        check_source(store, quantised[0], gguf, (whole.gguf, whole.adapter), whole.load_tokenizer().template)
        return replace(whole, name=MARK.join(quantised), gguf=gguf, adapter=None)
    try:
        run = runs.get(store, ref)
    except MissingRowError:
        return _base(project, ref, on_progress)
    folder = RunFolder(project.runs / run.id)
    check_can_chat(project, run)
    base = resolve(run.base_model)
    check_unchanged(base, run.base_hash)
    of_run.make(folder, base, on_progress=on_progress)
    parity = run.result.get("parity", "")
    if folder.model_gguf.is_file():
        return ChatModel(run.id, folder.model_gguf, None, folder.tokenizer, parity=parity)
    gguf = of_run.prepared(run.base_model, on_progress=on_progress)
    return ChatModel(run.id, gguf, folder.adapter_gguf, folder.tokenizer, parity=parity)


def check_can_chat(project: Project, run: Run) -> None:
    """Raise a StudioError where there is nothing of a run yet, or never will be, that llama.cpp can run."""
    if RunFolder(project.runs / run.id).can_chat:
        return
    hint = f"Go on with it: studio resume {run.id}."
    if run.status in UNENDED:
        hint = "Wait until it is done."
    elif run.status == "done":
        hint = "llama.cpp runs no model that scores; transformers loads it."
    raise StudioError(f"{run.id} has nothing to chat with; it is {run.status}.", hint)


def reply(
    engine: Engine, model: ChatModel, messages: list[Message], sampling: Sampling, *, repeatable: bool = False
) -> Generation:
    """Begin the model's answer to a conversation that ends with the user's turn; nothing of it is left out.

    Raises:
        EngineError: the model can't be loaded.
        StudioError: the chat template refuses the conversation.
    """
    tokenizer = model.load_tokenizer()
    key = engine.load(model.gguf, model.adapter)
    ids = render_prompt(tokenizer, messages).ids
    return engine.generate(key, ids, sampling, tokenizer.eos_ids, repeatable=repeatable)


def _base(project: Project, name: str, on_progress: Callable[[str], None] | None) -> ChatModel:
    model = resolve(name)
    gguf = of_run.prepared(name, on_progress=on_progress)
    override = override_of(project)
    return ChatModel(model.name, gguf, None, model.folder, override.text if override else None)
