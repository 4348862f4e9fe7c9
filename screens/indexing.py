"""Keeping the search index up with the data while the app runs."""

from functools import partial
from typing import TYPE_CHECKING

from textual.signal import Signal
from textual.worker import get_current_worker

from screens.background import in_background
from store import records, search_index
from store.database import Store

if TYPE_CHECKING:
    from screens.app import StudioApp

LOOK_SECONDS = 2.0
"""How often it is looked whether there is data that can't be searched for yet."""

MOST_IN_A_THREAD = 2_000
"""More rows than these are indexed by a process of their own: the screen would feel a thread that works for long."""


class Indexing:
    """Looks now and then how far the index is behind, and has it catch up, except where an import does that."""

    def __init__(self, app: "StudioApp") -> None:
        self._app = app
        self._last_record = -1
        self._running = False
        self.missing = 0
        """How many rows can't be searched for yet."""
        self.moved: Signal[int] = Signal(app, "search index moved")
        """Says how many rows can't be searched for yet, each time when that has changed."""

    def look(self) -> None:
        """See how far the index is behind; begin to catch up once no more rows come in, for imports index their own."""
        store = self._app.store
        missing, last = search_index.pending(store), records.span(store).stop
        rows_come_in, self._last_record = last != self._last_record, last
        if missing and not rows_come_in and not self._running:
            self._running = True
            in_background(self._app, partial(_index, missing), self._ended, group="index")
        if missing != self.missing:
            self.missing = missing
            self.moved.publish(missing)

    def _ended(self, _: None) -> None:
        self._running = False
        self.look()


def _index(missing: int, store: Store) -> None:
    worker = get_current_worker()
    if missing <= MOST_IN_A_THREAD:
        search_index.catch_up(store, stop=lambda: worker.is_cancelled)
        return
    from studio.import_side import IndexFollower

    with IndexFollower(store) as follower:
        follower.finish(lambda: worker.is_cancelled)
