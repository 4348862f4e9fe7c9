"""llama.cpp gives parts of a conversation the ids of training, where a tokenizer puts a space before a text."""

from pathlib import Path

import pytest

from studio.inference.engine import Engine
from studio.inference.proof.conversations import Conversation
from studio.inference.proof.tokens import check_tokens
from studio.rendering import ChatTokenizer
from studio.training.base.gguf_tokenizer import write_tokenizer
from tests.small_ggufs import pieces_gguf
from tests.studio.rendering.test_prefixed_tokenizers import HOSTILE, TEMPLATES, TURNS


@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("name", TEMPLATES)
def test_parts_have_the_ids_of_training(tmp_path: Path, engine: Engine, name: str, prefix: bool) -> None:
    gguf = pieces_gguf(tmp_path / "small.gguf", prefix=prefix)
    write_tokenizer(gguf, tmp_path)
    chat = ChatTokenizer.load(tmp_path, TEMPLATES[name])
    texts = [Conversation("whole", TURNS), Conversation("hostile", HOSTILE)]
    assert check_tokens(engine, chat, gguf, texts).outcome == "equal"
