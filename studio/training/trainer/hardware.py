"""What a run computes on: the device and the number format."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from studio.errors import StudioError
from studio.training.recipe import Recipe

PROCESSOR = Path("/proc/cpuinfo")
"""What Linux tells of its processors."""


@dataclass(frozen=True)
class Hardware:
    """A device and the base model's number format on it."""

    device: str
    torch_dtype: torch.dtype
    name: str

    @property
    def dtype_name(self) -> str:
        """`bf16` or `fp32`."""
        return "bf16" if self.torch_dtype == torch.bfloat16 else "fp32"


def choose(recipe: Recipe) -> Hardware:
    """Return what the recipe asks for, or the best that is here.

    Raises:
        StudioError: the recipe asks for a GPU and there is none.
    """
    has_cuda = torch.cuda.is_available()
    if recipe.device == "cuda" and not has_cuda:
        raise StudioError("The recipe wants a CUDA GPU and there is none here.", "Use device=cpu or device=auto.")
    device = "cuda" if has_cuda and recipe.device != "cpu" else "cpu"
    if device == "cuda":
        # Of several processes each has a GPU of its own; "cuda" then means that one.
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    # Older GPUs only store numbers in it, and compute more slowly than in fp32.
    able = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else processor_has_bf16()
    bf16 = able if recipe.dtype == "auto" else recipe.dtype == "bf16"
    name = torch.cuda.get_device_name() if device == "cuda" else f"processor, {_threads()}"
    return Hardware(device, torch.bfloat16 if bf16 else torch.float32, name)


def _threads() -> str:
    count = torch.get_num_threads()
    return f"{count} thread{'s' if count > 1 else ''}"


def processor_has_bf16() -> bool:
    """Tell whether the processor multiplies bf16 in hardware; without that bf16 is slower than fp32."""
    try:
        text = PROCESSOR.read_text(encoding="utf-8")
    except OSError:
        return False
    # x86 processors tell their `flags`, those of ARM their `Features`.
    flags = next((line.split() for line in text.splitlines() if line.startswith(("flags", "Features"))), [])
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)
