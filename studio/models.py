"""Base models: finding one by name, and its prepared form in this user's cache."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
from platformdirs import user_cache_path

from studio.errors import StudioError
from studio.own_process import run_apart
from studio.packaged import PACKAGED

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
WEIGHTS_FILES = ("model.safetensors", "model.safetensors.index.json")

CHAT_FILE = "model.gguf"
"""In a prepared folder: the weights as llama.cpp runs them, in the precision that training sees."""

Part = Literal["tokenizer", "gguf", "weights"]
"""What can be prepared: for rendering, for chat, for training."""

PREPARED_FORM = 2
"""Raised when models are prepared otherwise than before, so that old caches are left alone."""


@dataclass(frozen=True)
class BaseModel:
    """A model to start from."""

    name: str
    source: Path
    """The GGUF file or the Hugging Face folder that the user named."""
    kind: Literal["gguf", "hf"]
    folder: Path
    """The Hugging Face folder that training and rendering read; made by `prepare` from a GGUF."""


def resolve(name: str) -> BaseModel:
    """Find a model by its name: `smollm2`, a GGUF file, or a Hugging Face folder.

    Raises:
        StudioError: there is no such model on this machine.
    """
    if name in PACKAGED:
        source = PACKAGED[name].source(cache_folder() / "packaged")
        return BaseModel(name, source, "gguf", _cache_folder(name, source))
    # The trainer works in another folder, and so may whoever chats with the run.
    path = Path(os.path.expanduser(name)).absolute()
    if path.is_dir() and (path / "config.json").is_file():
        return BaseModel(str(path), path, "hf", path)
    if path.is_file() and _is_gguf(path):
        return BaseModel(str(path), path, "gguf", _cache_folder(path.stem, path))
    if path.exists():
        raise StudioError(f"{name} is neither a GGUF file nor a Hugging Face model folder.")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise StudioError(
            f"{name} is not on this machine, and nothing is downloaded unasked.",
            f"Fetch it with `hf download {name} --local-dir models/{name.split('/')[1]}` and name that folder.",
        )
    raise StudioError(
        f"There is no model {name!r}.", f"Name {', '.join(PACKAGED)}, a GGUF file, or a Hugging Face folder."
    )


def lasting(name: str) -> str:
    """Return the name by which a process that works in another folder finds the same model."""
    path = Path(os.path.expanduser(name))
    return name if name in PACKAGED or not path.exists() else str(path.absolute())


def has_tokenizer(model: BaseModel) -> bool:
    """Tell whether text can be rendered for this model already."""
    return all((model.folder / name).is_file() for name in TOKENIZER_FILES)


def is_prepared(model: BaseModel) -> bool:
    """Tell whether the model can be trained already."""
    has_weights = any((model.folder / name).is_file() for name in WEIGHTS_FILES)
    return has_tokenizer(model) and has_weights and (model.folder / "config.json").is_file()


def chat_gguf(model: BaseModel) -> Path | None:
    """Return the GGUF to chat with once it is prepared: the numbers that were trained, not quantised again.

    llama.cpp rounds what it multiplies with quantised weights, which in small models changes answers. That of a
    Hugging Face folder lies in the cache, since the folder is the user's.
    """
    if model.kind == "gguf":
        return model.folder / CHAT_FILE
    return _converted_folder(model) / CHAT_FILE if has_tokenizer(model) else None


def has_part(model: BaseModel, part: Part) -> bool:
    """Tell whether a part is prepared already."""
    match part:
        case "tokenizer":
            return has_tokenizer(model)
        case "gguf":
            gguf = chat_gguf(model)
            return gguf is not None and gguf.is_file()
        case "weights":
            return is_prepared(model)


def prepare(model: BaseModel, part: Part, *, on_progress: Callable[[str], None] | None = None) -> None:
    """Make a part of what is prepared for a model, in a process of its own; safe when two ask at once.

    Raises:
        StudioError: the model is of a kind that can't be prepared, or the disk is full.
    """
    if has_part(model, part):
        return
    if model.kind == "hf" and (part != "gguf" or not has_tokenizer(model)):
        raise StudioError(f"{model.source} lacks its weights or its tokenizer.", "Copy the whole model folder.")
    if on_progress:
        on_progress(f"preparing {model.name} (once on this machine)")
    why = run_apart("studio.training.base.prepare", model.name, part, on_progress=on_progress)
    if why:
        raise StudioError(f"{model.name} can't be prepared: {why}.")


def gguf_of(model: BaseModel) -> Path | None:
    """Return the GGUF that a model came from, or None where it has none."""
    return model.source if model.kind == "gguf" else None


def base_gguf(model: BaseModel) -> Path | None:
    """Return a GGUF of a model that is there now: the one that it came from, or the one made from its folder."""
    if model.kind == "gguf":
        return model.source
    return chat_gguf(model) if has_part(model, "gguf") else None


def model_hash(model: BaseModel) -> str:
    """Return the SHA-256 of the model's weights; worked out once for each state of the files."""
    if model.kind == "gguf":
        return file_hash(model.source)
    files = sorted(p for p in model.source.iterdir() if p.suffix == ".safetensors" or p.name == "config.json")
    return hashlib.sha256("".join(file_hash(path) for path in files).encode()).hexdigest()


def check_unchanged(model: BaseModel, digest: str | None) -> None:
    """Refuse a model whose files are others than those that a run was started with.

    Raises:
        StudioError: they are.
    """
    if digest and model_hash(model) != digest:
        raise StudioError(
            f"{model.name} is not the model that the run was started with: its file has changed.",
            "Put the former file back, or start a new run.",
        )


def cache_folder() -> Path:
    """Return where prepared models lie: TUNING_STUDIO_CACHE, or the platform's place for caches."""
    named = os.environ.get("TUNING_STUDIO_CACHE")
    return Path(named) if named else user_cache_path("tuning-studio")


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def _converted_folder(model: BaseModel) -> Path:
    """Return the folder in the cache of what was made from a Hugging Face folder in its present state."""
    parts = [model_hash(model), *(file_hash(model.source / name) for name in TOKENIZER_FILES)]
    digest = hashlib.sha256("".join(parts).encode()).hexdigest()
    return cache_folder() / "models" / f"{model.source.name}-{digest[:12]}-{PREPARED_FORM}"


def _cache_folder(name: str, source: Path) -> Path:
    return cache_folder() / "models" / f"{name}-{file_hash(source)[:12]}-{PREPARED_FORM}"


def file_hash(path: Path) -> str:
    """Return a file's SHA-256, remembered by path, size and time of change: models have gigabytes."""
    state = path.stat()
    key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    memory = cache_folder() / "hashes.json"
    known = _read_hashes(memory)
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        _write_hashes(memory, known)
    return known[key]


def _read_hashes(memory: Path) -> dict[str, str]:
    try:
        found = orjson.loads(memory.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_hashes(memory: Path, known: dict[str, str]) -> None:
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        temporary = memory.with_name(f".{memory.name}.{os.getpid()}")
        temporary.write_bytes(orjson.dumps(known))
        temporary.replace(memory)
    except OSError:
        # Only a shortcut: without it the hash is worked out again next time.
        return
