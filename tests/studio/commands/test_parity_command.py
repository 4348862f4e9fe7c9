"""`studio parity` says what it needs, and what it can't read."""

from pathlib import Path

import pytest

from studio.cli import main


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 40)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["parity", *map(str, arguments)])
    return int(ended.value.code or 0), capsys.readouterr().err


def test_it_wants_a_run_or_both_files(capsys: pytest.CaptureFixture[str], broken: Path) -> None:
    for arguments in ([], ["--gguf", broken], ["dpo-1", "--gguf", broken]):
        status, said = run(capsys, *arguments)
        assert status == 2
        assert "--tokenizer DIR with --gguf FILE" in said


def test_files_that_can_t_be_read_are_named(
    capsys: pytest.CaptureFixture[str], broken: Path, model_folder: Path
) -> None:
    status, said = run(capsys, "--tokenizer", broken.parent, "--gguf", broken)
    assert status == 1
    assert "tokenizer.json is missing" in said
    status, said = run(capsys, "--tokenizer", model_folder, "--gguf", broken)
    assert status == 1
    assert "broken.gguf can't be read as a GGUF" in said


def test_an_adapter_needs_what_torch_applies_too(
    capsys: pytest.CaptureFixture[str], broken: Path, model_folder: Path
) -> None:
    files = ("--tokenizer", model_folder, "--weights", model_folder, "--gguf", broken, "--adapter", broken)
    status, said = run(capsys, *files)
    assert status == 2
    assert "needs --trained-adapter DIR" in said
