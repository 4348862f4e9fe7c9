"""A run as a bundle to use: each form that programs take, what says how to use it, and its card."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from store.database import Store
from store.runs import Run
from studio import __version__
from studio.assistant.system import system_of
from studio.errors import StudioError
from studio.inference.chat import ChatModel, resolve_chat_model
from studio.inference.engine import DEFAULT_CONTEXT
from studio.inference.gguf.facts import describe
from studio.inference.gguf.merged import hash_of, merge
from studio.inference.quantising import report as reports
from studio.inference.quantising.making import make
from studio.inference.quantising.places import Place, place_of
from studio.inference.quantising.report import Report
from studio.inference.quantising.source import is_quantised_from, metadata_of
from studio.inference.quantising.types import FULL, named
from studio.inference.quantising.verdict import recommend
from studio.models import BaseModel, check_unchanged, resolve
from studio.project import Project
from studio.release.card import Contents, model_card
from studio.release.ollama.modelfile import write as write_modelfile
from studio.release.ollama.proof import template_for
from studio.release.ollama.turns import Source
from studio.release.scripts import SYSTEM, TEMPLATE, run_script
from studio.release.staging import Stage, staged
from studio.release.story import story_of
from studio.release.weights import whole_model
from studio.training.elsewhere.about import ABOUT, about_run, at_rest
from studio.training.elsewhere.bundle import model_files
from studio.training.elsewhere.packing import tree
from studio.training.elsewhere.portable import portable
from studio.training.folder import RunFolder

Say = Callable[[str], None]

MODEL = "model"
FORM = 1
"""Raised when bundles are made otherwise than before, so that half of an old one is not taken up."""


@dataclass(frozen=True)
class Wanted:
    """What is to go into a bundle beside what always does."""

    types: tuple[str, ...] = ()
    """Quantised types to make where the run has none of them; those that it has go along."""
    with_base: bool = False


@dataclass
class _Work:
    """What is known while a bundle is made."""

    project: Project
    store: Store
    run: Run
    folder: RunFolder
    base: BaseModel
    chat: ChatModel | None
    """None where llama.cpp runs nothing of it."""
    stage: Stage
    say: Say
    notes: list[str] = field(default_factory=list)


def bundle(
    project: Project, store: Store, run_id: str, out: Path, wanted: Wanted = Wanted(), say: Say = lambda _: None
) -> list[str]:
    """Write what a run has brought into a folder or a `.tar.zst`, without its rows; return what is in it, by path.

    Raises:
        StudioError: the run is going on or has nothing to use yet, the disk has no room, or a form can't be made.
    """
    wanted = replace(wanted, types=tuple(name for name in named(wanted.types) if name != FULL))
    run, folder = at_rest(project, store, run_id)
    if not folder.adapter.is_dir() and not folder.model.is_dir():
        raise StudioError(f"{run_id} has nothing to use yet; it is {run.status}.", "Bundle it --for training.")
    base = resolve(run.base_model)
    check_unchanged(base, run.base_hash)
    chat = resolve_chat_model(project, store, run_id, on_progress=say) if folder.can_chat else None
    if chat is None and wanted.types:
        raise StudioError(
            f"{run_id} can't be quantised: it scores answers, and llama.cpp runs no model that does.", "Omit --type."
        )
    with staged(out, _made_of(folder, run, wanted), say) as stage:
        _fill(_Work(project, store, run, folder, base, chat, stage, say), wanted)
        files = [*stage.files(), "SHA256SUMS"]
    return sorted(set(files))


def _fill(work: _Work, wanted: Wanted) -> None:
    stage, about = work.stage, about_run(work.project, work.store, work.run, work.folder, "use")
    place = place_of(work.project, work.store, work.run.id)
    stage.check_room(_room(work, place, wanted))
    for name, content in portable(dict(_small_files(work)), about.base_model).items():
        stage.copy(content, name) if isinstance(content, Path) else stage.write(name, content)
    base_files: dict[str, Path] = {}
    if wanted.with_base:
        found = model_files(work.base).items()
        base_files = {name.replace(MODEL, "base", 1): path for name, path in found if isinstance(path, Path)}
        work.say("copying the base model")
        for name, path in base_files.items():
            stage.copy(path, name)
    # A model that scores has its head in PEFT's form beside the adapter, and goes with the base.
    if work.chat or work.folder.model.is_dir():
        whole_model(work.folder, work.base, stage.folder / MODEL, work.say)
    made = _ggufs(work, place, wanted.types)
    contents = _contents(work, made, tuple(base_files))
    if work.chat:
        contents = _write_use(work, work.chat, contents)
    story = story_of(work.project, work.store, work.run, work.folder, work.base, dict(about.counts), made)
    stage.write("README.md", model_card(story, contents))
    stage.write(ABOUT, about.as_json())


def _made_of(folder: RunFolder, run: Run, wanted: Wanted) -> str:
    """Return what tells this state of a run from others, by its files' sizes and times of change."""
    files = [path for path in sorted(folder.path.rglob("*")) if path.is_file() and "quantised" not in path.parts]
    weights = [path for path in files if path.relative_to(folder.path).parts[0] in ("adapter", "model", "tokenizer")]
    states = [[str(path.relative_to(folder.path)), path.stat().st_size, path.stat().st_mtime_ns] for path in weights]
    said = [FORM, __version__, run.id, run.base_hash, wanted.with_base, sorted(wanted.types), states]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _small_files(work: _Work) -> Iterable[tuple[str, Path]]:
    folder = work.folder
    for path, name in ((folder.adapter, "adapter"), (folder.tokenizer, "tokenizer")):
        if path.is_dir():
            yield from ((inside, file) for inside, file in tree(path, name) if isinstance(file, Path))
    if folder.adapter_gguf.is_file():
        yield "adapter.gguf", folder.adapter_gguf
    yield "recipe.toml", folder.recipe
    if folder.chat_template.is_file():
        yield TEMPLATE, folder.chat_template


