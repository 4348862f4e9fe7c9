"""A run on a machine with several GPUs takes one of them; the driver's library is stood in for, for want of GPUs."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.training.trainer.one_gpu import VISIBLE, one_gpu

FREE = {"GPU-a1": 10, "GPU-b2": 80, "GPU-c3": 40, "GPU-d4": 90}


@pytest.fixture(autouse=True)
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four GPUs, of which the last has the most memory free, and does not compute in bf16."""
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: len(FREE),
        nvmlDeviceGetHandleByIndex=list(FREE).__getitem__,
        nvmlDeviceGetUUID=str,
        nvmlDeviceGetCudaComputeCapability=lambda uuid: (6 if uuid == "GPU-d4" else 8, 0),
        nvmlDeviceGetMemoryInfo=lambda uuid: SimpleNamespace(free=FREE[uuid]),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv(VISIBLE, "")
    monkeypatch.delenv(VISIBLE, raising=False)


def taken(monkeypatch: pytest.MonkeyPatch, visible: str | None = None) -> str | None:
    """Return what a run that starts now would see, while the others go on."""
    if visible is None:
        monkeypatch.delenv(VISIBLE, raising=False)
    else:
        monkeypatch.setenv(VISIBLE, visible)
    with one_gpu("auto"):
        return os.environ.get(VISIBLE)


def test_each_run_takes_the_emptiest_gpu_that_no_other_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with one_gpu("auto"):
        assert os.environ[VISIBLE] == "GPU-b2"
        monkeypatch.delenv(VISIBLE, raising=False)
        with one_gpu("auto"):
            assert os.environ[VISIBLE] == "GPU-c3"
            assert taken(monkeypatch) == "GPU-a1"
            monkeypatch.delenv(VISIBLE, raising=False)
            with one_gpu("auto"):
                monkeypatch.delenv(VISIBLE, raising=False)
                with one_gpu("auto"):
                    assert os.environ[VISIBLE] == "GPU-d4"
                    assert not capsys.readouterr().err
                    assert taken(monkeypatch) == "GPU-b2", "where all are held they are shared"
                    told = capsys.readouterr().err
                    assert told.startswith("Other runs hold all GPUs: this one shares GPU b2 with another")
                    assert taken(monkeypatch, "2") == "2"
                    assert "shares GPU 2 with another" in capsys.readouterr().err
    assert taken(monkeypatch) == "GPU-b2"
    assert not capsys.readouterr().err


def test_a_run_keeps_to_the_gpus_that_it_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(monkeypatch, "0,2") == "2"
    assert taken(monkeypatch, "GPU-a,GPU-c") == "GPU-c"
    assert taken(monkeypatch, "0") == "0"
    assert taken(monkeypatch, "MIG-7") == "MIG-7"
    assert taken(monkeypatch, "") == ""
    monkeypatch.setenv(VISIBLE, "0")
    with one_gpu("auto"):
        monkeypatch.setitem(FREE, "GPU-a1", 99)
        assert taken(monkeypatch) == "GPU-b2", "one that was named is held as well"


def test_without_the_drivers_library_it_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert taken(monkeypatch) == "0"
    assert taken(monkeypatch, "3,1") == "3"


def test_a_cache_that_can_not_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    assert taken(monkeypatch) == "GPU-b2"


def test_what_the_process_may_use_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for named in (None, "0,2"):
        taken(monkeypatch, named)
        assert os.environ.get(VISIBLE) == named


def test_a_run_on_the_processor_holds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with one_gpu("cpu"):
        assert VISIBLE not in os.environ
        assert taken(monkeypatch) == "GPU-b2"


def test_a_launcher_gives_each_process_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert taken(monkeypatch) is None
