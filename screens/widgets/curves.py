"""Charts under each other, as many as there is room for; only cells that changed are painted."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.plot import Chart, Steps, drawn, smoothed
from screens.widgets.repainting import changed_cells, chars_of
from studio.text import clean_line

LEAST_LINES = 4
"""A chart of fewer, with the line over it, shows no course."""

GOOD_LINES = 6
"""What a chart gets before a fourth one is drawn."""

COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red")
"""Of letters; after the last one again from the first, as letters tell more runs apart than colours do."""

Line = list[tuple[str, Style]]


class Curves(Widget):
    """Shows charts over a line that says which steps they are drawn of."""

    DEFAULT_CSS = "Curves { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._charts: list[Chart] = []
        self._steps: Steps = (0, 0)
        self._legend: dict[str, str] = {}
        self._smoothing = 0.0
        self._remark = ""
        self._lines: list[Line] = []
        self._painted: dict[int, Strip] = {}
        """The lines as they stand on the screen."""

    @property
    def plain(self) -> str:
        """What is shown, without its styles."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def show(
        self,
        charts: Sequence[Chart],
        steps: Steps,
        *,
        legend: Mapping[str, str],
        smoothing: float = 0.0,
        remark: str = "",
    ) -> None:
        """Show other charts.

        Args:
            charts: the most telling first; those that there is no room for are left out.
            steps: the first and the last step that are drawn.
            legend: which run a letter stands for, where there are several.
            smoothing: the weight of what came before; 0 draws the values as they are.
            remark: what is said at the end of the last line; where there is no chart, all that is said.
        """
        shown = (list(charts), steps, dict(legend), smoothing, remark)
        if shown == (self._charts, self._steps, self._legend, self._smoothing, self._remark):
            return
        self._charts, self._steps, self._legend, self._smoothing, self._remark = shown
        self._lay_out()
        for y in range(self.size.height):
            line = self._strip(y)
            if line != (before := self._painted.get(y)):
                start, end = changed_cells(chars_of(before), chars_of(line)) if before else (0, self.size.width)
                self.refresh(Region(start, y, end - start, 1))

    def on_resize(self) -> None:
        """Fit the charts to the new size."""
        self._lay_out()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        line = self._painted[y] = self._strip(y)
        return line

    def _lay_out(self) -> None:
        self._lines = list(self._laid_out())

    def _laid_out(self) -> Iterator[Line]:
        width, height = self.size
        if not self._charts:
            yield [(self._remark[:width], Style())]
            return
        if self._legend:
            yield self._legend_line()
        room = height - 1 - bool(self._legend)
        number = max(1, min(len(self._charts), max(room // GOOD_LINES, min(3, room // LEAST_LINES))))
        for place, chart in enumerate(self._charts[:number]):
            lines = room // number + (place < room % number)
            title, *rows = drawn(self._smoothed(chart), self._steps, width, lines)
            yield [(title, Style(bold=True))]
            yield from (self._coloured(row) for row in rows)
        yield [(self._last_line(number)[:width], Style(dim=True))]

    def _smoothed(self, chart: Chart) -> Chart:
        weight = self._smoothing
        curves = {letter: smoothed(points, weight) if weight else points for letter, points in chart.curves.items()}
        return Chart(clean_line(chart.title), curves)

    def _legend_line(self) -> Line:
        return [(f"{letter} {clean_line(name)}  ", self._style_of(letter)) for letter, name in self._legend.items()]

    def _last_line(self, number: int) -> str:
        first, last = self._steps
        left_out = len(self._charts) - number
        parts = [f"steps {first:,} to {last:,}", self._remark, f"{left_out} more (m)" if left_out else ""]
        return ", ".join(filter(None, parts))

    def _coloured(self, row: str) -> Line:
        if not self._legend:
            return [(row, Style())]
        return [("".join(group), self._style_of(char)) for char, group in groupby(row)]

    def _style_of(self, letter: str) -> Style:
        place = list(self._legend).index(letter) if letter in self._legend else None
        return Style() if place is None else Style(color=COLOURS[place % len(COLOURS)], bold=True)

    def _strip(self, y: int) -> Strip:
        base = self.rich_style
        line = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(text, base + style) for text, style in line]
        return Strip(segments).adjust_cell_length(self.size.width, base).simplify()
