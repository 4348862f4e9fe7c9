"""What a device can compute at most, which the use that a run makes of it is measured against."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.training.trainer.hardware import Hardware

_TERA = 1e12

SERVERS: dict[str, tuple[float, float]] = {
    "GB200": (2500, 80),
    "B200": (2250, 80),
    "H200 NVL": (835, 60),
    "H200": (989, 67),
    "GH200": (989, 67),
    "H100 NVL": (835, 60),
    "H100 PCIe": (756, 51),
    "H100": (989, 67),
    "A100": (312, 19.5),
    "A40": (149.7, 37.4),
    "A30": (165, 10.3),
    "A10G": (70, 35),
    "A10": (125, 31.2),
    "L40S": (362, 91.6),
    "L40": (181, 90.5),
    "L4": (121, 30.3),
}
"""A GPU's name, and its TFLOP/s in bf16 (dense, summed up in fp32) and in fp32 outside the tensor cores, by NVIDIA's
data sheets, where figures "with sparsity" are halved. What the driver adds to the name is the memory and the socket."""

DESKTOPS: dict[str, tuple[float, float]] = {
    "RTX 6000 Ada Generation": (364.2, 91.1),
    "RTX A6000": (154.8, 38.7),
    "RTX 4090": (165.2, 82.6),
    "RTX 4080": (97.5, 48.7),
    "RTX 3090": (71, 35.6),
}
"""The same by NVIDIA's papers on Ampere and Ada. What is added to these names (Ti, SUPER, Laptop) is another GPU."""

SECONDS = 0.2
"""How long a processor is measured."""
_SIZE = 384
"""Rows of the matrices: large enough to keep all cores busy, small enough to be done between two other programs."""


@dataclass(frozen=True)
class Peak:
    """The most that a device computes, in floating-point operations a second, and how that is known."""

    flops: float
    source: str


def peak_of(hardware: "Hardware") -> Peak | None:
    """Return the most that the hardware computes in its number format; None for a GPU that is not known."""
    if hardware.device != "cuda":
        return _measured(hardware)
    found = _listed(hardware.name)
    if found is None:
        return None
    tera = found[hardware.dtype_name == "fp32"]
    return Peak(tera * _TERA, f"{tera:,g} TFLOP/s by the data sheet of {hardware.name} in {hardware.dtype_name}")


def _listed(name: str) -> tuple[float, float] | None:
    words = name.replace("-", " ").replace("PCIE", "PCIe").split()
    short = " ".join(word for word in words if word not in ("NVIDIA", "GeForce"))
    if "MIG" in words:
        return None  # a slice of a GPU
    longest_first = sorted(SERVERS, key=len, reverse=True)
    server = next((key for key in longest_first if f"{short} ".startswith(f"{key} ")), None)
    return SERVERS[server] if server else DESKTOPS.get(short)


def _measured(hardware: "Hardware") -> Peak:
    """Measure a processor with a product of matrices, of which the quickest counts."""
    import torch

    # By chance of its own: the run's must not hang on whether somebody measures.
    chance = torch.Generator().manual_seed(0)
    left, right = (torch.randn(_SIZE, _SIZE, dtype=hardware.torch_dtype, generator=chance) for _ in range(2))
    best, until = float("inf"), time.perf_counter() + SECONDS
    with torch.no_grad():
        left @ right  # the first is slower: it sets up its threads
        while time.perf_counter() < until or best == float("inf"):
            begun = time.perf_counter()
            left @ right
            best = min(best, time.perf_counter() - begun)
    flops = 2 * _SIZE**3 / best
    return Peak(flops, f"{flops / _TERA:.2g} TFLOP/s, measured here with a matrix product in {hardware.dtype_name}")
