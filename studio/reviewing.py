"""A reviewer's way through the examples: what is decided, at which pace, which one is next."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from store import reviewed
from store.database import Store
from store.reviewed import DECIDED, DRAFT, OUT_OF_USE
from studio.durations import duration

IDLE_SECONDS = 300.0
"""A longer time without a decision is a pause; in less an answer may well be mended."""

RECENT = 50
"""The pace is that of this many decisions."""

_AT_ONCE = 10_000


@dataclass
class Pace:
    """How fast one decides in this session, pauses left out."""

    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    _last: float | None = None

    def decided(self, number: int, moment: float) -> None:
        """Note decisions that were made together, at a moment of a clock that never goes back."""
        if self._last is not None and 0 < moment - self._last <= IDLE_SECONDS:
            self._seconds.extend([(moment - self._last) / number] * min(number, RECENT))
        self._last = moment

    @property
    def per_minute(self) -> float | None:
        """Decisions a minute; None before there were two."""
        return 60 * len(self._seconds) / sum(self._seconds) if self._seconds else None


@dataclass
class Review:
    """What is decided of the listed examples; kept up to date decision by decision."""

    flags: bytearray
    """What `store.reviewed` says of each id."""
    listed: int
    done: int
    out_of_use: int

    @property
    def left(self) -> int:
        """How many wait for a decision."""
        return self.listed - self.done - self.out_of_use

    def take(self, flags: Mapping[int, int]) -> None:
        """Take up what examples of the list are now."""
        for example_id, now in flags.items():
            _cover(self.flags, example_id)
            before, self.flags[example_id] = self.flags[example_id], now
            self.done += (now == DECIDED) - (before == DECIDED)
            self.out_of_use += (now == OUT_OF_USE) - (before == OUT_OF_USE)

    def next_after(self, ids: Sequence[int], position: int) -> int | None:
        """Return the first example that waits for a decision after a place in the list, or from its start."""
        if self.left <= 0:
            return None
        for start, end in ((position + 1, len(ids)), (0, position + 1)):
            found = self._first_draft(ids, start, end)
            if found is not None:
                return found
        return None

    def words(self, pace: Pace) -> str:
        """Return how far the review is and how long the rest takes; empty before it has begun."""
        if not self.done:
            return ""
        parts = [f"reviewed {self.done:,} of {self.listed - self.out_of_use:,}"]
        rate = pace.per_minute
        if rate is not None:
            parts.append(f"{rate:.0f} a minute" if rate >= 2 else f"{rate:.1f} a minute")
            if self.left > 0:
                parts.append(f"{duration(60 * self.left / rate)} left")
        return ", ".join(parts)

    def _first_draft(self, ids: Sequence[int], start: int, end: int) -> int | None:
        for begin in range(start, end, _AT_ONCE):
            part = ids[begin : min(begin + _AT_ONCE, end)]
            place = _flags_of(self.flags, part).find(DRAFT)
            if place >= 0:
                return part[place]
        return None


def look(store: Store, ids: Sequence[int]) -> Review:
    """Read what is decided of these examples; of a million it takes a moment."""
    flags = reviewed.flags(store)
    done = out_of_use = 0
    for start in range(0, len(ids), _AT_ONCE):
        found = _flags_of(flags, ids[start : start + _AT_ONCE])
        done += found.count(DECIDED)
        out_of_use += found.count(OUT_OF_USE)
    return Review(flags, len(ids), done, out_of_use)


def _flags_of(flags: bytearray, ids: Sequence[int]) -> bytes | bytearray:
    if not ids:
        return b""
    _cover(flags, max(ids))
    if isinstance(ids, range) and ids.step == 1:
        return flags[ids.start : ids.stop]
    return bytes(map(flags.__getitem__, ids))


def _cover(flags: bytearray, example_id: int) -> None:
    """Make room for an example that came in since."""
    if example_id >= len(flags):
        flags.extend(bytes(example_id + 1 - len(flags)))
