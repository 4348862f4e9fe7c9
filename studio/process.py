"""Telling whether the very process that was started still lives, across restarts and reused ids."""

import errno
import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

START_TOLERANCE_SECONDS = 2.0
LOCK = ".launch.lock"

_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""What file systems of clusters say that know no locks."""


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
    return is_held(runs / LOCK)


@contextmanager
def only_one(lock: Path, *, patience: float = 0.0) -> Iterator[bool]:
    """Hold a lock, which the system gives back however the process ends.

    Args:
        lock: its file, which is made.
        patience: how many seconds to try where another holds it, who may only be looking whether anybody does.

    Yields:
        Whether it was free.
    """
    deadline = time.monotonic() + patience
    with lock.open("a") as file:
        while not (free := _take_alone(file)) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield free


def is_held(lock: Path) -> bool:
    """Tell whether a living process holds a lock."""
    try:
        # A network disk lets only those lock a file for themselves that may write it.
        with lock.open("r+") as file:
            # Shared, so that of two that look neither takes the other for the holder.
            return not _take(file, fcntl.LOCK_SH)
    except OSError:
        return False


def _take_alone(file: IO[str]) -> bool:
    try:
        return _take(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        # Better to train there than not at all.
        sys.stderr.write(
            f"{file.name} can't be locked on this disk ({error.strerror}): nothing keeps a second one away.\n"
        )
        return True


def _take(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
