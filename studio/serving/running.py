"""The user's side of a served model: starts its process, tells when it listens, and ends it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import orjson

from studio.errors import StudioError
from studio.serving.settings import Serving, check


@contextmanager
def served(serving: Serving, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Serve a model, from when it listens until the end of the block.

    Raises:
        StudioError: it would let strangers in, the port is taken, or the model can't be loaded.
    """
    check(serving)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "studio.serving.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            start_new_session=True,
        )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps(asdict(serving)) + b"\n")
        process.stdin.close()
        if process.stdout.readline() != b"listening\n":
            raise StudioError(
                f"{serving.name} can't be served on {serving.host}:{serving.port}.",
                f"The port may be taken: choose another with --port. The reason is at the end of {log}.",
            )
        yield process
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        # A reply that still streams, or a model that still loads.
        process.kill()
        process.wait()
