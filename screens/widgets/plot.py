"""A small plot of one series of numbers: columns of block characters with the numbers beside them."""

from collections.abc import Sequence
from itertools import pairwise

from textual.widgets import Static

from studio.text import clean_line

BLOCKS = " ▁▂▃▄▅▆▇█"

Point = tuple[int, float]


def plot(points: Sequence[Point], width: int, height: int) -> list[str]:
    """Return rows of block characters, the highest value on top; each column is the mean of its share of the steps."""
    values = _columns(points, width)
    if not values or height < 1:
        return []
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    steps = height * 8 - 1
    levels = [1 + round((value - low) / span * steps) if high > low else height * 4 for value in values]
    return ["".join(BLOCKS[max(0, min(8, level - row * 8))] for level in levels) for row in reversed(range(height))]


def _columns(points: Sequence[Point], width: int) -> list[float]:
    if not points or width < 1:
        return []
    if len(points) <= width:
        repeat = max(1, width // len(points))
        return [value for _, value in points for _ in range(repeat)]
    bounds = [len(points) * i // width for i in range(width + 1)]
    return [sum(value for _, value in points[a:b]) / (b - a) for a, b in pairwise(bounds)]


def plot_text(title: str, points: Sequence[Point], width: int, height: int) -> str:
    """Return a plot under a line with its first, last and extreme values, as far as there is room."""
    if not points:
        return f"{title}: nothing measured yet"
    values = [value for _, value in points]
    head = f"{title} {values[0]:.3g}" + (f" to {values[-1]:.3g}" if len(values) > 1 else "")
    detail = f", between {min(values):.3g} and {max(values):.3g}, step {points[-1][0]}"
    if len(head) + len(detail) <= width:
        head += detail
    return "\n".join([head[:width], *plot(points, width, height)])


class Plot(Static):
    """Shows one series; painted again only when it changed or the size did."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._title = ""
        self._points: list[Point] = []

    def show(self, title: str, points: list[Point]) -> None:
        """Show another state of the series."""
        if (title, points) != (self._title, self._points):
            self._title, self._points = title, points
            self._paint()

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._paint()

    def _paint(self) -> None:
        room = max(1, self.size.height - 1)
        self.update(plot_text(clean_line(self._title), self._points, self.size.width, room) if self._title else "")
