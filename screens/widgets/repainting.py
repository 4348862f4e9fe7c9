"""What must be painted of a line that another one takes the place of: over a slow line what stays is not sent again."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

Char = tuple[str, Style | None]
"""A character with its style."""


def chars_of(strip: Strip) -> list[Char]:
    """Return the characters of a line."""
    return [(char, segment.style) for segment in strip for char in segment.text]


def changed_cells(before: Sequence[Char], after: Sequence[Char]) -> tuple[int, int]:
    """Return the first cell that differs and the one after the last; both lines are of the same width."""
    start, shorter = 0, min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    while 0 < start < shorter and (_may_join(before[start]) or _may_join(after[start])):
        start -= 1
    end = 0
    while end < shorter - start and before[-end - 1] == after[-end - 1]:
        end += 1
    # A part that ends with a joining character would be cut before it: it has no width.
    while end and (_may_join(after[-end]) or (end < len(after) and _may_join(after[-end - 1]))):
        end -= 1
    return _width(after[:start]), _width(after[: len(after) - end])


def _may_join(char: Char) -> bool:
    """Tell whether a character may be joined with the one before it: then the two are painted together."""
    return char[0] > "\u02ff" and char[0] != "\N{HORIZONTAL ELLIPSIS}"


def _width(chars: Sequence[Char]) -> int:
    return cell_len("".join(char for char, _ in chars))
