"""How far a queue is and how certain its outcome, read in threads: of a million pairs that takes a while."""

from collections.abc import Callable
from functools import partial

from screens.background import in_background
from screens.base import StudioScreen
from store import bulk
from store.database import Store
from store.pairs import Verdict
from studio.labelling import enough, progress
from studio.labelling.progress import Progress
from studio.labelling.tasks import Task

LOOK_EVERY = 10
"""Verdicts after which it is looked at in the background how certain the outcome is."""


class HowFar:
    """What is known of one queue's state; `changed` is called when more is."""

    def __init__(self, screen: StudioScreen, task: Task, changed: Callable[[], object]) -> None:
        self.progress: Progress | None = None
        self._enough = ""
        self._decisions = 0
        self._look_at = 0
        self._screen = screen
        self._task = task
        self._changed = changed

    def decided(self) -> None:
        """Note that an answer was given or taken back: what is being counted may not know of it."""
        self._decisions += 1

    def answered(self, verdict: Verdict, seconds: float) -> None:
        """Count a verdict that was given just now."""
        if self.progress is not None:
            self.progress.answered(verdict, seconds)

    def count(self) -> None:
        """Read in a thread how far it is."""
        count = partial(progress.read, task=self._task, rater=self._screen.studio.project.rater)
        in_background(self._screen, count, partial(self._counted, self._decisions), group="count")

    def look_further(self) -> None:
        """Find out in a thread how certain the outcome is, every so many verdicts."""
        if self._decisions >= self._look_at:
            self._look_at = self._decisions + LOOK_EVERY
            look = partial(_look, task=self._task.name, rater=self._screen.studio.project.rater)
            in_background(self._screen, look, self._looked, group="enough")

    def words(self, width: int) -> str:
        """Return how far it is, and how certain its outcome, on one line."""
        return "" if self.progress is None else fitted(str(self.progress), self._enough, width)

    def _counted(self, decisions: int, found: Progress) -> None:
        if decisions != self._decisions:
            # A decision came between; whether it was counted can't be told.
            self.count()
            return
        self.progress = found
        self._changed()

    def _looked(self, words: str) -> None:
        self._enough = words
        self._changed()


def _look(store: Store, task: str, rater: str) -> str:
    """Find out how certain the outcome is, and spare the verdicts a wait for the disk."""
    words = enough.short(store, task=task, rater=rater)
    # A commit does so once in a hundred or so otherwise, and then waits for the disk much longer than others.
    bulk.checkpoint(store)
    return words


def fitted(progress: str, enough: str, width: int) -> str:
    """Return how far it is and how certain on one line; what is told by the rest gives way first."""
    if not enough:
        return progress
    parts = progress.split(", ")
    for name in (" left", " today", " skipped", " a minute"):
        if len(", ".join(parts)) + len(enough) + 2 > width:
            parts = [part for part in parts if not part.endswith(name)]
    return f"{', '.join(parts)}; {enough}"
