"""Long work of the program in a process of its own: its progress is passed on, its last words say what went wrong."""

import subprocess
import sys
from collections.abc import Callable

_PROGRESS = "\x1eprogress "
"""Begins the lines of the process that tell how far it is."""


def run_apart(module: str, *arguments: str, on_progress: Callable[[str], None] | None = None) -> str:
    """Run a module of the program to its end; return why it failed, or nothing where it did not."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        said = ""
        for line in child.stdout:
            if not line.startswith(_PROGRESS):
                said = line.strip() or said
            elif on_progress:
                on_progress(line.removeprefix(_PROGRESS).strip())
    return (said.rstrip(".") or f"status {child.returncode}") if child.returncode else ""


def tell_progress(text: str) -> None:
    """Tell whoever started this process how far it is."""
    print(f"{_PROGRESS}{text}", flush=True)  # noqa: T201
