"""One GPU for a process that trains alone on a machine with several, which TRL's trainers would not start on."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from studio.models import cache_folder
from studio.process import only_one
from studio.training.elsewhere.accelerate import processes

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Gpu:
    """A GPU that this process may use."""

    name: str
    """As CUDA_VISIBLE_DEVICES takes it."""
    uuid: str
    free: int
    """Bytes of its memory that nobody holds."""
    has_bf16: bool = True


@contextmanager
def one_gpu(device: str) -> Iterator[None]:
    """Hold a GPU that no run holds, and let CUDA see no other: one that has bf16, and the most free memory.

    To be entered before anything asks for CUDA. Where runs, of this project or of others, hold all of them, one is
    shared, and the log says so. Of several processes of a run each is given its own by the launcher, and a recipe
    whose `device` is `cpu` needs none.
    """
    before = os.environ.get(VISIBLE)
    is_wanted = device != "cpu" and processes() == 1
    with ExitStack() as held:
        if is_wanted and (gpus := sorted(usable(), key=lambda gpu: (not gpu.has_bf16, -gpu.free))):
            untaken = next((gpu for gpu in gpus if _take(gpu, held)), None)
            if untaken is None:
                _say_shared(gpus[0])
            os.environ[VISIBLE] = (untaken or gpus[0]).name
        try:
            yield
        finally:
            # A trainer that begins again in this one's place chooses again.
            if before is None:
                os.environ.pop(VISIBLE, None)
            else:
                os.environ[VISIBLE] = before


def _take(gpu: Gpu, held: ExitStack) -> bool:
    folder = cache_folder() / "gpus"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return held.enter_context(only_one(folder / f"{gpu.uuid.replace('/', '-')}.lock"))
    except OSError:
        # Nobody can hold anything there, and that is no reason not to train.
        return True


def _say_shared(gpu: Gpu) -> None:
    sys.stderr.write(
        f"Other runs hold all GPUs: this one shares GPU {gpu.name.removeprefix('GPU-')} with another,"
        " and is slower for it or runs out of memory sooner.\n"
    )


def usable() -> list[Gpu]:
    """Return the GPUs that CUDA would show, in its order; none where it is told to show none."""
    named = os.environ.get(VISIBLE)
    names = None if named is None else [name.strip() for name in named.split(",") if name.strip()]
    try:
        import pynvml  # the package nvidia-ml-py

        pynvml.nvmlInit()
        here = [_look_at(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # ImportError, or one of NVML's many errors: the first is as good as any
        return [Gpu(name, name, 0) for name in (["0"] if names is None else names)]
    if names is None:
        return here
    return [_named(name, here) for name in names]


def _look_at(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    uuid = nvml.nvmlDeviceGetUUID(handle)
    has_bf16 = nvml.nvmlDeviceGetCudaComputeCapability(handle)[0] >= 8
    return Gpu(uuid, uuid, int(nvml.nvmlDeviceGetMemoryInfo(handle).free), has_bf16)


def _named(name: str, here: list[Gpu]) -> Gpu:
    """Return the GPU that a number or the beginning of an id means; its name stays what CUDA was told."""
    by_number = here[int(name)] if name.isdecimal() and int(name) < len(here) else None
    found = by_number or next((gpu for gpu in here if gpu.uuid.startswith(name)), None)
    return replace(found, name=name) if found else Gpu(name, name, 0)
