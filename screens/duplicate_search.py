"""The search for similar rows or leaks that runs behind the screens."""

import time
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from textual.signal import Signal

from screens.background import in_background
from store.database import Store
from studio.errors import StudioError

if TYPE_CHECKING:
    from screens.app import StudioApp
    from store.duplicates import Counts, GroupKind
    from studio.duplicates import SearchProgress

SECONDS_BETWEEN_WORDS = 0.5
"""Every word about progress is painted: on a slow line they must not queue up."""

WORDS: "dict[GroupKind, str]" = {"near": "similar rows", "leak": "prompts in more than one split"}


class DuplicateSearch:
    """Runs one search at a time in a thread, which outlives the window that began it."""

    def __init__(self, app: "StudioApp") -> None:
        self._app = app
        self._stop = Event()
        self._told = 0.0
        self.running: GroupKind | None = None
        self.words = ""
        """How far it is, or how it ended."""
        self.moved: Signal[bool] = Signal(app, "duplicate search moved")
        """Says that the words changed, and whether the search has come to its end."""

    def start(self, kind: "GroupKind", *, near: bool) -> None:
        """Begin, where nothing is being looked for."""
        if self.running is None:
            self.running = kind
            self._stop.clear()
            self._tell("looking ...")
            in_background(
                self._app, partial(self._search, kind, near), self._found, failed=self._failed, group="duplicates"
            )

    def cancel(self) -> None:
        """Stop; the groups stay as they were."""
        if self.running is not None:
            self._stop.set()
            self._tell("stopping ...")

    def _search(self, kind: "GroupKind", near: bool, store: Store) -> "Counts | None":
        from studio import duplicates

        look = duplicates.find if kind == "near" else duplicates.find_leaks
        try:
            return look(store, near=near, on_progress=self._progress, cancelled=self._stop.is_set)
        except duplicates.Cancelled:
            return None

    def _progress(self, progress: "SearchProgress") -> None:
        moment = time.monotonic()
        if moment - self._told >= SECONDS_BETWEEN_WORDS:
            self._told = moment
            self._app.call_later(self._tell, str(progress))

    def _found(self, counts: "Counts | None") -> None:
        assert self.running is not None
        what = WORDS[self.running]
        found = "stopped; nothing was changed" if counts is None else f"{counts.groups:,} groups"
        self._end(found, f"Looked for {what}: {found}.")

    def _failed(self, error: StudioError) -> None:
        self._end("failed", "")
        self._app.notify_error(error)

    def _end(self, words: str, said: str) -> None:
        self.running = None
        self._tell(words, ended=True)
        if said:
            self._app.notify(said, markup=False)

    def _tell(self, words: str, ended: bool = False) -> None:
        if words != self.words or ended:
            self.words = words
            self.moved.publish(ended)
