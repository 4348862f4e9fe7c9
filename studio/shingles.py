"""Texts made comparable: folded to their words, and taken apart into runs of five of them."""

import re
import unicodedata

RUN = 5
"""Words of a shingle; characters where a script has no spaces between words."""

LONGEST = 200_000
"""Characters of a folded text that are compared; a longer one is judged by its beginning."""

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u109f"  # Tibetan, Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


class _Folding(dict[int, int]):
    """Punctuation, spaces and controls to spaces; filled as characters are met."""

    def __missing__(self, code: int) -> int:
        folded = ord(" ") if unicodedata.category(chr(code))[0] in "PZC" else code
        self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Return a text without what makes no difference: case, forms of letters, punctuation and spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(plain.translate(_FOLDING).split())


def shingles(folded: str) -> set[str]:
    """Return the runs of five words of a folded text; one of fewer words is a single run, an empty one has none."""
    compared = folded[:LONGEST]
    words = compared.split() if compared.isascii() else _WORD.findall(compared)
    if not words:
        return set()
    return {" ".join(words[at : at + RUN]) for at in range(max(1, len(words) - RUN + 1))}


def likeness(one: set[str], other: set[str]) -> float:
    """Return the share of runs that two texts have in common, from 0 to 1 (Jaccard)."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0
