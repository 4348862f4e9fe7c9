"""Before anything is installed: what a machine lacks is said in one sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "preflight.sh"
TOOLS = ("sh", "df", "awk", "env")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PATH that holds a shell's needs, a Python without llama_cpp, and no compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    # The base interpreter: the environment's own has llama_cpp, and then no compiler is needed.
    (folder / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    return folder


def preflight(path: Path, python: str, *, free: str | None = None) -> tuple[int, str]:
    if free is not None:
        df = path / "df"
        df.unlink()
        df.write_text(f"#!{path}/sh\necho header\necho disk 9 9 {free} 9 /\n", encoding="utf-8")
        df.chmod(0o755)
    environment = {"PATH": str(path), "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [str(path / "sh"), str(SCRIPT), python, str(path)], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def fake(path: Path, name: str, text: str) -> None:
    (path / name).write_text(f"#!{path}/sh\n{text}\n", encoding="utf-8")
    (path / name).chmod(0o755)


def test_a_missing_compiler_is_said(bare: Path) -> None:
    status, said = preflight(bare, "python3")
    assert status == 1
    assert "no C++ compiler" in said
    assert len(said.splitlines()) == 1


def test_a_machine_with_all_passes(bare: Path) -> None:
    fake(bare, "g++", "exit 0")
    assert preflight(bare, "python3") == (0, "")


def test_an_old_python_is_said(bare: Path) -> None:
    fake(bare, "oldpython", 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac')
    status, said = preflight(bare, "oldpython")
    assert status == 1
    assert "is Python 3.9.2; Python 3.11 or newer is needed" in said


def test_no_python_is_said(bare: Path) -> None:
    status, said = preflight(bare, "nopython")
    assert (status, "there is no nopython" in said) == (1, True)


def test_no_disk_is_said(bare: Path) -> None:
    fake(bare, "g++", "exit 0")
    status, said = preflight(bare, "python3", free="812")
    assert status == 1
    assert "812 MB free" in said
