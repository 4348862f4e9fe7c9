"""Prompts as people mistype them: neighbouring keys, doubled, dropped and swapped letters, by a seeded rule."""

import re
from random import Random

VERSION = 1
"""Raised with every change of the rule; the provenance has it."""

LETTERS_A_TYPO = 40
"""One of so many letters goes wrong, and at least one of a prompt."""

SHORTEST = 4
"""Letters of a word that is mistyped: in shorter ones a typo makes another word."""

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_FENCED = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"\S+")
_PLAIN_TOKEN = re.compile(r"[(\"'“‘]*[^\W\d_]+(?:['’-][^\W\d_]+)*[.,;:!?)\"'”’]*")


def mistype(text: str, seed: int) -> str | None:
    """Return a text with a few typos, always the same for a seed; None where no word of it can be mistyped.

    Code, addresses, numbers and words with a capital, which may be names, stay as they are: a typo there changes
    what is asked for.
    """
    chance = Random(seed)
    words = [span for span in _plain_words(text) if span[1] - span[0] >= SHORTEST]
    if not words:
        return None
    letters = sum(end - start for start, end in words)
    number = min(len(words), max(1, letters // LETTERS_A_TYPO))
    for start, end in sorted(chance.sample(words, number), reverse=True):
        text = text[:start] + _mistyped(text[start:end], chance) + text[end:]
    return text


def _plain_words(text: str) -> list[tuple[int, int]]:
    fenced = [match.span() for match in _FENCED.finditer(text)]
    found = []
    for token in _TOKEN.finditer(text):
        inside = any(start <= token.start() < end for start, end in fenced)
        if inside or not _PLAIN_TOKEN.fullmatch(token[0]):
            continue
        found += [
            (token.start() + word.start(), token.start() + word.end())
            for word in _WORD.finditer(token[0])
            if word[0].islower() and _is_latin(word[0])
        ]
    return found


def _is_latin(word: str) -> bool:
    return all(letter < "\u0250" for letter in word)


def _mistyped(word: str, chance: Random) -> str:
    """Return a word with one letter wrong; the first one stays, as it mostly does."""
    ways = [_neighbour, _doubled, _dropped, _swapped]
    chance.shuffle(ways)
    at = chance.randrange(1, len(word))
    return next(mistyped for way in ways if (mistyped := way(word, at, chance)) != word)


def _neighbour(word: str, at: int, chance: Random) -> str:
    letter = word[at].lower()
    row = next((row for row in _ROWS if letter in row), "")
    place = row.find(letter)
    near = [row[other] for other in (place - 1, place + 1) if row and 0 <= other < len(row)]
    if not near:
        return word
    pressed = chance.choice(near)
    return word[:at] + (pressed.upper() if word[at].isupper() else pressed) + word[at + 1 :]


def _doubled(word: str, at: int, chance: Random) -> str:  # noqa: ARG001 (all ways are called alike)
    return word[:at] + word[at] + word[at:]


def _dropped(word: str, at: int, chance: Random) -> str:  # noqa: ARG001 (all ways are called alike)
    return word[:at] + word[at + 1 :]


def _swapped(word: str, at: int, chance: Random) -> str:  # noqa: ARG001 (all ways are called alike)
    other = at + 1 if at + 1 < len(word) else at - 1
    first, last = sorted((at, other))
    if not first:
        return word
    return word[:first] + word[last] + word[first] + word[last + 1 :]
