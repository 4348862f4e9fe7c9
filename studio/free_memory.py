"""How much memory can still be had on this machine, or in this container, and how much this process has had."""

import resource
import sys
from pathlib import Path

import psutil

_GROUP = Path("/sys/fs/cgroup")
"""Where Linux says how much memory a container may have."""


def free_memory() -> int:
    """Return the bytes that can be had; pages of files that can be read again count as free."""
    free = int(psutil.virtual_memory().available)
    limit, used = (_number(_GROUP / name) for name in ("memory.max", "memory.current"))
    return min(free, max(0, limit - used + _file_pages())) if limit is not None and used is not None else free


def peak_memory() -> int:
    """Return the most bytes of main memory that this process has held."""
    try:
        # Elsewhere what the process that started this one had held counts too.
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # no such file, or `max`


def _file_pages() -> int:
    try:
        lines = (_GROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("active_file ", "inactive_file ")))
