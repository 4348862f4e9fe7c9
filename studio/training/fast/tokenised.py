"""Rows rendered and tokenised once for each snapshot, template, tokenizer and what the recipe says of them."""

import hashlib
import inspect
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import orjson
import zstandard

from store import examples
from studio import chat_template, chat_templates, encoding, rendering, special_tokens
from studio.rendering import ChatTokenizer
from studio.training.fast import cache
from studio.training.recipe import Recipe, settings
from studio.training.rows import data, turns
from studio.training.rows.data import Tokenised, read_rows, tokenise, with_shared_numbers
from studio.training.rows.telling import Say, silently, told

_CHANGES_BY_THE_DAY = b"strftime_now"
"""A template that writes the date renders otherwise tomorrow."""


def tokenised(
    tokenizer: ChatTokenizer, recipe: Recipe, rows: Path, tokenizer_folder: Path, say: Say = silently
) -> Tokenised:
    """Return a split's rows as the trainer takes them, from the cache where they are in it; say how many are done."""
    name = _name(recipe, rows, tokenizer_folder)
    kept = cache.read("tokenised", name) if name else None
    if kept is not None:
        found = Tokenised(**orjson.loads(zstandard.decompress(kept)))
        found.rows[:] = map(with_shared_numbers, found.rows)
        return found
    made = tokenise(tokenizer, recipe, told(read_rows(rows), say))
    if name:
        cache.write("tokenised", name, zstandard.compress(orjson.dumps(made), 1))
    return made


def _name(recipe: Recipe, rows: Path, tokenizer_folder: Path) -> str:
    """Return what the result hangs on, as a name; empty where it hangs on the day too."""
    of_data = {each.name: getattr(recipe, each.name) for each in settings(recipe.method) if each.group == "data"}
    digest = hashlib.sha256(repr((recipe.method, of_data)).encode())
    for content in _contents(tokenizer_folder):
        if _CHANGES_BY_THE_DAY in content:
            return ""
        digest.update(hashlib.sha256(content).digest())
    # The code that renders counts too: what an earlier version made is not what this one makes.
    for module in (rendering, encoding, special_tokens, chat_template, chat_templates, examples, data, turns):
        digest.update(inspect.getsource(module).encode())
    digest.update(repr([version(package) for package in ("jinja2", "tokenizers")]).encode())
    with rows.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{digest.hexdigest()[:32]}.zst"


def _contents(folder: Path) -> Iterator[bytes]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path.name.encode()
        yield path.read_bytes()
