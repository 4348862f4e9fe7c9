"""Comments and reasons that were begun on pairs: kept with their pair until they are in the journal."""

from screens.base import StudioScreen
from screens.compare_remarks import Remarks, RemarksByPair
from store import interface_state, journal

BEGUN = "compare.begun"
"""Those that wait for their verdict, in the interface's state."""


class BegunRemarks:
    """What was begun on each pair, here or in the session before."""

    def __init__(self, screen: StudioScreen) -> None:
        self._screen = screen
        self._by_pair = RemarksByPair()

    def take_over(self) -> None:
        """Go on with what the session before left."""
        self._by_pair.take_over(interface_state.recall(self._screen.studio.store, BEGUN, {}))

    def keep(self) -> None:
        """Keep them for the next session."""
        self._screen.studio.note_place(BEGUN, self._by_pair.place())

    def of(self, pair_id: int) -> Remarks:
        """Return what was begun on a pair."""
        return self._by_pair.of(pair_id)

    def save_comment(self, pair_id: int, more: str = "") -> None:
        """Write the comment on a pair down, with more that is to be remarked; an empty one is none."""
        begun = self.of(pair_id)
        if text := "; ".join(part for part in (begun.comment.strip(), more) if part):
            studio = self._screen.studio
            journal.comment(studio.store, pair_id, text, rater=studio.project.rater)
            begun.comment = ""
            self.keep()
            self._screen.set_status("comment saved")

    def was_judged(self, pair_id: int) -> None:
        """Let go of what waited for the verdict on a pair."""
        self._by_pair.pop(pair_id, None)
        self.keep()
