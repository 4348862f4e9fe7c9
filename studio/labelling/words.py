"""What verdicts are called on screens and in reports."""

from store.journal import Entry, Strength
from store.pairs import Verdict

VERDICT_WORDS: dict[Verdict, str] = {
    "left": "left better",
    "right": "right better",
    "tie": "tie",
    "both_bad": "both bad",
    "skip": "skipped",
}


def entry_words(entry: Entry) -> str:
    """Return what was said, in a few words."""
    assert entry.verdict is not None
    words = verdict_words(entry.verdict, entry.strength)
    return f"{entry.criterion}: {words}" if entry.criterion else words


def verdict_words(verdict: Verdict, strength: Strength) -> str:
    """Return a verdict with its strength."""
    words = VERDICT_WORDS[verdict]
    return words.replace(" ", f" {strength} ", 1) if strength and verdict in ("left", "right") else words
