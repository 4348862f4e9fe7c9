"""What the machine does while a run trains, as it is kept and said."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.training.watching import machine
from studio.training.watching.machine import Gpu, Look, Sampler

LOOK = Look("2026-01-01T00:00:00+00:00", 0.5, 1.75, 3 << 30, 12 << 30, 16 << 30)


def test_a_thread_looks_until_it_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "machine.jsonl"
    sampler = Sampler(path, list, seconds=0.01)
    sampler.start()
    deadline = time.monotonic() + 30
    while (look := machine.last(path)) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    sampler.end()
    assert look is not None
    assert 0 < look.memory < look.memory_total
    assert 0 <= look.processor <= 1
    size = path.stat().st_size
    time.sleep(0.05)
    assert path.stat().st_size == size, "nobody writes after the end"


def test_what_is_old_is_thinned_out_and_what_is_new_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "machine.jsonl"
    written = machine.MOST_LINES + 50
    for number in range(written):
        machine.append(path, replace(LOOK, at=f"{number:06}"))
    kept = [line.split(b'"')[3].decode() for line in path.read_bytes().splitlines()]
    assert kept == sorted(kept)
    assert len(kept) < 0.7 * machine.MOST_LINES
    assert kept[0] == "000000"
    assert kept[-machine.RECENT_LINES :] == [f"{n:06}" for n in range(written - machine.RECENT_LINES, written)]


def test_the_last_whole_look_counts(tmp_path: Path) -> None:
    path = tmp_path / "machine.jsonl"
    assert machine.last(path) is None
    machine.append(path, replace(LOOK, gpus=[Gpu(0.5, 1, 2, None, 3.0)]))
    with path.open("ab") as file:
        file.write(b'{"at": "cut sho')
    found = machine.last(path)
    assert found is not None
    assert found.gpus == [Gpu(0.5, 1, 2, None, 3.0)]


def test_a_look_in_words() -> None:
    assert machine.in_words(LOOK) == "processor 50%, 1.8 cores by the trainer; RAM 12.0 of 16.0 GB, 3.0 by the trainer"
    gpu = Gpu(0.93, 41 << 30, 80 << 30, 71.0, 402.6)
    assert machine.in_words(replace(LOOK, gpus=[gpu])).startswith("GPU 93%, 41.0 of 80.0 GB, 71 °C, 403 W; processor")
    silent = replace(gpu, temperature=None, watts=None)
    assert machine.in_words(replace(LOOK, gpus=[gpu, silent])).split("; ")[1] == "GPU 1 93%, 41.0 of 80.0 GB"


class Silent(Exception):
    """What the driver's library raises for all that it does not tell."""


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The driver's library on a machine with three GPUs, of which torch may use the last and the first."""
    names = ["GPU-a1", "GPU-b2", "GPU-c3"]

    def told(values: list[Any]) -> Callable[..., Any]:
        return lambda handle, *_: values[handle]

    def power(handle: int) -> int:
        if handle == 0:
            raise Silent
        return 402_600

    memory = [SimpleNamespace(used=used << 30, total=80 << 30) for used in (41, 0, 7)]
    nvml = SimpleNamespace(
        NVMLError=Silent,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=names.index,
        nvmlDeviceGetMemoryInfo=told(memory),
        nvmlDeviceGetUtilizationRates=told([SimpleNamespace(gpu=busy) for busy in (93, 0, 12)]),
        nvmlDeviceGetTemperature=told([71, 30, 48]),
        nvmlDeviceGetPowerUsage=power,
    )
    visible = [SimpleNamespace(uuid="c3"), SimpleNamespace(uuid="a1")]
    cuda = SimpleNamespace(device_count=lambda: len(visible), get_device_properties=visible.__getitem__)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    return nvml


def test_the_gpus_that_torch_may_use_are_looked_at(driver: SimpleNamespace) -> None:
    found = machine.gpus_of_this_process()()
    assert found == [Gpu(0.12, 7 << 30, 80 << 30, 48, 402.6), Gpu(0.93, 41 << 30, 80 << 30, 71, None)]


def test_a_driver_that_tells_nothing_ends_no_run(driver: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        raise Silent

    look = machine.gpus_of_this_process()
    driver.nvmlDeviceGetMemoryInfo = nothing
    assert look() == [], "a GPU that fell off its bus"
    driver.nvmlDeviceGetHandleByUUID = nothing
    assert machine.gpus_of_this_process()() == [], "a part of a GPU, which has a name of another kind"
    driver.nvmlInit = nothing
    assert machine.gpus_of_this_process()() == [], "no GPU"
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert machine.gpus_of_this_process()() == [], "no library"
