"""What differs between two texts: by lines, and by words within the lines that were changed."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

MOST_COMPARED = 1_000
"""Lines, or words of a line, between what both have at their ends; of more only that they differ is told."""

LINES_AROUND = 2
AROUND = 80
"""Characters of a long line that are shown before and after what was changed in it."""

LONGEST_WORD = 40

MOST_CHARACTERS = 50_000
"""A changed part of a line that is longer is not taken apart into words."""

MOST_WORDS = 1_500
"""Longer texts are compared by sentences first, and passages that are longer are marked whole."""

FEWEST_IN_COMMON = 3

# Without spaces between words: there each character is one.
_CHARACTERS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD_AND_SPACE = re.compile(rf"\s*(?:[{_CHARACTERS}]|[^\W{_CHARACTERS}]+(?:['’]\w+)*|[^\w\s])|\s+")
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[\n。！？])|(?<=[.!?] )")

Mark = Literal["same", "removed", "added", "left out"]


@dataclass(frozen=True)
class Piece:
    """A part of a line; one that is `changed` is what the other text does not have."""

    text: str
    changed: bool = False


@dataclass(frozen=True)
class Line:
    """A line of one of the texts, or, left out, a word on how many both have."""

    mark: Mark
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(piece.text for piece in self.pieces)


def differences(before: str, after: str) -> list[Line]:
    """Return the lines that differ, with a few of those around them; none where the texts are the same."""
    if before == after:
        return []
    old, new = before.split("\n"), after.split("\n")
    found: list[Line] = []
    for tag, i, j, k, m in _steps(old, new):
        if tag == "equal":
            found += [Line("same", (Piece(line),)) for line in old[i:j]]
        else:
            found += _changed(old[i:j], new[k:m])
    return list(_without_far(found))


def words_of_one(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Return both texts whole, in pieces; what the other one lacks at that place is `changed`."""
    if one == other:
        return [Piece(one)], [Piece(other)]
    left, right = _WORD_AND_SPACE.findall(one), _WORD_AND_SPACE.findall(other)
    if max(len(left), len(right)) <= MOST_WORDS:
        return _by_words(left, right)
    return _by_sentences(_SENTENCE_END.split(one), _SENTENCE_END.split(other))


def _by_sentences(one: list[str], other: list[str]) -> tuple[list[Piece], list[Piece]]:
    """Compare long texts by lines and sentences, and only what lies between equal ones by words."""
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, i, j, k, m in _steps(one, other):
        old, new = "".join(one[i:j]), "".join(other[k:m])
        words = _WORD_AND_SPACE.findall(old), _WORD_AND_SPACE.findall(new)
        if tag != "equal" and max(map(len, words)) <= MOST_WORDS:
            found = _by_words(*words)
        else:
            found = [Piece(old, tag != "equal")], [Piece(new, tag != "equal")]
        left += [piece for piece in found[0] if piece.text]
        right += [piece for piece in found[1] if piece.text]
    return left, right


def _by_words(one: list[str], other: list[str]) -> tuple[list[Piece], list[Piece]]:
    # Words that a long text is full of anchor nothing (autojunk), which also keeps this quick.
    matcher = SequenceMatcher(None, [w.strip() for w in one], [w.strip() for w in other])
    left: list[Piece] = []
    right: list[Piece] = []
    steps = matcher.get_opcodes()
    for number, (tag, i, j, k, m) in enumerate(steps):
        # A word in common between two passages that differ is chance, and marks around it can't be read.
        alone = tag == "equal" and j - i < FEWEST_IN_COMMON and 0 < number < len(steps) - 1
        for pieces, words in ((left, one[i:j]), (right, other[k:m])):
            _add(pieces, "".join(words), changed=tag != "equal" or alone)
    return left, right


def _add(pieces: list[Piece], text: str, *, changed: bool) -> None:
    if pieces and pieces[-1].changed == changed:
        pieces[-1] = Piece(pieces[-1].text + text, changed)
    elif text:
        pieces.append(Piece(text, changed))


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield what is equal and what is not; the equal ends first, for they are most of what people leave."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if head:
        yield "equal", 0, head, 0, head
    if len(middle_old) <= MOST_COMPARED and len(middle_new) <= MOST_COMPARED:
        for tag, i, j, k, m in SequenceMatcher(None, middle_old, middle_new, autojunk=False).get_opcodes():
            yield tag, i + head, j + head, k + head, m + head
    else:
        yield "replace", head, len(old) - tail, head, len(new) - tail
    if tail:
        yield "equal", len(old) - tail, len(old), len(new) - tail, len(new)


def _changed(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    removed, added = [], []
    for one, other in zip_longest(old, new):
        if one is not None and other is not None:
            left, right = _words(one, other)
        else:
            left, right = (Piece(one or "", True),), (Piece(other or "", True),)
        removed += [] if one is None else [Line("removed", left)]
        added += [] if other is None else [Line("added", right)]
    return removed + added


def _words(one: str, other: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    head = _word_border(one, _common(one, other))
    rest = min(len(one), len(other)) - head
    tail = min(_common_end(one, other), rest)
    old, new = _words_of(one[head : len(one) - tail]), _words_of(other[head : len(other) - tail])
    start, end = Piece(_shortened(one[:head], first=True)), Piece(_shortened(one[len(one) - tail :], last=True))
    left, right = [start], [start]
    for tag, i, j, k, m in _steps(old, new):
        changed = tag != "equal"
        left.append(Piece("".join(old[i:j]) if changed else _shortened("".join(old[i:j])), changed))
        right.append(Piece("".join(new[k:m]) if changed else _shortened("".join(new[k:m])), changed))
    return tuple(p for p in (*left, end) if p.text), tuple(p for p in (*right, end) if p.text)


def _words_of(text: str) -> list[str]:
    return _WORD.findall(text) if len(text) <= MOST_CHARACTERS else [text]


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike; halving, for a text may have a million."""
    return bisect_left(range(min(len(one), len(other))), True, key=lambda n: one[: n + 1] != other[: n + 1])


def _common_end(one: str, other: str) -> int:
    return bisect_left(range(min(len(one), len(other))), True, key=lambda n: one[-1 - n :] != other[-1 - n :])


def _word_border(text: str, at: int) -> int:
    """Return where the word begins that a place is in."""
    for place in range(at, max(at - LONGEST_WORD, 0), -1):
        if not text[place - 1].isalnum():
            return place
    return at if at > LONGEST_WORD else 0


def _shortened(text: str, *, first: bool = False, last: bool = False) -> str:
    """Return what both lines say without what is far from a change, which in a line may be a megabyte."""
    start, end = (0 if first else AROUND), (0 if last else AROUND)
    left_out = len(text) - start - end
    if left_out <= 4 * AROUND:
        return text
    return f"{text[:start]} ... {left_out:,} characters the same ... {text[len(text) - end :]}"


def _without_far(lines: list[Line]) -> Iterator[Line]:
    near = bytearray(len(lines))
    for number, line in enumerate(lines):
        if line.mark != "same":
            begin = max(0, number - LINES_AROUND)
            end = min(len(lines), number + LINES_AROUND + 1)
            near[begin:end] = b"\1" * (end - begin)
    left_out = 0
    for number, line in enumerate(lines):
        if near[number]:
            if left_out:
                yield _left_out(left_out)
            left_out = 0
            yield line
        else:
            left_out += 1
    if left_out:
        yield _left_out(left_out)


def _left_out(number: int) -> Line:
    return Line("left out", (Piece(f"{number:,} {'line' if number == 1 else 'lines'} the same"),))
