"""Long text that is only read: wrapped once for a width, painted line by line, never taken for markup."""

import re
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, zip_longest

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.keys import TEXT
from screens.widgets.table import DOUBLE_PRESS_SECONDS
from studio.text import clean


@dataclass(frozen=True)
class Span:
    """A piece of text with a style of its own, such as `bold` or `dim underline`."""

    text: str
    style: str = ""


MOST_CHARACTERS = 50_000
"""What is laid out of a text at first; the line at the end says how much is left, and a key lays out more."""

MOST_WHERE_THE_END_COUNTS = 2_000_000
"""The same for texts that grow and are followed to their end."""

Pieces = list[tuple[str, Style]]

_WORD = re.compile(r" *[^ ]+| +")


class TextView(ScrollView, can_focus=True, inherit_bindings=False):
    """A scrollable text; hand it texts as they are, they are made safe here."""

    BINDINGS = TEXT
    # The gutter, so that the width to wrap to does not hang on the text's length.
    DEFAULT_CSS = """
    TextView {
        overflow: hidden auto;
        scrollbar-gutter: stable;
    }
    """

    def __init__(self, *, id: str | None = None, most: int = MOST_CHARACTERS) -> None:
        super().__init__(id=id)
        self._at_first = most
        self._spans: list[Span] = []
        self._lines: list[Pieces] = []
        self._wrapped_at = 0
        self._first_pressed = 0.0
        self._most = most
        self._start = 0
        """The span that is at the top at first."""
        self._base = Style()
        self._kept = (-1, 0)
        """The line that was gone to, and the place that was meant."""

    def show(self, text: str | list[Span], *, keep_place: bool = False, start: int = 0) -> None:
        """Show another text from its start, from one of its spans, or from where one was."""
        before = self._in_sight()
        self._spans = [Span(text)] if isinstance(text, str) else text
        if not keep_place:
            self._most = self._at_first
            self._start = start
        self._wrapped_at = 0
        self._kept = (-1, 0)
        self._wrap()
        if not keep_place:
            self._go_to_start()
        self._refresh_changed(before)

    @property
    def plain(self) -> str:
        """The text as it is painted, without its styles."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    @property
    def line_count(self) -> int:
        """Lines that the text has at the present width."""
        return len(self._lines)

    @property
    def place(self) -> int:
        """How much of the text stands above what is in sight: letters, as spaces and signs come and go."""
        y, place = self._kept
        # A letter amid a line would be lost sight of when several changes follow each other.
        if y == round(self.scroll_offset.y):
            return place
        return sum(_letters(line) for line in self._lines[: round(self.scroll_offset.y)])

    def go_to(self, place: int) -> None:
        """Scroll to the line that the letter of a place is in."""
        y = bisect_right(list(accumulate(map(_letters, self._lines), initial=0)), place) - 1 if place else 0
        self.scroll_to(0, min(y, len(self._lines) - 1), animate=False, immediate=True, force=True)
        self._kept = round(self.scroll_offset.y), place

    def on_resize(self) -> None:
        """Wrap to the new width; what was at the top stays there."""
        before, place = self._wrapped_at, self.place
        self._wrap()
        self._fit()
        if not before:
            self._go_to_start()
        if before != self._wrapped_at:
            if before and place:
                self.go_to(place)
            self.refresh()

    def lay_out(self, spans: list[Span], width: int) -> Iterator[Pieces]:
        """Yield the lines of a text that was shortened already."""
        return wrap(spans, width)

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        if not width or width == self._wrapped_at:
            return
        self._wrapped_at = width
        self._lines = list(self.lay_out(shortened(self._spans, self._most), width))
        self._fit()

    def _go_to_start(self) -> None:
        above = self._spans[: self._start] if self._wrapped_at else []
        y = sum(1 for _ in wrap(above, self._wrapped_at)) - 1 if above else 0
        self.scroll_to(0, y, animate=False, immediate=True, force=bool(y))

    def _fit(self) -> None:
        size = Size(self._wrapped_at, max(len(self._lines), self.size.height))
        has_bar = size.height > self.size.height or self.styles.overflow_y == "scroll"
        if has_bar != self.show_vertical_scrollbar or not self.is_mounted:
            self.virtual_size = size
        elif size != self.virtual_size:
            # The bar stays or stays away: a new layout, which paints the whole of the pane again, is not needed.
            self.set_reactive(TextView.virtual_size, size)
            if has_bar:
                self.vertical_scrollbar.window_virtual_size = size.height
        last = max(len(self._lines) - self.size.height, 0)
        if self.scroll_offset.y > last:
            self.scroll_to(y=last, animate=False, immediate=True, force=True)

    def _in_sight(self) -> list[Pieces]:
        top = round(self.scroll_offset.y)
        return self._lines[top : top + self.size.height]

    def _refresh_changed(self, before: list[Pieces]) -> None:
        """Paint only what differs: on a slow line blanks cost as much as letters."""
        nothing: Pieces = []
        for y, (old, new) in enumerate(zip_longest(before, self._in_sight(), fillvalue=nothing)):
            if old != new:
                self.refresh(Region(0, y, max(_width(old), _width(new)), 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint several lines, all in one style, which is not found out for each of them anew."""
        self._base = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Paint one wrapped line."""
        number = round(self.scroll_offset.y) + y
        base = self._base
        if number >= len(self._lines):
            return Strip.blank(self.size.width, base)
        segments = [Segment(text, base + style) for text, style in self._lines[number]]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def action_more(self) -> None:
        """Lay out more of a long text."""
        if sum(len(span.text) for span in self._spans) > self._most:
            self._most *= 4
            self._wrapped_at = 0
            self._wrap()
            self.refresh()

    def action_half_page(self, direction: int) -> None:
        """Scroll by half of what is in sight."""
        self.scroll_relative(y=direction * max(self.size.height // 2, 1), animate=False)

    def action_first_key(self) -> None:
        """Go to the start at the second press."""
        moment = time.monotonic()
        if moment - self._first_pressed < DOUBLE_PRESS_SECONDS:
            self.scroll_home(animate=False)
            moment = 0.0
        self._first_pressed = moment


def shortened(spans: list[Span], most: int) -> list[Span]:
    """Return a text's beginning, and how much of it is left out; a text that is short enough stays as it is."""
    left = sum(len(span.text) for span in spans) - most
    if left <= 0:
        return spans
    found, room = [], most
    for span in spans:
        found.append(Span(span.text[:room], span.style))
        room -= len(span.text)
        if room <= 0:
            break
    return [*found, Span(f"\n... {left:,} more characters; + shows more", "italic")]


