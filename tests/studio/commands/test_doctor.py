"""What is said of GPUs, which are stood in for: the machine that tests run on has none."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio import doctor
from studio.doctor import Finding, examine


def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, torch_says: str, missing: tuple[str, ...] = ()) -> Finding:
    """Return what is found of the GPU where torch says this, and some packages are not installed."""
    (tmp_path / "nvidia0").touch()
    (tmp_path / "nvidiactl").touch()
    monkeypatch.setattr(doctor, "_DEVICES", tmp_path)
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, torch_says, ""))
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name in missing else name)
    found = [finding for finding in examine(tmp_path) if finding.name == "gpu"]
    return found[0] if found else Finding("ok", "gpu", "")


def test_a_gpu_that_torch_can_not_use_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = said(monkeypatch, tmp_path, "no CUDA GPU; training runs on the processor (torch 2.13.0+cpu)\n")
    assert found.level == "warn"
    assert found.text == "an NVIDIA GPU is here, and this torch can't use it"
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(doctor, "_DEVICES", tmp_path / "empty")
    assert not [finding for finding in examine(tmp_path) if finding.name == "gpu"]


def test_what_a_gpu_has_a_use_for_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gpu = "NVIDIA H200, 140 of 150 GB free, bf16\n"
    assert said(monkeypatch, tmp_path, gpu).text == ""
    found = said(monkeypatch, tmp_path, gpu, ("bitsandbytes", "pynvml"))
    assert (found.level, found.text) == ("warn", "not installed: bitsandbytes, nvidia-ml-py")


@pytest.mark.parametrize(
    ("generations", "printed"),
    [
        ([], "no CUDA GPU; training runs on the processor (torch 2.13)"),
        ([7, 9], "GPU 0, 10 of 16 GB free; GPU 1, 10 of 16 GB free, bf16"),
    ],
)
def test_each_gpu_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], generations: list[int], printed: str
) -> None:
    cuda = SimpleNamespace(
        is_available=lambda: bool(generations),
        device_count=lambda: len(generations),
        mem_get_info=lambda _: (10e9, 16e9),
        get_device_capability=lambda number: (generations[number], 0),
        get_device_name=lambda number: f"GPU {number}",
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, __version__="2.13"))
    exec(doctor._TORCH, {})
    assert capsys.readouterr().out == f"{printed}\n"
