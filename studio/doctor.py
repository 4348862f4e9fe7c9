"""What this machine has and lacks for the studio's work, and what to do about it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from studio.errors import StudioError

Level = Literal["ok", "warn", "error"]

PACKAGES = (
    "textual",
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "tokenizers",
    "llama-cpp-python",
    "gguf",
    "sqlite-utils",
)
FREE_DISK_GB = 3
FREE_MEMORY_GB = 4
PROBE_SECONDS = 120
_DEVICES = Path("/dev")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `advice` is empty where nothing need be done."""

    level: Level
    name: str
    text: str
    advice: str = ""


def examine(folder: Path) -> list[Finding]:
    """Look at the machine; heavy packages are tried in child processes, so that a crash is a finding."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _compiler,
        lambda: _disk(folder),
        _memory,
        _processor,
        _packages,
        _torch,
        _llama,
        _converter,
        _model,
        _project(folder),
    )
    return [finding for check in checks for finding in check()]


def _python() -> Iterator[Finding]:
    yield Finding("ok", "python", f"{platform.python_version()} at {sys.executable}")


def _compiler() -> Iterator[Finding]:
    found = next((path for name in ("c++", "g++", "clang++") if (path := shutil.which(name))), None)
    if found:
        yield Finding("ok", "compiler", found)
    elif importlib.util.find_spec("llama_cpp"):
        yield Finding("ok", "compiler", "none, and none is needed: llama-cpp-python is installed")
    else:
        yield Finding("error", "compiler", "no C++ compiler", "Install one (Debian, Ubuntu: apt install g++).")


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free / 1e9
    low = free < FREE_DISK_GB
    advice = f"A run with its checkpoints needs about {FREE_DISK_GB} GB." if low else ""
    yield Finding("warn" if low else "ok", "disk", f"{free:.1f} GB free", advice)


def _memory() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    low = memory.available / 1e9 < FREE_MEMORY_GB
    advice = "Training the default model peaks at about 3.3 GB; close other programs." if low else ""
    text = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB available"
    yield Finding("warn" if low else "ok", "memory", text, advice)


def _processor() -> Iterator[Finding]:
    flags = _processor_flags()
    has = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    yield Finding("ok", "processor", f"{os.cpu_count()} threads; {', '.join(has) or platform.machine()}")


def _processor_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())


def _packages() -> Iterator[Finding]:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    yield Finding("ok", "packages", ", ".join(versions))
    if missing:
        yield Finding("error", "packages", f"missing: {', '.join(missing)}", "Run `make demo` or pip install again.")


_NO_GPU = "no CUDA GPU"
_TORCH = f"""
import torch
found = []
for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
    bf16 = ", bf16" if torch.cuda.get_device_capability(number)[0] >= 8 else ""
    try:
        free, total = (size / 1e9 for size in torch.cuda.mem_get_info(number))
        memory = f"{{free:.0f}} of {{total:.0f}} GB free"
    except RuntimeError:
        memory = "no memory free to ask it how much is"
    found.append(f"{{torch.cuda.get_device_name(number)}}, {{memory}}{{bf16}}")
print("; ".join(found) or f"{_NO_GPU}; training runs on the processor (torch {{torch.__version__}})")
"""
_ON_GPUS = {"bitsandbytes": "bitsandbytes", "liger-kernel": "liger_kernel", "nvidia-ml-py": "pynvml"}
"""Packages that training on a GPU has a use for, and what is imported of them."""


def _torch() -> Iterator[Finding]:
    found = _probe("training", _TORCH, "Install torch again, with the version in constraints.txt.")
    yield found
    if found.level == "ok":
        yield from _gpu(torch_sees_one=not found.text.startswith(_NO_GPU))


def _gpu(*, torch_sees_one: bool) -> Iterator[Finding]:
    if not torch_sees_one:
        if any(_DEVICES.glob("nvidia[0-9]*")):
            advice = "Install torch's CUDA build, which PyPI has; docs/install.md says more."
            yield Finding("warn", "gpu", "an NVIDIA GPU is here, and this torch can't use it", advice)
        return
    missing = [name for name, module in _ON_GPUS.items() if importlib.util.find_spec(module) is None]
    if missing:
        advice = 'pip install "tuning-studio[gpu]"; docs/install.md says more.'
        yield Finding("warn", "gpu", f"not installed: {', '.join(missing)}", advice)


def _llama() -> Iterator[Finding]:
    script = "import llama_cpp\nprint(f'llama.cpp loads; GPU offload {llama_cpp.llama_supports_gpu_offload()}')\n"
    yield _probe(
        "inference",
        script,
        'Build it again for any processor: CMAKE_ARGS="-DGGML_NATIVE=OFF" pip install --force-reinstall'
        " --no-cache-dir --no-deps llama-cpp-python",
    )


def _probe(name: str, script: str, advice: str) -> Finding:
    try:
        child = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding("error", name, f"did not answer in {PROBE_SECONDS} s", advice)
    if child.returncode == 0:
        return Finding("ok", name, child.stdout.strip().splitlines()[-1])
    if child.returncode < 0:
        return Finding("error", name, f"crashed with {signal.Signals(-child.returncode).name}", advice)
    last_line = (child.stderr.strip().splitlines() or ["failed without a word"])[-1]
    return Finding("error", name, last_line, advice)


def _converter() -> Iterator[Finding]:
    from studio.inference.gguf.conversion import check_converter, converter_folder

    try:
        check_converter()
    except StudioError as error:
        yield Finding("warn", "converter", f"{error.message} Hugging Face folders can't be chatted with.", error.hint)
    else:
        yield Finding("ok", "converter", f"Hugging Face folders become GGUF files by {converter_folder()}")


def _model() -> Iterator[Finding]:
    from studio.models import is_prepared, resolve
    from studio.settings import DEFAULT_MODEL

    try:
        model = resolve(DEFAULT_MODEL)
    except StudioError as error:
        yield Finding("warn", "model", error.message, error.hint)
        return
    state = "prepared for training" if is_prepared(model) else "to be prepared at the first run (about 20 s)"
    yield Finding("ok", "model", f"{DEFAULT_MODEL} at {model.source}, {state}")


def _project(folder: Path) -> Callable[[], Iterator[Finding]]:
    from studio.project import is_project, open_project

    def check() -> Iterator[Finding]:
        if not is_project(folder):
            return
        try:
            with open_project(folder).open_store() as store:
                result = store.connection.execute("PRAGMA quick_check").fetchone()[0]
        except StudioError as error:
            yield Finding("error", "project", error.message, error.hint)
            return
        except sqlite3.Error as error:
            result = str(error)
        sound = result == "ok"
        advice = "" if sound else "Restore studio.db from a backup."
        yield Finding("ok" if sound else "error", "project", f"studio.db: {result}", advice)

    return check
