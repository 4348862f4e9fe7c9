"""What memory is free where a run would train."""

from importlib.util import find_spec

import torch

from studio.free_memory import free_memory
from studio.training.plan.memory import Machine
from studio.training.trainer.hardware import Hardware


def machine_of(hardware: Hardware) -> Machine:
    """Return what a run would train on, and how much memory is free there."""
    free = int(torch.cuda.mem_get_info()[0]) if hardware.device == "cuda" else free_memory()
    return Machine(hardware.device, hardware.torch_dtype == torch.bfloat16, free)


def has_4bit(hardware: Hardware) -> bool:
    """Tell whether a base model can be held in 4 bits here."""
    return hardware.device == "cuda" and find_spec("bitsandbytes") is not None
