"""One quantised file: made beside its place by a process of its own, and put there only once it is whole."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from studio.atomic import placed
from studio.errors import StudioError
from studio.inference.quantising.types import FULL
from studio.processors import usable_processors
from studio.sizes import size_in_words

SPARE = 1.05
"""What a file may take beyond what llama.cpp says: its metadata, the vocabulary above all."""


@dataclass(frozen=True)
class Fallback:
    """Tensors that could not have the type that was asked for."""

    tensors: int
    row: int
    """How many weights a row of theirs has."""
    block: int
    """How many weights the wanted type packs together."""
    wanted: str
    got: str

    def __str__(self) -> str:
        return (
            f"{self.tensors:,} tensors are {self.got} instead of {self.wanted}: their rows of {self.row:,} weights"
            f" are no multiple of {self.block:,}"
        )


@dataclass(frozen=True)
class Made:
    """A quantised file."""

    bytes: int
    bits: float
    """How many bits a weight has on average, those included that are not quantised."""
    fallbacks: tuple[Fallback, ...] = ()


def make(source: Path, out: Path, type_: str, log: IO[bytes], on_progress: Callable[[float], None]) -> Made:
    """Quantise a GGUF.

    Args:
        source: the model in 16-bit floats.
        out: the file to make.
        type_: what to quantise to.
        log: where the process's own words go.
        on_progress: told how much is done, from 0 to 1.

    Raises:
        StudioError: llama.cpp refuses, or there is no room on the disk.
    """
    if type_ == FULL:
        return _copied(source, out)
    part = out.with_name(f".{out.name}.part")
    part.unlink(missing_ok=True)
    process = _started(source, part, type_, log)
    try:
        plan = _followed(process, part, type_, on_progress)
        part.replace(out)
    finally:
        process.kill()
        process.wait()
        part.unlink(missing_ok=True)
    fallbacks = tuple(Fallback(count, *key) for *key, count in plan["fallbacks"])
    return Made(out.stat().st_size, plan["bits"], fallbacks)


def _started(source: Path, part: Path, type_: str, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    threads = str(usable_processors())
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "studio.inference.quantising.quantiser", str(source), str(part), type_, threads],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )


def _followed(
    process: "subprocess.Popen[bytes]", part: Path, type_: str, on_progress: Callable[[float], None]
) -> dict[str, Any]:
    assert process.stdout is not None
    plan: dict[str, Any] = {}
    for line in process.stdout:
        said = orjson.loads(line)
        match said["event"]:
            case "plan":
                plan = said
                _check_room(part, said["bytes"], type_)
                _agree(process)
            case "tensor":
                on_progress(said["number"] / said["total"])
            case "error":
                raise StudioError(
                    f"This model can't be quantised to {type_}: {said['message']}.", "Choose another type, Q8_0 say."
                )
            case "done":
                return plan
    raise StudioError(
        f"llama.cpp's quantiser ended with status {process.wait()} before {type_} was done.", "Its log says more."
    )


def _agree(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def _check_room(part: Path, size: int, type_: str) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < size * SPARE:
        raise StudioError(
            f"{type_} takes {size_in_words(size)}, and the disk of {part.parent} has {size_in_words(free)} free.",
            "Delete what is not needed any more: d in the window of quantised models, say.",
        )


def _copied(source: Path, out: Path) -> Made:
    with placed(out) as part:
        shutil.copyfile(source, part)
    return Made(out.stat().st_size, 16.0)
