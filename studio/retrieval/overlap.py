"""The longest run of words that two texts share, and where it stands."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

from store.unspaced import apart

MOST_WORDS = 5_000
"""Words of a text that are compared, from its beginning."""
CONTEXT = 80
"""Characters around what an excerpt is about."""
_WORD = re.compile(r"\w+")


class Overlap(NamedTuple):
    """A run of words that two texts share."""

    words: int
    begin: int
    """Where it begins in the second text, in characters; the same as `end` where they share none."""
    end: int


def longest_overlap(one: str, other: str) -> Overlap:
    """Return the longest run of words that two texts share, whatever stands between the words and in whatever case."""
    first = _words(one)
    second = _words(other)
    matcher = SequenceMatcher(None, [w for w, _, _ in first], [w for w, _, _ in second], autojunk=False)
    match = matcher.find_longest_match()
    if not match.size:
        return Overlap(0, 0, 0)
    return Overlap(match.size, second[match.b][1], second[match.b + match.size - 1][2])


def first_of(text: str, words: Iterable[str]) -> Overlap:
    """Return where the first of some words stands that a text has at all."""
    places = {word: (begin, end) for word, begin, end in reversed(_words(text))}
    found = next((places[word] for word in words if word in places), None)
    return Overlap(1, *found) if found else Overlap(0, 0, 0)


def excerpt(text: str, overlap: Overlap) -> str:
    """Return what stands around a shared run, cut between words."""
    begin = text.rfind(" ", 0, max(overlap.begin - CONTEXT, 0)) + 1 if overlap.begin > CONTEXT else 0
    end = text.find(" ", overlap.end + CONTEXT)
    cut = text[begin : len(text) if end < 0 else end]
    return f"{'... ' if begin else ''}{cut}{' ...' if end >= 0 else ''}"


def _words(text: str) -> list[tuple[str, int, int]]:
    """Return each word with where it begins and ends; signs of unspaced writing are words of their own."""
    found: list[tuple[str, int, int]] = []
    for match in _WORD.finditer(text):
        if len(found) >= MOST_WORDS:
            break
        at = match.start()
        if match[0].isascii():
            found.append((match[0].lower(), at, match.end()))
            continue
        for part in apart(match[0]).split():
            begin = text.index(part, at)
            at = begin + len(part)
            found.append((part.lower(), begin, at))
    return found
