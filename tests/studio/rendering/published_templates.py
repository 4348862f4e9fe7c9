"""The chat templates of real models that TRL ships, and a tokenizer to render them with."""

from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer, models

NAMED = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


def published_templates() -> list[Path]:
    """Return the files, by name."""
    spec = find_spec("trl")
    assert spec
    assert spec.origin
    return sorted((Path(spec.origin).parent / "chat_templates").glob("*.jinja"))


def small_tokenizer() -> Tokenizer:
    """Return a tokenizer that only brings the names of its special tokens."""
    return Tokenizer(models.WordLevel({"<unk>": 0, "<s>": 1, "</s>": 2, "<pad>": 3}, "<unk>"))
