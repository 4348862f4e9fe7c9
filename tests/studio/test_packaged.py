"""Models that come as packages: one in parts is put together once, and a damaged one is refused."""

import hashlib
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.packaged import PACKAGED, Packaged, installed

WHOLE = b"GGUF" + bytes(range(256)) * 3000


@pytest.fixture
def in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    modules = ("small_model_in_parts_one", "small_model_in_parts_two")
    for module, part in zip(modules, (WHOLE[:5000], WHOLE[5000:]), strict=True):
        (tmp_path / module / "data").mkdir(parents=True)
        (tmp_path / module / "__init__.py").touch()
        (tmp_path / module / "data" / "part").write_bytes(part)
    monkeypatch.syspath_prepend(str(tmp_path))
    parts = tuple((module, "data/part") for module in modules)
    return Packaged("small-model", "small.gguf", parts, hashlib.sha256(WHOLE).hexdigest())


def test_parts_become_one_file_once(in_parts: Packaged, tmp_path: Path) -> None:
    source = in_parts.source(tmp_path / "cache")
    assert source.read_bytes() == WHOLE
    made = source.stat().st_mtime_ns
    assert in_parts.source(tmp_path / "cache") == source
    assert source.stat().st_mtime_ns == made


def test_a_damaged_package_is_refused_and_leaves_nothing(in_parts: Packaged, tmp_path: Path) -> None:
    (tmp_path / "small_model_in_parts_two" / "data" / "part").write_bytes(b"else")
    with pytest.raises(StudioError, match="damaged"):
        in_parts.source(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_what_is_not_installed_is_said_and_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Packaged("small-model", "small.gguf", (("no_such_module_here", "small.gguf"),))
    monkeypatch.setitem(PACKAGED, "absent", absent)
    assert "absent" not in installed()
    with pytest.raises(StudioError, match="small-model is not installed"):
        absent.source(tmp_path)
