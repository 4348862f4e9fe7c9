"""Runs side by side: where they come from, settings, results and data, and their curves over each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.curve_keys import CurveKeys
from screens.curves_in_sight import Sight, lettered
from screens.widgets.bars import KeyBar
from screens.widgets.curves import Curves
from screens.widgets.plot import Chart, steps_of
from screens.widgets.text_view import Span, TextView
from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.text import clean_line
from studio.training.history.comparison import Comparison, compare
from studio.training.history.comparison_words import parts

MOST_COMPARED = 6
"""Columns that a screen has room for."""

LABELS = 24
"""Cells that the names of facts take."""


class RunCompare(CurveKeys, StudioModal[None]):
    """How runs differ, as a text; and their curves."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.RUN_COMPARE, *HELP_KEYS]

    text = query_one(TextView)
    curves = query_one(Curves)

    def __init__(self, run_ids: Sequence[str], sight: Sight) -> None:
        super().__init__()
        self._ids = list(run_ids)
        self.sight = replace(sight, depth=0, end=1.0)
        self._found: Comparison | None = None

    def compose(self) -> ComposeResult:
        """Lay the text where the curves come too."""
        with Vertical(classes="window tall"):
            yield Static(clean_line(f"Runs compared: {', '.join(self._ids)}"), classes="pane-title", markup=False)
            yield TextView()
            yield Curves()
            yield KeyBar()

    def on_mount(self) -> None:
        """Compare in a thread: snapshots may have a million rows."""
        self.curves.display = False
        self.text.show("comparing ...")
        self.text.focus()
        work = partial(_compare, self.studio.project, self._ids)
        in_background(self, work, self._show, failed=self._failed)

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._show_text()

    def action_next_view(self) -> None:
        """Show the curves, or how the runs differ."""
        self.curves.display = not self.curves.display
        self.text.display = not self.curves.display
        if self.text.display:
            # It lost the keys when it was hidden.
            self.text.focus()

    def see(self, sight: Sight) -> None:
        """Draw the curves so."""
        self.sight = sight
        self._draw()

    def measured(self) -> dict[str, str]:
        """Return what can be drawn."""
        return {overlay.name: overlay.title for overlay in self._found.curves} if self._found else {}

    def _show(self, found: Comparison) -> None:
        if self.is_attached:
            self._found = found
            self._show_text()
            self._draw()

    def _failed(self, error: StudioError) -> None:
        self.text.show(message_of(error))

    def _show_text(self) -> None:
        if self._found is not None:
            room = (self.text.size.width - LABELS) // len(self._found.runs) - 2
            self.text.show(list(_spans(self._found, max(room, 8))), keep_place=True)

    def _draw(self) -> None:
        if self._found is None:
            return
        legend = lettered(self._ids)
        charts = list(_charts(self._found, legend, self.sight.names))
        sight = self.sight
        steps = sight.steps(steps_of(charts))
        remark = sight.remark if charts else "Nothing was measured."
        self.curves.show(charts, steps, legend=legend, smoothing=sight.smoothing, remark=remark)


def _compare(project: Project, ids: list[str], store: Store) -> Comparison:
    return compare(project, store, ids)


def _spans(found: Comparison, widest: int) -> Iterator[Span]:
    heading, *told = parts(found, widest=widest)
    yield Span("\n".join(heading.lines), "bold underline")
    for part in told:
        yield Span(f"\n\n{part.title}\n", "bold")
        yield Span("\n".join(part.lines))


def _charts(found: Comparison, legend: Mapping[str, str], names: Sequence[str]) -> Iterator[Chart]:
    wanted = [overlay for overlay in found.curves if overlay.name in names] or found.curves
    for overlay in wanted:
        there = {letter: run for letter, run in legend.items() if run in overlay.points}
        yield Chart(overlay.title, {letter: overlay.points[run] for letter, run in there.items()})