def wrap(spans: list[Span], width: int) -> Iterator[Pieces]:
    """Yield the lines of a text cut at spaces to a width, words longer than a line cut anywhere."""
    line: Pieces = []
    room = width
    for span in spans:
        style = Style.parse(span.style)
        for number, paragraph in enumerate(clean(span.text).split("\n")):
            if number:
                yield line
                line, room = [], width
            for piece in _pieces(paragraph, room, width):
                text, size = piece, cell_len(piece)
                if size > room and line:
                    yield line
                    line, room = [], width
                    # The line's end stands for the space.
                    text = text.removeprefix(" ")
                    size = cell_len(text)
                _append(line, text, style)
                room -= size
    yield line


def _letters(line: Pieces) -> int:
    return sum(sum(map(str.isalnum, text)) for text, _ in line)


def _width(line: Pieces) -> int:
    return sum(cell_len(text) for text, _ in line)


def _append(line: Pieces, text: str, style: Style) -> None:
    if line and line[-1][1] == style:
        line[-1] = (line[-1][0] + text, style)
    elif text:
        line.append((text, style))


def _pieces(paragraph: str, room: int, width: int) -> Iterator[str]:
    """Yield what may not be parted: words, each with the spaces before it, none wider than a line."""
    if paragraph.isascii() and len(paragraph) <= room:
        yield paragraph
        return
    for word in _WORD.findall(paragraph):
        if len(word) * 2 <= width or cell_len(word) <= width:
            yield word
        elif word.isascii():
            yield from (word[i : i + width] for i in range(0, len(word), width))
        else:
            yield from chop_cells(word, width)
