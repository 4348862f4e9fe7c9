"""A GGUF's tokenizer built from its own metadata; transformers' reading of it loses the pre-tokenizer's rules."""

import json
from pathlib import Path
from typing import Any

from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models

from studio.errors import StudioError
from studio.named_templates import together
from studio.training.base import sentence_pieces
from studio.training.base.pre_tokenizers import PATTERNS, WHOLE_WORDS, pre_tokenizer

UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
"""Values of `tokenizer.ggml.token_type`, from the GGUF specification."""

BYTES, PIECES = "gpt2", "llama"
"""Values of `tokenizer.ggml.model` that are known here."""

ENDINGS = frozenset(
    {"<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>", "</s>"}
    | {"<|eom_id|>", "<EOT>", "_<EOT>", "<|end_of_text|>", "<end_of_utterance>", "<｜end▁of▁sentence｜>"}
)
"""Tokens that llama.cpp takes for control tokens whatever the GGUF says, since answers end with them."""

HARMONY = frozenset({"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"})
"""Tokens that llama.cpp takes for text of a model's own, whatever the GGUF says."""

WITHOUT_STRIPPING = frozenset({"<unk>", "<s>", "<|endoftext|>"})
"""The special tokens of Phi-3 that don't swallow the spaces after them."""


def write_tokenizer(gguf: Path, folder: Path) -> None:
    """Write `tokenizer.json`, `tokenizer_config.json` and `chat_template.jinja` for a GGUF.

    Raises:
        StudioError: the GGUF's tokenizer is of a kind not known here, or it has none.
    """
    reader = GGUFReader(gguf)
    tokens: list[str] = _required(reader, gguf, "tokenizer.ggml.tokens")
    kinds: list[int] = _required(reader, gguf, "tokenizer.ggml.token_type")
    tokenizer = _build(reader, gguf, tokens, kinds)
    _add_special(tokenizer, tokens, kinds, swallow=_swallows_spaces(reader))
    tokenizer.save(str(folder / "tokenizer.json"))
    keys = {"default": "tokenizer.chat_template", "tool_use": "tokenizer.chat_template.tool_use"}
    template = together({name: _field(reader, key) for name, key in keys.items()})
    if template:  # a base model has none, and the project must give it one
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    config = _config(reader, tokens)
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")


def _build(reader: GGUFReader, gguf: Path, tokens: list[str], kinds: list[int]) -> Tokenizer:
    kind, rules = _required(reader, gguf, "tokenizer.ggml.model"), _field(reader, "tokenizer.ggml.pre") or "default"
    if kind == PIECES:
        scores = _required(reader, gguf, "tokenizer.ggml.scores")
        prefix = _field(reader, "tokenizer.ggml.add_space_prefix")
        unknown = _field(reader, "tokenizer.ggml.unknown_token_id")
        return sentence_pieces.build(tokens, scores, kinds, unknown, prefix=prefix is None or bool(prefix))
    if kind != BYTES or rules not in PATTERNS:
        raise StudioError(
            f"{gguf.name} has a tokenizer ({kind}, {rules}) that can't be rebuilt here without guessing.",
            "Use the model's Hugging Face folder instead.",
        )
    return _build_bytes(tokens, _required(reader, gguf, "tokenizer.ggml.merges"), str(rules))


def _build_bytes(tokens: list[str], merges: list[str], rules: str) -> Tokenizer:
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs, ignore_merges=rules in WHOLE_WORDS))
    tokenizer.pre_tokenizer = pre_tokenizer(rules)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _add_special(tokenizer: Tokenizer, tokens: list[str], kinds: list[int], *, swallow: bool) -> None:
    def added(*wanted: int, special: bool) -> list[AddedToken]:
        return [
            AddedToken(token, special=special, normalized=False, rstrip=swallow and token not in WITHOUT_STRIPPING)
            for token, kind in zip(tokens, kinds, strict=True)
            if _kind(token, kind) in wanted
        ]

    tokenizer.add_special_tokens(added(CONTROL, UNKNOWN, special=True))
    tokenizer.add_tokens(added(USER_DEFINED, special=False))


def _kind(token: str, kind: int) -> int:
    if token in ENDINGS:
        return CONTROL
    return USER_DEFINED if token in HARMONY else kind


def _swallows_spaces(reader: GGUFReader) -> bool:
    # llama.cpp knows these models by their name alone.
    name = str(_field(reader, "general.name") or "").lower()
    return "phi-3" in name or "phi3" in name


def _config(reader: GGUFReader, tokens: list[str]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": _field(reader, f"{_field(reader, 'general.architecture')}.context_length"),
    }
    for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        number = _field(reader, f"tokenizer.ggml.{key}_token_id")
        if number is not None:
            config[f"{name}_token"] = tokens[number]
    config.setdefault("pad_token", config.get("eos_token"))
    return config


def _required(reader: GGUFReader, gguf: Path, key: str) -> Any:
    value = _field(reader, key)
    if value is None:
        raise StudioError(f"{gguf.name} lacks {key}: it is no complete model.")
    return value


def _field(reader: GGUFReader, key: str) -> Any:
    found = reader.get_field(key)
    return None if found is None else found.contents()
