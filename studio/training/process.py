"""Telling whether the very process that was started still lives, across restarts and reused ids."""

import psutil

START_TOLERANCE_SECONDS = 2.0


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
