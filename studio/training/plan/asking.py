"""Questions to a process of its own: where the answer takes libraries or a while that no screen should wait for."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from studio.errors import StudioError

POLL_SECONDS = 0.1
"""How soon a question that nobody waits for any more is broken off."""


def ask(module: str, project_folder: Path, question: Any, cancelled: Callable[[], bool]) -> Any:
    """Ask a module that `serve`s about a project, and wait for the answer; None where it was cancelled.

    Raises:
        StudioError: the module raised it, or the process failed.
    """
    command = [sys.executable, "-P", "-m", module, str(project_folder.resolve())]
    pipe = subprocess.PIPE
    # What it leaves when it is killed is data of the user, and goes with this folder.
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "TMPDIR": place}
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
            given: bytes | None = orjson.dumps(question)
            while True:
                try:
                    answer, said = process.communicate(given, timeout=POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    given = None
                    if cancelled():
                        process.kill()
                        return None
    if process.returncode != 0:
        raise _error(process.returncode, said)
    return orjson.loads(answer)


def serve(answer_of: Callable[[Path, Any], Any]) -> None:
    """Answer the one question on standard input; say what went wrong as the last line of standard error."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
    # Libraries that print must not write into the answer.
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        try:
            found = answer_of(Path(sys.argv[1]), orjson.loads(sys.stdin.buffer.read()))
        except StudioError as error:
            sys.exit(str(error).replace("\n", " "))
        answer.write(orjson.dumps(found))


def _error(status: int, said: bytes) -> StudioError:
    lines = said.decode(errors="replace").strip().splitlines()
    if status < 0:
        return StudioError(
            f"The process that was asked was ended by signal {-status}.", "It may have needed more memory than is free."
        )
    return StudioError(lines[-1] if lines else f"The process that was asked ended with status {status}.")
