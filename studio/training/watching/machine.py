"""What the machine does while a run trains: processor, memory and GPUs, looked at every two seconds.

The file of looks stays small: it keeps the last minutes in full, and thins out what is older.
"""

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from store.database import now

SECONDS = 2.0
MOST_LINES = 3_000
RECENT_LINES = 600
"""The last 20 minutes, which are kept as they are; of what is older every second look goes at each thinning."""
TAIL_BYTES = 16_384

_GIB = 1 << 30


@dataclass(frozen=True)
class Gpu:
    """A GPU at one moment; None is what its driver does not tell."""

    use: float
    """Share of the time in which it computed anything."""
    memory: int
    memory_total: int
    temperature: float | None = None
    watts: float | None = None


@dataclass(frozen=True)
class Look:
    """The machine at one moment; memory in bytes."""

    at: str
    processor: float
    """Share of all cores that is busy."""
    cores: float
    """How many cores the trainer keeps busy."""
    memory: int
    """What the trainer holds."""
    memory_used: int
    memory_total: int
    gpus: list[Gpu] = field(default_factory=list)


class Sampler:
    """Looks at the machine in a thread of the trainer process and writes it down until it is ended."""

    def __init__(self, path: Path, gpus: Callable[[], list[Gpu]], seconds: float = SECONDS) -> None:
        self._path, self._gpus, self._seconds = path, gpus, seconds
        self._process = psutil.Process()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go, name="machine", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        psutil.cpu_percent()  # the first answer of each is 0: it counts from the last question
        self._process.cpu_percent()
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join(timeout=self._seconds)

    def _go(self) -> None:
        while not self._ended.wait(self._seconds):
            # A full disk or a GPU that does not answer must not end the run that is only looked at.
            with suppress(OSError, psutil.Error):
                append(self._path, self._look())

    def _look(self) -> Look:
        memory = psutil.virtual_memory()
        return Look(
            at=now(),
            processor=psutil.cpu_percent() / 100,
            cores=self._process.cpu_percent() / 100,
            memory=self._process.memory_info().rss,
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            gpus=self._gpus(),
        )


def append(path: Path, look: Look) -> None:
    """Write a look down; where there are many, those of long ago are thinned out."""
    line = json.dumps(asdict(look)).encode() + b"\n"
    with path.open("ab") as file:
        file.write(line)
        is_long = file.tell() > MOST_LINES * len(line)
    if is_long:
        lines = path.read_bytes().splitlines(keepends=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(b"".join(lines[:-RECENT_LINES:2] + lines[-RECENT_LINES:]))
        temporary.replace(path)


def last(path: Path) -> Look | None:
    """Return the last look; None before the first."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    return next((look for line in reversed(lines) if (look := _read(line))), None)


def in_words(look: Look) -> str:
    """Say in a line what the machine does."""
    parts = [_gpu_in_words(number, gpu, len(look.gpus)) for number, gpu in enumerate(look.gpus)]
    parts.append(f"processor {look.processor:.0%}, {look.cores:.1f} cores by the trainer")
    parts.append(f"RAM {_gib(look.memory_used)} of {_gib(look.memory_total)} GB, {_gib(look.memory)} by the trainer")
    return "; ".join(parts)


def gpus_of_this_process() -> Callable[[], list[Gpu]]:
    """Return what looks at the GPUs that torch may use here; it finds none where the driver's library is absent."""
    try:
        import pynvml  # the package nvidia-ml-py

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByUUID(uuid) for uuid in _uuids()]
    except Exception:  # ImportError, or one of NVML's many errors: nothing here hangs on it
        return list

    def look() -> list[Gpu]:
        try:
            return [_look_at(pynvml, handle) for handle in handles]
        except pynvml.NVMLError:
            return []

    return look


def _uuids() -> list[str]:
    import torch

    # By these, since torch counts only what CUDA_VISIBLE_DEVICES names and the driver counts all.
    return [f"GPU-{torch.cuda.get_device_properties(n).uuid}" for n in range(torch.cuda.device_count())]


def _look_at(nvml: Any, handle: Any) -> Gpu:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)

    def told(ask: Callable[[], float]) -> float | None:
        try:
            return ask()
        except nvml.NVMLError:
            return None

    use = told(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100)
    temperature = told(lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
    watts = told(lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000)
    return Gpu(use or 0.0, int(memory.used), int(memory.total), temperature, watts)


def _gpu_in_words(number: int, gpu: Gpu, of: int) -> str:
    name = f"GPU {number}" if of > 1 else "GPU"
    words = f"{name} {gpu.use:.0%}, {_gib(gpu.memory)} of {_gib(gpu.memory_total)} GB"
    words += f", {gpu.temperature:.0f} °C" if gpu.temperature is not None else ""
    return words + (f", {gpu.watts:.0f} W" if gpu.watts is not None else "")


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f}"


def _read(line: bytes) -> Look | None:
    try:
        found = json.loads(line)
        return Look(**{**found, "gpus": [Gpu(**gpu) for gpu in found["gpus"]]})
    except (ValueError, TypeError, KeyError):
        return None
