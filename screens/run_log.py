"""A run's log in a window, followed while it grows."""

from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from screens.base import StudioModal
from screens.widgets.text_view import MOST_WHERE_THE_END_COUNTS, Span, TextView, wrap
from studio.training.history.watch import log_tail

POLL_SECONDS = 1.0
LINES = 2000


class RunLog(StudioModal[None]):
    """The last lines that a trainer printed."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._lines: list[str] | None = None

    def compose(self) -> ComposeResult:
        """Lay the log in a window."""
        with Vertical(classes="window tall"):
            yield Static(f"Log of {self._run_id}, its last {LINES:,} lines (esc closes)", markup=False)
            yield TextView(most=MOST_WHERE_THE_END_COUNTS)

    def on_mount(self) -> None:
        """Show the end, and look again each second."""
        self._read()
        self.query_one(TextView).focus()
        self.set_interval(POLL_SECONDS, self._read)

    def _read(self) -> None:
        lines = log_tail(self.studio.project, self._run_id, LINES)
        if lines == self._lines:
            return
        view = self.query_one(TextView)
        before, self._lines = self._lines, lines
        text = "\n".join(lines) or "Nothing was printed yet."
        if before is None or view.is_vertical_scroll_end:
            view.show(text, keep_place=True)
            self.call_after_refresh(partial(view.scroll_end, animate=False))
        else:
            y = view.scroll_offset.y - _height(_gone(before, lines), view.scrollable_content_region.width)
            view.show(text, keep_place=True)
            view.scroll_to(y=y, animate=False, immediate=True, force=True)


def _gone(before: list[str], now: list[str]) -> list[str]:
    """Return the first lines of what was a log's end that are not in its end now."""
    whole = before[:-1]  # the last one may have been written on
    gone = next(number for number in range(len(whole) + 1) if now[: len(whole) - number] == whole[number:])
    return whole[:gone]


def _height(lines: list[str], width: int) -> int:
    return len(list(wrap([Span("\n".join(lines))], width))) if lines else 0
