"""Telling whether the very process that was started still lives, across restarts and reused ids."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

START_TOLERANCE_SECONDS = 2.0
LOCK = ".launch.lock"


def started_at(pid: int) -> float:
    """Return when a process started, in seconds since 1970.

    Raises:
        ProcessLookupError: there is no such process.
    """
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        raise ProcessLookupError(f"no process {pid}") from None


def is_alive(pid: int | None, pid_started: float | None) -> bool:
    """Tell whether this process, not another that got its number, still runs."""
    if pid is None or pid_started is None:
        return False
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - pid_started) <= START_TOLERANCE_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def launching(runs: Path) -> Iterator[None]:
    """Let one process at a time start a trainer in a project; another waits for its turn."""
    runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (runs / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_launching(runs: Path) -> bool:
    """Tell whether a process is starting a trainer in a project now."""
    try:
        with (runs / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
