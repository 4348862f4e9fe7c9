"""The run of all checks that goes on behind the screens."""

import time
from threading import Event
from typing import TYPE_CHECKING

from textual.signal import Signal

from screens.background import in_background
from store.database import Store
from studio.errors import StudioError

if TYPE_CHECKING:
    from screens.app import StudioApp
    from studio.lint.report import LintReport
    from studio.lint.run import LintProgress

SECONDS_BETWEEN_WORDS = 0.5
"""Every word about progress is painted: on a slow line they must not queue up."""


class LintRun:
    """Runs the checks in a thread over processes, one run at a time, which outlives the window that began it."""

    def __init__(self, app: "StudioApp") -> None:
        self._app = app
        self._stop = Event()
        self._told = 0.0
        self.running = False
        self.words = ""
        """How far it is, or how it ended."""
        self.moved: Signal[bool] = Signal(app, "lint moved")
        """Says that the words changed, and whether the run has come to its end."""

    def start(self) -> None:
        """Begin, where it does not run."""
        if not self.running:
            self.running = True
            self._stop.clear()
            self._tell("beginning ...")
            in_background(self._app, self._lint, self._found, failed=self._failed, group="lint")

    def cancel(self) -> None:
        """Stop; what was looked at is kept for the next run."""
        if self.running:
            self._stop.set()
            self._tell("stopping ...")

    def _lint(self, store: Store) -> "LintReport | None":
        from studio.lint.run import Cancelled, lint

        try:
            return lint(self._app.project, store, on_progress=self._progress, cancelled=self._stop.is_set)
        except Cancelled:
            return None

    def _progress(self, progress: "LintProgress") -> None:
        moment = time.monotonic()
        if moment - self._told >= SECONDS_BETWEEN_WORDS:
            self._told = moment
            self._app.call_later(self._say_progress, str(progress))

    def _say_progress(self, words: str) -> None:
        if self.running and not self._stop.is_set():
            self._tell(words)

    def _found(self, report: "LintReport | None") -> None:
        if report is None:
            self._end("stopped; what was looked at is kept")
        else:
            self._end(f"{len(report.findings):,} kinds of findings in {report.examples:,} examples")

    def _failed(self, error: StudioError) -> None:
        self.running = False
        self._tell("failed", ended=True)
        self._app.notify_error(error)

    def _end(self, words: str) -> None:
        self.running = False
        self._tell(words, ended=True)
        self._app.notify(f"Checks: {words}.", markup=False)

    def _tell(self, words: str, ended: bool = False) -> None:
        if words != self.words or ended:
            self.words = words
            self.moved.publish(ended)
