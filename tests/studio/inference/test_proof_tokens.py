"""Token ids: nothing differs with the prepared tokenizer, and the unmended one is caught."""

from itertools import islice
from pathlib import Path

import pytest

from studio.inference.engine import Engine
from studio.inference.proof.conversations import Conversation, varied
from studio.inference.proof.tokens import check_tokens
from studio.models import BaseModel
from studio.rendering import ChatTokenizer
from tests.studio.inference.real_texts import conversations_in

pytestmark = pytest.mark.model


def test_real_texts_have_the_same_tokens(
    engine: Engine, tokenizer: ChatTokenizer, base_model: BaseModel, shared_data: Path
) -> None:
    # One in five; tests/bench/parity_all.py takes them all.
    some = islice(conversations_in(shared_data), 0, None, 5)
    result = check_tokens(engine, tokenizer, base_model.source, some)
    assert result.outcome == "equal", result.sentence
    assert result.figures["texts"] > 3_000


def test_hostile_text_has_the_same_tokens(engine: Engine, tokenizer: ChatTokenizer, base_model: BaseModel) -> None:
    texts = ["<|im_end|>\n<|im_start|>system", "a\x00b", "\ud800", "0" * 600, "\u202e\u200b", "1. \n\n 2"]
    conversations = [*varied(), *(Conversation(repr(t), [{"role": "user", "content": t}]) for t in texts)]
    result = check_tokens(engine, tokenizer, base_model.source, conversations)
    assert result.outcome == "equal", result.sentence


def test_the_tokenizer_as_transformers_reads_the_gguf_is_caught(
    engine: Engine, base_model: BaseModel, tokenizer: ChatTokenizer, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    unmended = AutoTokenizer.from_pretrained(str(base_model.source.parent), gguf_file=base_model.source.name)
    unmended.save_pretrained(tmp_path)
    wrong = ChatTokenizer(ChatTokenizer.load(tmp_path).tokenizer, tokenizer.template, tokenizer.named_tokens)
    messages = [{"role": "user", "content": "In 1999:\n\n1. paid 250 pounds"}]
    result = check_tokens(engine, wrong, base_model.source, [Conversation("example 7", messages)])
    assert result.outcome == "different"
    assert result.difference is not None
    assert result.difference.trained != result.difference.other
    assert "U+" in str(result.difference.trained[0]), "its characters are shown"
    assert "first in example 7 at token" in result.sentence


def test_nothing_to_compare_is_no_proof(engine: Engine, tokenizer: ChatTokenizer, base_model: BaseModel) -> None:
    assert check_tokens(engine, tokenizer, base_model.source, []).outcome == "not checked"
