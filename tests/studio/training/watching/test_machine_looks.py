"""What the machine does while a run trains, as it is kept and said."""

import time
from dataclasses import replace
from pathlib import Path

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
