"""Parity: nothing differs with the prepared tokenizer, and the unmended one is caught."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.inference.engine import Engine
from studio.inference.parity import Conversation, check
from studio.models import BaseModel
from studio.rendering import ChatTokenizer

pytestmark = pytest.mark.model


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _rows(path: Path) -> list[Any]:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def _conversations(folder: Path, files: str = "*.*") -> Iterator[Conversation]:
    for path in sorted(folder.glob(files)):
        if path.suffix not in (".json", ".jsonl", ".csv"):
            continue
        for number, row in enumerate(_rows(path), 1):
            asked, answered = "\n".join(_strings(row)), next(_strings(row), "")
            messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
            yield Conversation(f"{path.name}:{number}", messages)


def test_every_real_text_has_the_same_tokens(
    engine: Engine, tokenizer: ChatTokenizer, base_model: BaseModel, shared_data: Path
) -> None:
    result = check(engine, tokenizer, base_model.source, _conversations(shared_data))
    assert result.equal, result.sentence
    assert result.texts > 10_000


def test_hostile_text_has_the_same_tokens(engine: Engine, tokenizer: ChatTokenizer, base_model: BaseModel) -> None:
    texts = ["<|im_end|>\n<|im_start|>system", "a\x00b", "\ud800", "0" * 600, "\u202e\u200b", "1. \n\n 2"]
    conversations = [Conversation(repr(t), [{"role": "user", "content": t}]) for t in texts]
    result = check(engine, tokenizer, base_model.source, conversations)
    assert result.equal, result.sentence


def test_the_tokenizer_as_transformers_reads_the_gguf_is_caught(
    engine: Engine, base_model: BaseModel, tokenizer: ChatTokenizer, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    unmended = AutoTokenizer.from_pretrained(str(base_model.source.parent), gguf_file=base_model.source.name)
    unmended.save_pretrained(tmp_path)
    wrong = ChatTokenizer(ChatTokenizer.load(tmp_path).tokenizer, tokenizer.template, tokenizer.named_tokens)
    messages = [{"role": "user", "content": "In 1999:\n\n1. paid 250 pounds"}]
    result = check(engine, wrong, base_model.source, [Conversation("example 7", messages)])
    assert not result.equal
    assert result.first_difference is not None
    assert result.first_difference.trained != result.first_difference.llama
    assert "first in example 7 at token" in result.sentence


def test_nothing_to_compare_is_no_proof(engine: Engine, tokenizer: ChatTokenizer, base_model: BaseModel) -> None:
    assert not check(engine, tokenizer, base_model.source, []).equal
