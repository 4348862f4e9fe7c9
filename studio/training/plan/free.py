"""What memory is free where a run would train."""

from importlib.util import find_spec
from pathlib import Path

import psutil
import torch

from studio.training.plan.memory import Machine
from studio.training.trainer.hardware import Hardware

_GROUP = Path("/sys/fs/cgroup")
"""Where Linux says how much memory a container may have."""


def machine_of(hardware: Hardware) -> Machine:
    """Return what a run would train on, and how much memory is free there."""
    free = int(torch.cuda.mem_get_info()[0]) if hardware.device == "cuda" else _free_here()
    return Machine(hardware.device, hardware.torch_dtype == torch.bfloat16, free)


def has_4bit(hardware: Hardware) -> bool:
    """Tell whether a base model can be held in 4 bits here."""
    return hardware.device == "cuda" and find_spec("bitsandbytes") is not None


def _free_here() -> int:
    free = int(psutil.virtual_memory().available)
    limit, used = (_number(_GROUP / name) for name in ("memory.max", "memory.current"))
    return min(free, max(0, limit - used)) if limit is not None and used is not None else free


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # no such file, or `max`
