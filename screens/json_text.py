"""A value as JSON over many lines, its parts told apart by colour, and by weight where there is none."""

import json
import re
from collections.abc import Iterator
from typing import Any

from screens.widgets.text_view import Span

MOST_COLOURED = 60_000
"""Characters; what follows is shown plain, for colouring it would be felt."""

KEY, TEXT, NUMBER, WORD = "bold cyan", "green", "italic magenta", "italic"

_PART = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*+"(?=:))|(?P<text>"(?:[^"\\]|\\.)*+")'
    r"|(?P<number>-?(?:\d[\d.eE+-]*|Infinity)|NaN)|(?P<word>true|false|null)",
    re.DOTALL,
)
_STYLES = {"key": KEY, "text": TEXT, "number": NUMBER, "word": WORD}


def json_spans(value: Any) -> list[Span]:
    """Return a value as JSON, indented and coloured."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return [*_coloured(text[:MOST_COLOURED]), Span(text[MOST_COLOURED:])]


def _coloured(text: str) -> Iterator[Span]:
    at = 0
    for part in _PART.finditer(text):
        if part.start() > at:
            yield Span(text[at : part.start()])
        assert part.lastgroup is not None
        yield Span(part.group(), _STYLES[part.lastgroup])
        at = part.end()
    if at < len(text):
        yield Span(text[at:])
