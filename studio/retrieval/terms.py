"""Words of a text as expressions of the full-text index."""

import re
from collections.abc import Iterable

from store.unspaced import apart

MOST_TERMS = 64
_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, in small letters; each Chinese or Japanese sign is one."""
    return [word.lower() for word in _WORD.findall(apart(text))]


def any_of(words: Iterable[str]) -> str:
    """Return an expression that finds what has any of some words or runs of words; empty for none."""
    return " OR ".join(f'"{word}"' for word in words)


def expression_of(text: str) -> str:
    """Return an expression that finds what shares words with a text; empty where it has none."""
    return any_of(list(dict.fromkeys(words_of(text)))[:MOST_TERMS])
