"""The pair in sight and what is asked of it; an answer counts once it was painted, and never from a held key."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from store import journal
from store.database import Store, now
from studio.labelling.criteria import next_criterion
from studio.labelling.shown import Shown

QUIET_SECONDS = 0.08
"""An answer must come this long after its question was painted and after any other answer's key: a key that is
held down repeats faster than that, and nobody reads so fast."""


@dataclass
class AskedPair:
    """A pair that is asked about, criterion by criterion, then on the whole."""

    shown: Shown
    is_anew: bool = False
    """It was called up out of its turn, and may be left as it is."""
    criterion: str = ""
    """What is asked before the verdict; empty where that is asked."""
    shown_at: str = ""
    """When the pair was painted first, for the journal."""
    _pair_painted: float | None = None
    _question_painted: float | None = None

    def ask(self, store: Store, criteria: Sequence[str], *, rater: str) -> None:
        """Ask for the next criterion, or for the verdict."""
        self.shown, self.criterion = next_criterion(store, self.shown, criteria, rater=rater)
        self._question_painted = None

    def question(self, criteria: Sequence[str]) -> str:
        """Return what is asked, as a sentence; empty where no criteria are."""
        if self.criterion:
            return f"{criteria.index(self.criterion) + 1} of {len(criteria)}: which is better by {self.criterion}?"
        return "And on the whole: which is better?" if criteria else ""

    def was_painted(self) -> bool:
        """Note that it is in sight now; tell whether the pair came into sight only with this."""
        if self._question_painted is not None:
            return False
        self._question_painted = time.monotonic()
        if self._pair_painted is not None:
            return False
        self._pair_painted, self.shown_at = self._question_painted, now()
        return True

    def can_be_meant(self, moment: float, last_key: float) -> bool:
        """Tell whether a key at a moment can answer what is asked."""
        painted = self._question_painted
        return painted is not None and moment - max(painted, last_key) >= QUIET_SECONDS

    def seconds_until(self, moment: float) -> float:
        """Return how long the pair was in sight."""
        return 0.0 if self._pair_painted is None else moment - self._pair_painted

    def was_judged_elsewhere(self, store: Store, rater: str) -> bool:
        """Tell whether this person judged the pair since it was painted; a key must not change that unawares."""
        mine = (entry for entry in journal.entries(store, pair_id=self.shown.pair.id) if entry.rater == rater)
        return any(entry.kind == "verdict" and entry.answered_at > self.shown_at for entry in mine)
