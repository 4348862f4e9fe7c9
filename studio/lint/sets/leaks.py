"""Prompts that are in more than one split."""

from collections.abc import Iterator
from textwrap import shorten

from store import findings_of_store
from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.features import Features
from studio.lint.noted import Noted
from studio.lint.sets.near_inputs import figures, near_inputs

HELD_OUT_MOST = ("test", "validation", "train")
EXCERPT = 100
"""Characters of the held-out input that are shown."""


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


def like_held_out(noted: Noted, context: Context) -> Iterator[Found]:
    """Find each classified example whose input is nearly one that is held out more: it is the one to exclude."""
    for task, near in near_inputs(noted, context):
        across = [_held_out_first(*pair) for pair in near.pairs if _is_across(*pair)]
        for row_id, held in sorted({other.id: held for held, other in across if held.prompt != other.prompt}.items()):
            said = shorten(held.short_prompt, EXCERPT, placeholder=" ...")
            yield Found(row_id, f"nearly the input of example {held.id} in {held.split}: {said}")
        if across:
            held_out = sum(row.split != "train" for row in task.rows)
            yield Found(
                None,
                f"{len({held.id for held, _ in across}):,} of {held_out:,} held-out inputs have one like them, or the"
                " same, in a split that is held out less. Short questions are alike by nature: exclude what only copies"
                " another.",
            )


def _is_across(one: Features, other: Features) -> bool:
    """Tell whether two nearly equal inputs are in different splits, and do not differ by their numbers alone."""
    numbers, others = figures(one), figures(other)
    return one.split != other.split and (not numbers or not others or numbers == others)


def _held_out_first(one: Features, other: Features) -> tuple[Features, Features]:
    return (one, other) if HELD_OUT_MOST.index(one.split) < HELD_OUT_MOST.index(other.split) else (other, one)


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
    OfSet(
        Check(
            "like-held-out",
            "short inputs that are nearly held-out ones",
            "Examples to learn from nearly repeat, in other order or spelling, what the model is measured with: the"
            " figures come out too good. Those that near-leaks found already are not said again.",
            "warning",
        ),
        like_held_out,
        told_by="near-leaks",
        told_of=findings_of_store.of_leaks,
    ),
)
