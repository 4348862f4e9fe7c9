"""Whose the replies were that were judged: told afterwards, and never while one of them is in sight."""

from store import journal, responses
from store.database import Store
from store.responses import Response
from studio.labelling.shown import Shown
from studio.labelling.words import entry_words


def whose_words(store: Store, rater: str, shown: Shown | None) -> str:
    """Tell whose the replies of the latest verdict were, or why that is not told while a pair is in sight."""
    entry = next(iter(journal.latest_verdicts(store, rater=rater, limit=1)), None)
    if entry is None:
        return "No pair was judged yet."
    if shown is not None and entry.pair_id == shown.pair.id:
        return "Judge this pair first; then w tells whose they were."
    if entry.left_id is None or entry.right_id is None:
        return ""
    left, right = responses.get(store, entry.left_id), responses.get(store, entry.right_id)
    # Where replies are ranked one of them comes back at once; files have one reply in several rows.
    if shown is not None and shown.says(left.messages, right.messages):
        return "One of the replies judged last is here again; w tells once it is not."
    return f"Judged last: left {whose(left)}, right {whose(right)} ({entry_words(entry)})"


def whose(response: Response) -> str:
    """Return where a reply is from: who wrote it, and how it was sampled."""
    words = response.author or {"human": "a person", "file": "the file"}.get(response.origin, response.origin)
    temperature = response.parameters.get("temperature")
    return words if temperature is None else f"{words} at {temperature:g}"
