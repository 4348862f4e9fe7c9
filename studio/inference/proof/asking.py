"""Asking for a proof from a screen or a command: in a process of its own, since it counts for seconds."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable

from store import runs
from store.database import Store
from store.errors import MissingRowError
from store.runs import ACTIVE, Run
from studio.errors import StudioError
from studio.inference.proof.evidence import Evidence, read
from studio.inference.proof.subjects import place_of
from studio.project import Project


def prove_anew(project: Project, store: Store, ref: str, say: Callable[[str], None]) -> Evidence:
    """Prove a run or a model now, and keep what came of it, with the run where it is one.

    Raises:
        StudioError: it is being trained, it can't be proven, or the process failed.
    """
    check_at_rest(store, ref)
    command = [sys.executable, "-P", "-m", "studio.inference.proof", str(project.folder.resolve()), ref]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "TMPDIR": place}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                say(line.strip())
        if process.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise StudioError(lines[-1] if lines else f"The proof ended with status {process.returncode}.")
    found = read(place_of(project, ref))
    if found is None:
        raise StudioError(f"The proof of {ref} left no evidence.", "Is the disk full?")
    keep(store, ref, found)
    return found


def check_at_rest(store: Store, ref: str) -> None:
    """Raise a StudioError where a run is being trained: its trainer proves it at its end."""
    run = _run_of(store, ref)
    if run is not None and run.status in ACTIVE:
        raise StudioError(f"{run.id} is being trained.", "What it leaves is proven at its end.")


def keep(store: Store, ref: str, found: Evidence) -> None:
    """Note with a run what came of its proof; a base model has no row."""
    run = _run_of(store, ref)
    if run is not None:
        result = {**run.result, "parity": found.sentence}
        runs.update(store, run.id, status=run.status, error=run.error, result=result, seen=run)


def _run_of(store: Store, ref: str) -> Run | None:
    try:
        return runs.get(store, ref.partition("@")[0])
    except MissingRowError:
        return None
