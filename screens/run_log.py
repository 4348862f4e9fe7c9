"""A run's log in a window, followed while it grows."""

from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from screens.base import StudioModal
from screens.widgets.text_view import MOST_WHERE_THE_END_COUNTS, TextView
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
        at_end = self._lines is None or view.is_vertical_scroll_end
        self._lines = lines
        view.show("\n".join(lines) or "Nothing was printed yet.", keep_place=True)
        if at_end:
            self.call_after_refresh(partial(view.scroll_end, animate=False))
