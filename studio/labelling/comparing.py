"""A labeller's way through the pairs: what comes next, what was recorded, how much is left."""

import random
import statistics
from collections import deque
from dataclasses import dataclass, field, replace

from store import examples, pairs, responses
from store.database import Store
from store.examples import Message, prompt_of
from store.pairs import Pair, Verdict
from store.responses import Response
from studio.labelling.report import IDLE_SECONDS, recent_seconds

RECENT = 50
"""The pace is that of this many answers."""

VERDICT_WORDS: dict[Verdict, str] = {
    "left": "left better",
    "right": "right better",
    "tie": "tie",
    "both_bad": "both bad",
    "skip": "skipped",
}


@dataclass(frozen=True)
class Shown:
    """A pair as the labeller sees it: blind, so that nothing tells where the responses are from."""

    pair: Pair
    prompt: list[Message]
    left: Response
    right: Response
    flagged: bool

    def with_flag(self, flagged: bool) -> "Shown":
        """Return the same with the mark set or taken off."""
        return replace(self, flagged=flagged)


@dataclass
class Progress:
    """How far the labelling is; kept up to date answer by answer, without reading the journal again."""

    pairs: int
    done: int
    skipped: int
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    @property
    def left(self) -> int:
        """Pairs that carry no verdict."""
        return max(0, self.pairs - self.done)

    def answered(self, verdict: Verdict, seconds: float) -> None:
        """Count one more verdict."""
        self.done += 1
        self.skipped += verdict == "skip"
        if 0 < seconds <= IDLE_SECONDS:
            self.seconds.append(seconds)

    def __str__(self) -> str:
        parts = [f"{self.done:,} of {self.pairs:,} decided", f"{self.left:,} left"]
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        if self.seconds:
            median = statistics.median(self.seconds)
            parts.append(f"{median:.0f} s a pair" if median >= 1 else f"{median:.1f} s a pair")
            if self.left:
                parts.append(f"about {duration(median * self.left)} to go")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a span of time in words, as rough as it is known."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours < 24 else f"{hours:,} h"


def progress(store: Store, *, rater: str) -> Progress:
    """Read how far the labelling is."""
    counts = pairs.counts(store)
    total = counts.pop("pairs")
    recent = deque(reversed(recent_seconds(store, rater=rater, limit=RECENT)), maxlen=RECENT)
    return Progress(total, sum(counts.values()), counts.get("skip", 0), recent)


def next_pair(store: Store, *, after: int = 0) -> Shown | None:
    """Return the next pair without a verdict, beginning after one and going round; None when all have one."""
    found = pairs.unjudged(store, after=after) or (pairs.unjudged(store) if after else [])
    return show(store, found[0]) if found else None


def show(store: Store, pair: Pair) -> Shown:
    """Return a pair with all that is shown of it."""
    example = examples.get(store, pair.example_id)
    return Shown(
        pair,
        prompt_of(example.messages) or example.messages,
        responses.get(store, pair.left_id),
        responses.get(store, pair.right_id),
        example.flagged,
    )


def is_open(store: Store, pair: Pair) -> bool:
    """Tell whether a pair still waits for a verdict, and its data is in use."""
    return pair in pairs.unjudged(store, after=pair.id - 1)


def add_edited(store: Store, original: Response, messages: list[Message], *, rater: str) -> int:
    """Keep an edited reply as a third one, and queue it against the one it was made from; return its id."""
    with store.transaction():
        edited = responses.add(
            store, original.example_id, messages, origin="human", author=rater, parent_id=original.id
        )
        pairs.add_pair(store, original.example_id, original.id, edited, seed=random.SystemRandom().getrandbits(31))
    return edited


def nothing_left(progress: Progress) -> str:
    """Say why there is no pair to judge, and what to do next."""
    if not progress.pairs:
        return "There are no pairs to compare yet.\n\nImport a file with two responses a prompt (Data, key 1)."
    decided = f"{progress.pairs:,} {'is' if progress.pairs == 1 else 'are'} decided"
    return (
        f"No pair is left to decide; {decided}.\n\n"
        "Train on them: Train (key 4), then n for a new run.\n"
        "Look again: u takes your latest verdict back."
    )
