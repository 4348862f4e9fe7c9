"""How far a task is, at which pace, and how long the rest will take."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from store import journal, sessions
from store.database import Store
from store.journal import Entry
from store.pairs import Verdict
from studio.durations import duration
from studio.labelling import orders
from studio.labelling.honesty import IDLE_SECONDS
from studio.labelling.task_settings import Task

RECENT = 50
"""The pace is that of this many answers."""

WIDTH = 78


@dataclass
class Progress:
    """How far a task is; kept up to date answer by answer, without reading the journal again."""

    planned: int
    """Comparisons in all: as many as the task plans, or as there are."""
    done: int
    skipped: int = 0
    """Those of the done ones that were skipped."""
    today: int = 0
    """What the person answered today, in any task."""
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    """How long the latest answers took, pauses left out."""

    @property
    def left(self) -> int:
        """Comparisons that wait."""
        return max(0, self.planned - self.done)

    @property
    def per_minute(self) -> float | None:
        """Answers a minute; None before there were any."""
        return 60 * len(self.seconds) / sum(self.seconds) if self.seconds else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at this pace."""
        return self.left * sum(self.seconds) / len(self.seconds) if self.seconds and self.left else None

    def answered(self, verdict: Verdict, seconds: float) -> None:
        """Count one more answer, also to a pair that came back: that one did must not show."""
        self.done = min(self.done + 1, max(self.planned, self.done))
        self.skipped += verdict == "skip"
        self.today += 1
        if 0 < seconds <= IDLE_SECONDS:
            self.seconds.append(seconds)

    def __str__(self) -> str:
        parts = [f"{self.done:,} of {self.planned:,} done", f"{self.left:,} left"]
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        if self.today:
            parts.append(f"{self.today:,} today")
        if self.per_minute is not None:
            parts.append(f"{self.per_minute:.3g} a minute")
        if self.seconds_left is not None:
            parts.append(f"about {duration(self.seconds_left)} to go")
        # What the first part says by itself goes first where there is no room for all.
        for name in (" left", " skipped", " today"):
            if len(", ".join(parts)) > WIDTH:
                parts = [part for part in parts if not part.endswith(name)]
        return ", ".join(parts)


def read(store: Store, task: Task, rater: str) -> Progress:
    """Read how far a task is. It takes a while where there are many pairs: for a thread.

    Raises:
        StudioError: the task's query can't be read.
    """
    counts = orders.tally(store, task, orders.scope_of(store, task), rater)
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return Progress(
        counts.pairs,
        min(counts.done, counts.pairs),
        counts.skipped,
        sessions.given_since(store, rater, midnight.astimezone(UTC).isoformat(timespec="microseconds")),
        deque(reversed(recent_seconds(store, rater, RECENT)), maxlen=RECENT),
    )


def recent_seconds(store: Store, rater: str, limit: int) -> list[float]:
    """Return how long a person looked at each of the pairs answered last, newest first, pauses left out."""
    spans = (_seconds(entry) for entry in journal.latest_verdicts(store, rater=rater, limit=limit))
    return [span for span in spans if 0 < span <= IDLE_SECONDS]


def _seconds(entry: Entry) -> float:
    if not entry.shown_at:
        return 0.0
    return (datetime.fromisoformat(entry.answered_at) - datetime.fromisoformat(entry.shown_at)).total_seconds()
