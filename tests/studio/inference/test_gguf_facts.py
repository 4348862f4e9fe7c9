"""What a GGUF says of itself is read from its head, and a broken file is said to be one."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli import cli
from studio.errors import StudioError
from studio.inference.gguf import describe
from studio.inference.gguf.header import read_header
from studio.models import BaseModel


def test_the_default_model_is_described(base_model: BaseModel) -> None:
    facts = describe(base_model.source)
    assert (facts.kind, facts.architecture, facts.quantisation) == ("model", "llama", "Q4_1")
    assert (facts.tokenizer, facts.vocabulary, facts.context) == ("gpt2, smollm", 49152, 8192)
    assert 134_000_000 < facts.parameters < 135_000_000
    assert facts.special == {"bos": 1, "eos": 2, "pad": 2, "unknown": 0}
    assert "<|im_start|>" in facts.chat_template
    assert sum(facts.tensors.values()) == len(read_header(base_model.source).tensors)


@pytest.mark.parametrize("kept", [0, 3, 20, 400, 100_000])
def test_a_file_that_breaks_off_is_said_to(kept: int, base_model: BaseModel, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    with base_model.source.open("rb") as file:
        cut.write_bytes(file.read(kept))
    with pytest.raises(StudioError, match="no whole GGUF"):
        describe(cut)


def test_a_head_that_promises_more_than_any_model_has_is_refused(tmp_path: Path) -> None:
    endless = tmp_path / "endless.gguf"
    endless.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + b"\xff" * 64)
    with pytest.raises(StudioError, match="no whole GGUF"):
        describe(endless)


def test_the_command_shows_it(base_model: BaseModel) -> None:
    shown = CliRunner().invoke(cli, ["convert", "--show", str(base_model.source)])
    assert shown.exit_code == 0
    assert "Q4_1" in shown.output
    assert "134,515,008 parameters" in shown.output
