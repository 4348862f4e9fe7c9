"""A GGUF's tokenizer built from its own metadata; transformers' reading of it loses the pre-tokenizer's rules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gguf import GGUFReader
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence, Split

from studio.errors import StudioError

CONTROL, USER_DEFINED = 3, 4
"""Values of `tokenizer.ggml.token_type`, from the GGUF specification."""

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_SPLIT = LLAMA3_SPLIT.replace(r"\p{N}{1,3}", r"\p{N}")


def write_tokenizer(gguf: Path, folder: Path) -> None:
    """Write `tokenizer.json`, `tokenizer_config.json` and `chat_template.jinja` for a GGUF.

    Raises:
        StudioError: the GGUF's tokenizer is of a kind not known here, or it has no chat template.
    """
    reader = GGUFReader(gguf)
    kind, rules = _required(reader, gguf, "tokenizer.ggml.model"), _field(reader, "tokenizer.ggml.pre") or "default"
    if kind != "gpt2" or rules not in PRE_TOKENIZERS:
        raise StudioError(
            f"{gguf.name} has a tokenizer ({kind}, {rules}) that can't be rebuilt here without guessing. "
            "Use the model's Hugging Face folder instead."
        )
    template = _field(reader, "tokenizer.chat_template")
    tokens: list[str] = _required(reader, gguf, "tokenizer.ggml.tokens")
    tokenizer = _build(tokens, _required(reader, gguf, "tokenizer.ggml.merges"), str(rules))
    _add_special(tokenizer, tokens, _required(reader, gguf, "tokenizer.ggml.token_type"))
    tokenizer.save(str(folder / "tokenizer.json"))
    if template:  # a base model has none, and the project must give it one
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    config = _config(reader, tokens)
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")


def _digits() -> PreTokenizer:
    # What `smollm` means: every digit is a token of its own before the byte-level rules look at the text.
    return Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])


def _split(pattern: str) -> PreTokenizer:
    return Sequence(
        [Split(Regex(pattern), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)],
    )


PRE_TOKENIZERS: dict[str, Callable[[], PreTokenizer]] = {
    "smollm": _digits,
    "gpt-2": lambda: ByteLevel(add_prefix_space=False),
    "default": lambda: ByteLevel(add_prefix_space=False),
    "llama-bpe": lambda: _split(LLAMA3_SPLIT),
    "qwen2": lambda: _split(QWEN2_SPLIT),
}
"""How text is cut before merging, for each known value of `tokenizer.ggml.pre`."""


def _build(tokens: list[str], merges: list[str], rules: str) -> Tokenizer:
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    model = models.BPE(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=pairs,
        ignore_merges=rules == "llama-bpe",
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[rules]()
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _add_special(tokenizer: Tokenizer, tokens: list[str], kinds: list[int]) -> None:
    for token, kind in zip(tokens, kinds, strict=True):
        if kind == CONTROL:
            tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)])
        elif kind == USER_DEFINED:
            tokenizer.add_tokens([AddedToken(token, special=False, normalized=False)])


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
