"""Prompts that are in more than one split."""

from collections.abc import Iterator

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted

HELD_OUT_MOST = ("test", "validation", "train")


def leaked_prompts(noted: Noted, _context: Context) -> Iterator[Found]:
    """Find each example whose prompt is also in a split that is held out more: it is the one to exclude."""
    everywhere = noted.asked_in.values()
    if len(set().union(*everywhere)) == sum(map(len, everywhere)):
        return
    by_split: dict[str, list[tuple[int, str]]] = {split: [] for split in HELD_OUT_MOST}
    for row_id, split, prompt in noted.columns("id", "split", "prompt"):
        if prompt:
            by_split[split].append((row_id, prompt))
    seen: dict[str, tuple[int, str]] = {}
    leaked: list[tuple[int, int, str]] = []
    for split, here in by_split.items():
        leaked += [(row_id, *seen[prompt]) for row_id, prompt in here if prompt in seen]
        for row_id, prompt in here:
            seen.setdefault(prompt, (row_id, split))
    for row_id, other, split in sorted(leaked):
        yield Found(row_id, f"asks the same as example {other} in {split}")


CHECKS = (
    OfSet(
        Check(
            "leaked-prompt",
            "prompts that are held out and trained on too",
            "Examples to learn from ask the same (but for case, spaces and punctuation) as those that the model is"
            " measured with: the figures would praise what it knows by heart. Excluding these keeps the measure.",
            "error",
        ),
        leaked_prompts,
    ),
)