def _room(work: _Work, place: Place, wanted: Wanted) -> int:
    """Return how many bytes the bundle takes at most."""
    needed = sum(path.stat().st_size for _, path in _small_files(work))
    if wanted.with_base:
        needed += sum(path.stat().st_size for path in model_files(work.base).values() if isinstance(path, Path))
    if work.folder.model.is_dir():
        needed += sum(path.stat().st_size for path in work.folder.model.rglob("*") if path.is_file())
    if work.chat:
        full = work.chat.gguf.stat().st_size
        # In transformers' form it has as many bytes, or twice as many where the base is kept in 32 bits.
        stored = sum(path.stat().st_size for path in work.base.source.glob("*.safetensors"))
        needed += full + (0 if work.folder.model.is_dir() else max(full, stored))
        needed += sum(place.gguf(name).stat().st_size for name in place.made)
        needed += sum(full for name in wanted.types if name not in place.made)
    return needed


def _ggufs(work: _Work, place: Place, types: Sequence[str]) -> list[Report]:
    """Make the whole model in 16-bit floats and each quantised type; return what is known of those."""
    if work.chat is None:
        return []
    metadata = metadata_of(work.store, work.run.id, work.chat.load_tokenizer().template)
    digest = hash_of(work.chat.gguf, work.chat.adapter, metadata)
    full = work.stage.folder / _gguf(work, FULL)
    full.parent.mkdir(exist_ok=True)
    work.say("reading the model")
    merge(
        work.chat.gguf,
        work.chat.adapter,
        full,
        metadata=metadata,
        on_progress=lambda done: work.say(f"writing the whole model for llama.cpp: {done:.0%}"),
    )
    found = []
    for name in named({*place.made, *types} - {FULL}):
        if _is_made_of(place.gguf(name), digest):
            work.say(f"copying {name}")
            work.stage.copy(place.gguf(name), _gguf(work, name))
            report = reports.read(place, name)
        elif name in types:
            report = _quantised(work, full, name, digest)
        else:
            work.notes.append(f"{name}.gguf of the run was made of an earlier state of it and is left out.")
            continue
        if report:
            found.append(report)
    return found


def _is_made_of(path: Path, digest: str) -> bool:
    try:
        return is_quantised_from(path, digest)
    except StudioError:
        return False


def _quantised(work: _Work, full: Path, name: str, digest: str) -> Report:
    out = work.stage.folder / _gguf(work, name)
    log = work.stage.out.with_name(f".{work.stage.out.name}.log")
    try:
        with log.open("ab") as file:
            made = make(full, out, name, file, lambda done: work.say(f"quantising to {name}: {done:.0%}"))
    finally:
        log.unlink(missing_ok=True)
    return Report(name, digest, made.bytes, full.stat().st_size, made.bits, made.fallbacks)


def _gguf(work: _Work, type_: str) -> str:
    return f"gguf/{work.run.id}-{type_}.gguf"


def _contents(work: _Work, made: Sequence[Report], base_files: tuple[str, ...]) -> Contents:
    ggufs = [_gguf(work, name) for name in (FULL, *(report.type for report in made))] if work.chat else []
    best = recommend(made).type
    return Contents(
        ggufs=tuple(ggufs),
        chosen=_gguf(work, best or FULL) if ggufs else "",
        context=0,
        has_model=(work.stage.folder / MODEL).is_dir(),
        has_adapter=work.folder.adapter.is_dir(),
        has_adapter_gguf=work.folder.adapter_gguf.is_file(),
        base_files=base_files,
        scores=work.chat is None,
        notes=tuple(work.notes),
    )


def _write_use(work: _Work, chat: ChatModel, contents: Contents) -> Contents:
    """Write what starts the model in other programs; return the contents with what that found."""
    tokenizer = chat.load_tokenizer()
    facts = describe(work.stage.folder / contents.chosen)
    context = min(facts.context or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
    work.say("trying Ollama's template")
    template = template_for(Source(tokenizer.template, tokenizer.named_tokens), adds_bos=facts.adds_bos)
    system = system_of(work.project)
    stops = sorted(filter(None, (tokenizer.tokenizer.id_to_token(number) for number in tokenizer.eos_ids)))
    work.stage.write("Modelfile", write_modelfile(contents.chosen, template, system, stops, context))
    work.stage.write("run.sh", run_script(contents.chosen, context, has_system=bool(system)))
    if system:
        work.stage.write(SYSTEM, f"{system}\n")
    notes = (*contents.notes, *(f"Ollama: {note}" for note in template.notes))
    return replace(contents, context=context, notes=notes)
