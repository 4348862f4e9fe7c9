"""How many processors this process may use, of this machine or in this container."""

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where Linux says how much time a container gets of each period, such as `200000 100000`, or `max 100000`."""


def usable_processors(quota: Path = QUOTA) -> int:
    """Return how many threads can run at once; a container that is given the time of two runs two, whatever it sees."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        time, period = map(int, quota.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return seen  # no such file, or no limit
    return max(1, min(seen, math.ceil(time / period)))
