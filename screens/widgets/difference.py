"""What differs between two texts, for reading: + before what is new, - before what is gone, with and without colour."""

from screens.widgets.text_view import Span
from studio.text_differences import Line, differences

_SIGNS = {"same": "  ", "added": "+ ", "removed": "- ", "left out": "  ... "}
_STYLES = {"same": "", "added": "green", "removed": "red", "left out": "dim"}


def difference_spans(before: str, after: str) -> list[Span]:
    """Return the lines that differ, the words that do underlined, with a few lines around them."""
    found = differences(before, after)
    return [span for line in found for span in _line(line)] if found else [Span("Nothing differs.", "italic")]


def _line(line: Line) -> list[Span]:
    style = _STYLES[line.mark]
    pieces = [Span(piece.text, f"{style} bold underline".strip() if piece.changed else style) for piece in line.pieces]
    return [Span(_SIGNS[line.mark], style), *pieces, Span("\n")]
