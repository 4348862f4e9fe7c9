"""Painting a part of the screen in few bytes, for lines far away."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29"}
"""The number that takes back what another one begins: bold, faint, underlined and the like."""


class Part(NamedTuple):
    """A stretch of a line."""

    x: int
    y: int
    strip: Strip


class CompactUpdate(ChopsUpdate):
    """Says a style where it changes, and paints nothing beside what changed.

    Textual says every stretch's style and takes it back, 38 bytes a line in full colour, and begins where a widget
    begins although only the end of its line is to be painted.
    """

    @classmethod
    def of(cls, update: ChopsUpdate) -> "CompactUpdate":
        """Return an update that paints the same."""
        return cls(update.chops, update.spans, update.chop_ends)

    def parts(self) -> Iterator[Part]:
        """Yield the stretches that are to be painted."""
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(x, left), min(end, right)
                if strip is not None and start < stop:
                    part = strip if (start, stop) == (x, end) else strip.crop(start - x, stop - x)
                    if part.cell_length:
                        yield Part(start, y, part)

    def render_segments(self, console: Console) -> str:
        """Return what is written to the terminal."""
        colors = console._color_system or ColorSystem.TRUECOLOR
        written: list[str] = []
        now = ""
        for x, y, strip in self.parts():
            written.append(f"\x1b[{y + 1};{x + 1}H")
            for segment in strip:
                text, style = _plain(segment, colors)
                if style != now:
                    written.append(f"\x1b[{_switch(now, style)}m")
                    now = style
                written.append(text)
        return "".join(written) + ("\x1b[0m" if now else "")


@lru_cache(maxsize=1024)
def _switch(before: str, after: str) -> str:
    """Return the numbers that make one style of another: only what differs, where the colours are the same."""
    (had, colors_before), (has, colors_after) = _taken_apart(before), _taken_apart(after)
    if colors_before != colors_after:
        return ";".join(filter(None, ("0" if before else "", after)))
    off = sorted({_OFF[each] for each in had if each not in has})
    # Bold and faint are taken back by the same number.
    return ";".join([*off, *(each for each in has if each not in had or _OFF[each] in off)])


def _taken_apart(style: str) -> tuple[list[str], list[str]]:
    """Return the numbers of a style that can be taken back one by one, and those of its colours."""
    numbers = style.split(";") if style else []
    count = next((place for place, each in enumerate(numbers) if each not in _OFF), len(numbers))
    return numbers[:count], numbers[count:]


def _plain(segment: Segment, colors: ColorSystem) -> tuple[str, str]:
    """Return a segment's text and the numbers of its style; a link goes with the text."""
    style = segment.style or Style.null()
    if style.link:
        return Strip.render_style(style, segment.text, colors), ""
    return segment.text, Strip.render_ansi(style, colors)
