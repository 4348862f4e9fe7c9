"""What is proven: a run or a model, the files that belong to it, and where its evidence is kept."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from studio.chat_templates import own_template
from studio.errors import StudioError
from studio.inference.gguf.of_run import make, prepared
from studio.models import cache_folder, check_unchanged, prepare, resolve
from studio.project import Project
from studio.training.folder import RunFolder, read_description

Say = Callable[[str], None]

PLAIN = "{{ bos_token | default('') }}{% for message in messages %}{{ message.content }}\n{% endfor %}"
"""Renders for a model that has no chat template and was never shown one: its tokens can be compared all the same.

With the first token that such models were trained to see: without it their numbers are far from what they learnt."""


@dataclass(frozen=True)
class Subject:
    """The two sides that are compared: a tokenizer's folder with weights, and GGUFs."""

    name: str
    tokenizer: Path
    """The folder of the tokenizer that trained."""
    gguf: Path
    """What llama.cpp runs."""
    template: str | None = None
    """Another chat template than the one beside the tokenizer."""
    is_own_template: bool = True
    """Whether the template came with the model, so that the GGUF should carry the same."""
    adapter: Path | None = None
    """The adapter that llama.cpp applies, as a GGUF."""
    peft: Path | None = None
    """The adapter as training left it."""
    weights: Path | None = None
    """The Hugging Face folder that the GGUF was made from."""
    is_merged: bool = False
    """Whether what the adapter changes is worked into the GGUF, whose weights are then none of the folder's."""


def of_run(folder: RunFolder, say: Say = lambda _: None) -> Subject:
    """Return what a run has left.

    Raises:
        StudioError: it is no run's folder, its base model is another by now or has no GGUF.
    """
    if not folder.description.is_file():
        raise StudioError(f"{folder.path} is no run's folder.", "`studio runs` lists the runs.")
    description = read_description(folder)
    base = resolve(description.base_model)
    # Another base of the same shapes would agree with itself, and not with what was trained.
    check_unchanged(base, description.base_hash)
    peft = folder.adapter if (folder.adapter / "adapter_config.json").is_file() else None
    is_full = (folder.model / "config.json").is_file()
    own = "of the project" not in description.chat_template
    if not folder.has_gguf and not is_full and peft is None:
        # It has not come to its end: there are texts to compare, and nothing trained.
        return Subject(description.id, folder.tokenizer, prepared(base.name, on_progress=say), is_own_template=own)
    make(folder, base, on_progress=say)
    prepare(base, "weights", on_progress=say)
    if folder.model_gguf.is_file():
        # Written with the run's template, whosever it is.
        return Subject(
            description.id,
            folder.tokenizer,
            folder.model_gguf,
            peft=None if is_full else peft,
            weights=folder.model if is_full else base.folder,
            is_merged=not is_full,
        )
    return Subject(
        description.id,
        folder.tokenizer,
        prepared(base.name, on_progress=say),
        is_own_template=own,
        adapter=folder.adapter_gguf,
        peft=peft,
        weights=base.folder,
    )


def of_model(name: str, say: Say = lambda _: None) -> Subject:
    """Return a base model's sides.

    Raises:
        StudioError: there is no such model, or it has no GGUF.
    """
    base = resolve(name)
    gguf = prepared(name, on_progress=say)
    prepare(base, "weights", on_progress=say)
    own = own_template(base.folder)
    template = PLAIN if own is None else None
    return Subject(base.name, base.folder, gguf, template, is_own_template=own is not None, weights=base.folder)


def place_of(project: Project, ref: str) -> Path:
    """Return the folder in which the evidence of a run's id or a model's name is kept.

    Raises:
        StudioError: there is neither.
    """
    name = ref.partition("@")[0]
    if Path(name).name == name and (run := project.runs / name).is_dir():
        return run
    base = resolve(ref)
    if base.kind == "gguf":
        return base.folder
    # Nothing is written into a folder that somebody brought.
    digest = hashlib.sha256(str(base.folder).encode()).hexdigest()[:16]
    return cache_folder() / "proofs" / digest
