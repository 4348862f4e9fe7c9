"""What is asked again, unannounced: pairs of this session, and some of earlier ones.

So one sees whether the person agrees with themselves. All of it is worked out from the journal: it goes on after a
restart as if there had been none.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from store import sessions
from store.database import Store, now
from store.journal import NOT_COUNTED, Purpose
from store.sessions import Given
from studio.labelling.task_settings import Task

PAUSE_SECONDS = 1800.0
"""After a longer pause a new session begins."""

GAP = 15
"""At least so many others are judged before a pair comes back."""

ANCHOR_EVERY = 6
"""One pair of an earlier session comes among so many new ones, until there were enough."""

FEW_LINES = 256
MOST_LINES = 16_384
"""A session is looked for in so many of the last lines of the journal, and in no more than that."""


class Again(NamedTuple):
    """A pair that comes back."""

    pair_id: int
    purpose: Purpose
    left_id: int | None = None
    """The response to be shown on the left; None where either may be."""


class Session:
    """What a person judged since their last pause, kept up with the journal."""

    def __init__(self, rater: str) -> None:
        self._rater = rater
        self.given: list[Given] = []
        """Oldest first."""
        self.before = 0
        """The last line of the journal before the session."""
        self._seen = -1

    def catch_up(self, store: Store) -> None:
        """Take in what was written since: here, or by the same person elsewhere."""
        newest = sessions.newest_line(store, self._rater)
        if self._seen < 0 or _seconds_since(self._last_moment) > PAUSE_SECONDS or self._was_taken_back(store, newest):
            self._begin(store)
        elif newest > self._seen:
            self.given += sessions.latest(store, self._rater, after=self._seen, limit=MOST_LINES)
        self._seen = newest

    @property
    def _last_moment(self) -> str:
        return self.given[-1].answered_at if self.given else ""

    def _was_taken_back(self, store: Store, newest: int) -> bool:
        return newest > self._seen and sessions.took_back_after(store, self._rater, self._seen)

    def _begin(self, store: Store) -> None:
        limit, start = FEW_LINES, 0
        given: list[Given] = []
        while not start and limit <= MOST_LINES:
            given = sessions.latest(store, self._rater, limit=limit)
            start = _start_of_the_last(given)
            limit *= 4
        self.before = given[start - 1].id if start else 0
        self.given = given[start:]


def due(session: Session, task: Task, rater: str, *, anchors: Iterable[int], is_end: bool) -> Iterator[Again]:
    """Yield pairs of which one is to come back now, the best first; none where none is due.

    Args:
        session: what was judged in this session.
        task: says how many come back.
        rater: whose session it is.
        anchors: the pairs of earlier sessions that were chosen for this one.
        is_end: whether nothing else is left to be judged; then those come that are still owed.
    """
    own = [given for given in session.given if given.task == task.name]
    new = [given for given in own if given.purpose not in NOT_COUNTED and given.verdict != "skip"]
    repeats = [given for given in own if given.purpose == "repeat"]
    if _is_repeat_due(len(new), len(repeats), task, _chance(session, task, rater, len(repeats)), is_end):
        yield from _repeats(session, task, rater, new, repeats)
    asked = sum(given.purpose == "anchor" for given in own)
    place = _chance(session, task, rater, -1 - asked).randrange(ANCHOR_EVERY)
    if not is_end and asked < task.anchors and len(new) > asked * ANCHOR_EVERY + place:
        judged = {given.pair_id for given in session.given}
        yield from (Again(pair_id, "anchor") for pair_id in anchors if pair_id not in judged)


def anchors(store: Store, session: Session, task: Task, rater: str) -> tuple[int, ...]:
    """Choose the pairs of earlier sessions that are to come back in this one: the same ones whenever it is asked."""
    if not task.anchors or not session.before:
        return ()
    found = sessions.decided_before(store, rater, task.name, session.before)
    # Some more than are asked for: of some the data may be excluded by then.
    wanted = min(len(found), 2 * task.anchors)
    chance = random.Random(f"{task.seed}/{rater}/{session.before}/anchors")
    return tuple(found[place] for place in chance.sample(range(len(found)), wanted))


def _is_repeat_due(new: int, repeated: int, task: Task, chance: random.Random, is_end: bool) -> bool:
    # One in each run of 1/share pairs, at a place in it that nobody can know.
    return repeated + (1 if is_end else chance.random()) <= new * task.repeats


def _repeats(session: Session, task: Task, rater: str, new: list[Given], repeats: list[Given]) -> Iterator[Again]:
    barred = {given.pair_id for given in session.given[-GAP:]} | {given.pair_id for given in repeats}
    # By pair, so that of one that was judged anew it is the latest verdict that is put to the test.
    latest = {given.pair_id: given for given in new if given.pair_id not in barred}
    chosen = sorted(latest)
    _chance(session, task, rater, len(repeats)).shuffle(chosen)
    # In twos: of each two one is shown the other way round.
    is_swapped = _chance(session, task, rater, len(repeats) // 2).random() < 0.5
    if len(repeats) % 2:
        is_swapped = not is_swapped
    for pair_id in chosen:
        given = latest[pair_id]
        yield Again(pair_id, "repeat", given.right_id if is_swapped else given.left_id)


def _start_of_the_last(given: list[Given]) -> int:
    """Return the place of the first verdict of the session that goes on now; after them all where none does."""
    start, later = len(given), now()
    while start and _seconds_since(given[start - 1].answered_at, later) <= PAUSE_SECONDS:
        start -= 1
        later = given[start].answered_at
    return start


def _chance(session: Session, task: Task, rater: str, number: int) -> random.Random:
    return random.Random(f"{task.seed}/{rater}/{session.before}/{number}")


def _seconds_since(moment: str, later: str = "") -> float:
    if not moment:
        return 0.0
    return (datetime.fromisoformat(later or now()) - datetime.fromisoformat(moment)).total_seconds()
