"""Starting and stopping the process that quantises and tests; it outlives the terminal."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from store import runs
from store.database import Store
from store.errors import MissingRowError
from studio.atomic import placed
from studio.errors import StudioError
from studio.inference.chat import check_can_chat
from studio.inference.quantising import state
from studio.inference.quantising.places import Place, place_of
from studio.inference.quantising.state import State
from studio.inference.quantising.types import named
from studio.process import is_held
from studio.project import Project

LOCK = ".quantising.lock"
"""In the project's folder: two models at once would be in each other's way, for memory and for the processor."""

PATIENCE_SECONDS = 30.0
ENDING_SECONDS = 2.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Wanted:
    """What is to be made, and how thoroughly it is tested."""

    types: tuple[str, ...]
    test: bool = True
    examples: int = 100
    """Held-out examples at most."""
    reply_tokens: int = 256
    """Tokens after which an answer is cut that the project's checks look at."""


def start(project: Project, store: Store, ref: str, wanted: Wanted) -> Place:
    """Start the process for a run or a base model; return where its files come.

    Raises:
        StudioError: there is no such run, model or type, the run has nothing to quantise, or another model is at it.
    """
    wanted = Wanted(tuple(named(wanted.types)), wanted.test, wanted.examples, wanted.reply_tokens)
    place = place_of(project, store, ref)
    with suppress(MissingRowError):
        check_can_chat(project, runs.get(store, ref))
    _check_alone(project)
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.state.unlink(missing_ok=True)
    child = _spawn(project.folder.resolve(), place, wanted)
    _wait_for_word(place, child)
    return place


def stop(place: Place) -> None:
    """Ask the process to stop; finished types stay, a half one is removed.

    Raises:
        StudioError: nothing is going on.
    """
    now = state.read(place)
    if now is None or now.state != "running":
        raise StudioError(f"{place.ref} is not being quantised.")
    with suppress(ProcessLookupError):
        os.kill(now.pid, signal.SIGTERM)


def delete(place: Place, type_: str) -> None:
    """Delete a quantised file with its report.

    Raises:
        StudioError: it is being made just now.
    """
    now = state.read(place)
    if now is not None and now.state == "running" and type_ in now.wanted:
        raise StudioError(f"{type_} is being made or tested.", "Stop that first.")
    place.gguf(type_).unlink(missing_ok=True)
    place.report(type_).unlink(missing_ok=True)


def copy_to(place: Place, types: Iterable[str], folder: Path) -> list[Path]:
    """Put quantised files into a folder, under names that say what they are.

    Raises:
        StudioError: one can't be written.
    """
    copies = []
    for type_ in types:
        out = folder / f"{Path(place.ref).stem}-{type_}.gguf"
        with placed(out) as part:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place.gguf(type_), part)
        copies.append(out)
    return copies


def _check_alone(project: Project) -> None:
    # One that has said its last word still needs a moment to end.
    deadline = time.monotonic() + ENDING_SECONDS
    while is_held(project.folder / LOCK):
        if time.monotonic() > deadline:
            raise StudioError(
                "A model of this project is being quantised already.", "Wait for it, or stop it: s in its window."
            )
        time.sleep(POLL_SECONDS)


def _spawn(folder: Path, place: Place, wanted: Wanted) -> "subprocess.Popen[bytes]":
    asked = {"ref": place.ref, "types": wanted.types, "test": wanted.test}
    asked |= {"examples": wanted.examples, "reply_tokens": wanted.reply_tokens}
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    # A stop that comes before the process listens waits for it, where it would have killed it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with place.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "studio.inference.quantising.worker", str(folder), orjson.dumps(asked)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
                cwd=folder,
            )
    except OSError as error:
        raise StudioError(f"Quantising can't be started: {error}.", "Free some disk space and memory.") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _wait_for_word(place: Place, child: "subprocess.Popen[bytes]") -> State:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        now = state.read(place)
        if now is not None:
            return now
        if child.poll() is not None:
            raise StudioError(f"Quantising ended at once, with status {child.returncode}.", f"See {place.log}.")
        time.sleep(POLL_SECONDS)
    raise StudioError("The process that quantises says nothing.", f"See {place.log}.")
