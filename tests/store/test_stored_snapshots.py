"""Snapshots as they are stored: in order, once for each content, and never changed by what comes later."""

import pytest

from store import examples, journal, pairs, responses, snapshots
from store.errors import MissingRowError
from store.snapshots import Items, Snapshot, SnapshotItem


@pytest.fixture
def preference(store) -> Snapshot:
    """A snapshot of three examples, the last one with a judged pair."""
    made = [
        examples.add(store, record_id=None, messages=[{"role": "user", "content": str(n)}], split="train")
        for n in range(3)
    ]
    chosen, rejected = (responses.add(store, made[2], [], origin="human") for _ in range(2))
    pair = pairs.get(store, pairs.add_pair(store, made[2], chosen, rejected, seed=0))
    verdict = journal.judge(store, pair, "left", rater="Ada")
    items = [
        SnapshotItem("test", made[1], 1),
        SnapshotItem("train", made[0], 1),
        SnapshotItem("train", made[2], 1, chosen, rejected, verdict),
    ]
    return Snapshot("abc", "preference", items, "split:all", {"train": 2, "left_out": {"judged a tie": 4}})


def test_a_snapshot_is_given_back_as_it_was_saved(store, preference) -> None:
    snapshots.save(store, preference)
    assert snapshots.get(store, "abc") == preference


def test_the_same_content_is_kept_once(store, preference) -> None:
    snapshots.save(store, preference)
    snapshots.save(store, Snapshot("abc", "sft", [], "other"))
    assert snapshots.get(store, "abc") == preference


def test_later_edits_and_verdicts_leave_it_alone(store, preference) -> None:
    snapshots.save(store, preference)
    examples.revise(store, preference.items[0].example_id, [])
    journal.undo(store, rater="Ada")
    assert snapshots.get(store, "abc") == preference


def test_many_items_come_back_in_order_and_take_little_room(store) -> None:
    items = [
        SnapshotItem(
            "test" if n % 7 == 0 else "train", n, 1 + (n % 50 == 0), 3 * n if n % 2 else None, 3 * n + 1, n + 9
        )
        for n in range(1, 25_001)
    ]
    packed = Items(iter(items))
    assert (len(packed), packed) == (25_000, items)
    snapshots.save(store, Snapshot("many", "preference", packed))
    assert snapshots.get(store, "many").items == items
    sizes = store.connection.execute("SELECT COUNT(*), SUM(LENGTH(items)) FROM snapshot_block").fetchone()
    assert sizes[0] == 3
    assert sizes[1] < 5 * 25_000


def test_what_is_not_there_is_said(store) -> None:
    with pytest.raises(MissingRowError, match="snapshot none"):
        snapshots.get(store, "none")


def test_an_empty_snapshot_has_no_items(store) -> None:
    snapshots.save(store, Snapshot("none", "sft", []))
    assert snapshots.get(store, "none") == Snapshot("none", "sft", [])
