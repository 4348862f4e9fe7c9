"""Makes what is prepared of a model: `python -m studio.training.base.prepare NAME tokenizer|gguf|weights`."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.inference.gguf import widen
from studio.inference.gguf.conversion import convert
from studio.models import CHAT_FILE, BaseModel, chat_gguf, has_part, resolve
from studio.own_process import tell_progress
from studio.sizes import size_in_words
from studio.training.base.gguf_tokenizer import write_tokenizer

SPARE_BYTES = 200_000_000
"""What is left free on the disk, for whatever else writes there."""


def main() -> None:
    """Prepare a part of the named model; say what went wrong in the last line of standard error."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        _prepare(resolve(sys.argv[1]), sys.argv[2])
    except StudioError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'the cache'}: {error.strerror}.")


def _prepare(model: BaseModel, part: str) -> None:
    folder = model.folder
    if model.kind == "hf":
        gguf = chat_gguf(model)
        if gguf is None:
            raise StudioError(f"{model.source} lacks its tokenizer.", "Copy the whole model folder.")
        folder = gguf.parent
    parent = folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in parent.glob(f"{_prefix(folder)}*"):
            shutil.rmtree(left)  # of a preparation that was killed
        if model.kind == "hf":
            if not has_part(model, "gguf"):
                _check_room(model.source, parent)
                _place(folder, lambda made: convert(model.source, made / CHAT_FILE, on_progress=_tell))
            return
        # Everything else needs the tokenizer beside it.
        if not has_part(model, "tokenizer"):
            _place(folder, lambda made: write_tokenizer(model.source, made))
        if part == "gguf" and not has_part(model, "gguf"):
            _place(folder, lambda made: widen(model.source, made / CHAT_FILE, on_progress=_tell))
        if part == "weights" and not has_part(model, "weights"):
            _place(folder, lambda made: _write_weights(model, made))


def _check_room(model: Path, place: Path) -> None:
    """Refuse to fill the disk with a model that will not fit: others write there too."""
    needed = sum(file.stat().st_size for file in model.glob("*.safetensors")) + SPARE_BYTES
    free = shutil.disk_usage(place).free
    if needed > free:
        raise StudioError(f"its GGUF needs {size_in_words(needed)} in {place}, where {size_in_words(free)} is free")


def _tell(done: float) -> None:
    tell_progress(f"writing the model for llama.cpp: {done:.0%}")


def _prefix(folder: Path) -> str:
    return f".preparing-{folder.name}."


def _place(folder: Path, write: Callable[[Path], None]) -> None:
    """Write files into a folder beside another, then move them in; `config.json` comes last."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_prefix(folder)) as temporary:
        made = Path(temporary)
        write(made)
        folder.mkdir(exist_ok=True)
        for file in sorted(made.iterdir(), key=lambda p: p.name in ("config.json", "tokenizer_config.json")):
            shutil.move(file, folder / file.name)


def _write_weights(model: BaseModel, folder: Path) -> None:
    """Write the weights as full-precision numbers: exactly what the quantised file says."""
    import torch
    from transformers import AutoModelForCausalLM

    loaded: Any = AutoModelForCausalLM.from_pretrained(
        str(model.source.parent), gguf_file=model.source.name, dtype=torch.float32
    )
    # transformers refuses to save what it believes to be quantised still.
    loaded.hf_quantizer = None
    loaded.config.quantization_config = None
    del loaded.config.quantization_config
    loaded.save_pretrained(folder)


if __name__ == "__main__":
    main()
