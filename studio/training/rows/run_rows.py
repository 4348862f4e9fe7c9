"""The rows of a run: those of the project that its method learns from, and with a parent a share of what that knew."""

import hashlib
import random
from collections import Counter
from dataclasses import replace

from store.database import Store
from store.runs import Run
from store.snapshots import Items, SnapshotItem, SnapshotKind
from studio.errors import StudioError
from studio.formats.row import PreferenceRow, SftRow
from studio.snapshot_rows import SnapshotRow
from studio.snapshots import ID_LENGTH, Built, build, outcomes, recall
from studio.training.recipe import KINDS, Recipe, from_table, kind_of

_CONVERSATIONS: tuple[SnapshotKind, ...] = ("sft", "distillation")
"""Kinds whose rows are of one form, so that either can be replayed among the other."""

KNOWN_ALREADY = "the parent's already"
SAME_ANSWER = "an answer that another pair has as well"
NOT_MEASURED = "held out but not measured (held_out_rows)"

Rows = list[tuple[SnapshotItem, SnapshotRow]]


def rows_of(store: Store, recipe: Recipe, parent: Run | None) -> Built:
    """Return what a run learns from and is measured with.

    With `replay` these are the rows that the parent has not seen, and a seeded choice of those that it has: all
    that can be used still, so that what was excluded or edited since stays out.

    Raises:
        StudioError: replay is asked for, and there is no parent, nothing new, or rows of another form.
    """
    built = _learnt_from(recipe, build(store, kind_of(recipe), teacher=recipe.teacher))
    built = _measured_with(recipe, built)
    if not recipe.replay:
        return built
    if parent is None:
        raise StudioError("replay mixes in rows of a parent, and this run has none.", "Name one, or leave replay=0.")
    return _with_replay(store, recipe, built, parent)


def _learnt_from(recipe: Recipe, built: Built) -> Built:
    """Return the rows as the method learns them: where pairs are there for their better answers, only these."""
    if kind_of(recipe) == KINDS[recipe.method]:
        return built
    rows = _better_answers(built.rows)
    return _narrowed(built, rows, {SAME_ANSWER: len(built.rows) - len(rows)}, "chosen")


def _better_answers(rows: Rows) -> Rows:
    """Return each better answer of pairs once, as a conversation that ends with it."""
    learnt: dict[tuple[int, int | None], tuple[SnapshotItem, SnapshotRow]] = {}
    for item, row in rows:
        if isinstance(row, PreferenceRow):
            learnt.setdefault((item.example_id, item.chosen_id), (item, SftRow(row.prompt + row.chosen, row.tools)))
    return list(learnt.values())


def _measured_with(recipe: Recipe, built: Built) -> Built:
    """Return the rows with no more held-out ones than are wanted: which they are hangs on their ids alone."""
    held_out = [item for item, _ in built.rows if item.split == "validation"]
    if not recipe.held_out_rows or len(held_out) <= recipe.held_out_rows:
        return built
    measured = set(sorted(held_out, key=_lot)[: recipe.held_out_rows])
    rows = [(item, row) for item, row in built.rows if item.split != "validation" or item in measured]
    left_out = {NOT_MEASURED: len(held_out) - len(measured)}
    return _narrowed(built, rows, left_out, f"held_out_rows={recipe.held_out_rows}")


def _lot(item: SnapshotItem) -> bytes:
    return hashlib.sha256(repr((item.example_id, item.chosen_id, item.rejected_id)).encode()).digest()


def _narrowed(built: Built, rows: Rows, left_out: dict[str, int], how: str) -> Built:
    """Return a snapshot of some rows of another."""
    items = Items(item for item, _ in rows)
    number = hashlib.sha256(repr([how, built.snapshot.id]).encode()).hexdigest()[:ID_LENGTH]
    reasons = Counter(built.left_out) + Counter(left_out)
    counts = {**Counter(item.split for item in items), "left_out": dict(reasons)}
    return Built(replace(built.snapshot, id=number, items=items, counts=counts), rows)


def _with_replay(store: Store, recipe: Recipe, built: Built, parent: Run) -> Built:
    known = _rows_of_parent(store, recipe, parent)
    seen = {item for item, _ in known}
    new = [row for row in built.rows if row[0].split != "train" or row[0] not in seen]
    fresh = sum(item.split == "train" for item, _ in new)
    if not fresh:
        raise StudioError(
            f"{parent.id} has seen every row already, so there is nothing to mix its rows among.", "Leave replay=0."
        )
    wanted = min(len(known), round(recipe.replay * fresh))
    replayed = random.Random(recipe.seed).sample(known, wanted)
    return _joined(built, new, replayed)


def _rows_of_parent(store: Store, recipe: Recipe, parent: Run) -> Rows:
    """Return what the parent was trained on and can be used still, in the order that it had."""
    theirs = from_table(parent.recipe)
    kind, ours = KINDS[theirs.method], KINDS[recipe.method]
    if kind != ours and not (kind in _CONVERSATIONS and ours in _CONVERSATIONS):
        raise StudioError(
            f"{parent.id} learnt from rows of another form ({theirs.method}), which can't be replayed.",
            "Leave replay=0.",
        )
    with store.reading():
        kept = {item for item in recall(store, parent.snapshot_id).snapshot().items if item.split == "train"}
    if not kept:
        raise StudioError(f"The rows of {parent.id} are not known here, so none can be replayed.", "Leave replay=0.")
    examples = sorted({item.example_id for item in kept})
    usable: Rows = []
    # Of other kinds are those that the parent replayed itself.
    for each in (*_CONVERSATIONS, "preference") if kind in _CONVERSATIONS else (kind,):
        found = outcomes(store, each, examples, teacher=theirs.teacher)
        rows = [(outcome.item, outcome.row) for outcome in found if outcome.row and outcome.item in kept]
        usable += _better_answers(rows) if kind in _CONVERSATIONS and each == "preference" else rows
    return usable


def _joined(built: Built, new: Rows, replayed: Rows) -> Built:
    rows = new + replayed
    items = Items(item for item, _ in rows)
    # Of rows that two snapshots are known by, one whole and one chosen from.
    content = repr(["replay", built.snapshot.id, [tuple(item) for item, _ in rows]])
    number = hashlib.sha256(content.encode()).hexdigest()[:ID_LENGTH]
    left_out = Counter(built.left_out) + Counter({KNOWN_ALREADY: len(built.rows) - len(new)})
    counts = {**Counter(item.split for item in items), "replayed": len(replayed), "left_out": dict(left_out)}
    return Built(replace(built.snapshot, id=number, items=items, counts=counts), rows)
