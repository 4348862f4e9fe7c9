"""A GGUF's tokenizer rebuilt reads text as llama.cpp does, for each kind that is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_ggufs import TEXTS, bytes_gguf, pieces_gguf
from tokenizers import Tokenizer

from studio.errors import StudioError
from studio.training.base.gguf_tokenizer import write_tokenizer
from studio.training.base.pre_tokenizers import PATTERNS, pre_tokenizer


@contextmanager
def llama(gguf: Path) -> Iterator[Any]:
    from llama_cpp import Llama

    model = Llama(str(gguf), vocab_only=True, verbose=False)
    try:
        yield model
    finally:
        model.close()


def rebuilt(gguf: Path, folder: Path) -> Tokenizer:
    write_tokenizer(gguf, folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def check(gguf: Path, folder: Path) -> Tokenizer:
    tokenizer = rebuilt(gguf, folder)
    with llama(gguf) as model:
        for text in TEXTS:
            for special in (True, False):
                tokenizer.encode_special_tokens = not special
                theirs = model.tokenize(text.encode(), add_bos=False, special=special) if text else []
                assert tokenizer.encode(text, add_special_tokens=False).ids == theirs, (text, special)
    return tokenizer


@pytest.mark.parametrize("rules", PATTERNS)
def test_bytes_are_cut_and_merged_as_llama_cpp_does(rules: str, tmp_path: Path) -> None:
    tokenizer = check(bytes_gguf(rules, tmp_path / "small.gguf"), tmp_path)
    assert all(tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text for text in TEXTS)


@pytest.mark.parametrize(("rules", "others"), [("llama-bpe", "gpt-2"), ("gpt-2", "smollm"), ("falcon", "default")])
def test_other_rules_read_the_same_texts_otherwise(rules: str, others: str, tmp_path: Path) -> None:
    gguf = bytes_gguf(rules, tmp_path / "small.gguf")
    tokenizer = rebuilt(gguf, tmp_path)
    tokenizer.pre_tokenizer = pre_tokenizer(others)
    with llama(gguf) as model:
        assert any(
            tokenizer.encode(text).ids != model.tokenize(text.encode(), add_bos=False, special=True) for text in TEXTS
        ), "these texts can't tell the two apart, so they prove nothing"


@pytest.mark.parametrize("prefix", [True, False])
def test_pieces_are_merged_by_their_scores_as_llama_cpp_does(prefix: bool, tmp_path: Path) -> None:
    tokenizer = check(pieces_gguf(tmp_path / "small.gguf", prefix=prefix), tmp_path)
    text = "The order, naïve 漢字 is ok"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_special_tokens_of_phi_3_swallow_the_spaces_after_them(tmp_path: Path) -> None:
    tokenizer = check(pieces_gguf(tmp_path / "small.gguf", prefix=False, swallows=True), tmp_path)
    assert tokenizer.encode("[INST]   order").ids == tokenizer.encode("[INST]order").ids


def test_an_unknown_kind_is_refused_and_a_broken_file_too(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="without guessing"):
        write_tokenizer(bytes_gguf("gpt-2", tmp_path / "small.gguf", written="poro-9"), tmp_path)
