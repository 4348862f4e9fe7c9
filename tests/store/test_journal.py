"""The comparison journal: what counts now, undo and redo, and that nothing written is ever changed."""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import get_args

import pytest
from stored import current_verdicts, standing_verdicts, waiting_pairs

from store import examples, journal, pair_queues, pairs, records, responses
from store.database import Store
from store.errors import MissingRowError
from store.pairs import Verdict


def new_responses(store: Store) -> tuple[int, int, int]:
    """Add an example with two responses; return their ids."""
    example_id = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Why?"}], split="train")
    first, second = (
        responses.add(store, example_id, [{"role": "assistant", "content": text}], origin="human")
        for text in ("Because.", "Why not?")
    )
    return example_id, first, second


def new_pair(store: Store, *, seed: int = 0) -> pairs.Pair:
    """Add an example with two responses and return their pair."""
    example_id, first, second = new_responses(store)
    return pairs.get(store, pairs.add_pair(store, example_id, first, second, seed=seed))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE comparison SET verdict = 'right'",
        "UPDATE comparison SET note = note",
        "DELETE FROM comparison",
        "INSERT OR REPLACE INTO comparison SELECT * FROM comparison",
    ],
)
def test_what_was_said_is_never_changed(store, change) -> None:
    journal.judge(store, new_pair(store), "left", rater="Ada")
    before = list(journal.entries(store))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.connection.execute(change)
    assert list(journal.entries(store)) == before


@pytest.mark.parametrize("verdict", get_args(Verdict))
@pytest.mark.parametrize("seed", [6, 7])
def test_the_better_and_the_worse_are_named_by_id(store, verdict, seed) -> None:
    pair = new_pair(store, seed=seed)
    journal.judge(store, pair, verdict, rater="Ada")
    left, right = (pair.second_id, pair.first_id) if seed % 2 else (pair.first_id, pair.second_id)
    expected = {"left": (left, right), "right": (right, left)}.get(verdict)
    assert journal.current_verdict(store, pair.id).chosen_and_rejected == expected


def test_a_comment_or_an_undo_names_no_winner(store) -> None:
    pair = new_pair(store)
    journal.comment(store, pair.id, "hm", rater="Ada")
    journal.judge(store, pair, "left", rater="Ada")
    journal.undo(store, rater="Ada")
    decisions = [entry.chosen_and_rejected for entry in journal.entries(store, pair_id=pair.id)]
    assert decisions == [None, (pair.left_id, pair.right_id), None]


def test_redo_gives_back_in_order_and_once(store) -> None:
    queue = [new_pair(store) for _ in range(3)]
    given = [journal.judge(store, pair, "left", rater="Ada") for pair in queue]
    undone = [journal.undo(store, rater="Ada").id for _ in range(2)]
    back = [journal.redo(store, rater="Ada").id for _ in range(2)]
    assert (undone, back) == (given[:0:-1], given[1:])
    assert journal.redo(store, rater="Ada") is None
    assert [e.id for e in current_verdicts(store)] == given


def test_a_new_verdict_leaves_nothing_to_redo(store) -> None:
    first, second = new_pair(store), new_pair(store)
    journal.judge(store, first, "left", rater="Ada")
    journal.undo(store, rater="Ada")
    journal.judge(store, second, "right", rater="Ben")
    assert journal.redo(store, rater="Ben") is None
    journal.judge(store, second, "tie", rater="Ada")
    assert journal.redo(store, rater="Ada") is None
    assert waiting_pairs(store) == [first]


def test_undo_reveals_the_verdict_before_it(store) -> None:
    pair = new_pair(store)
    journal.judge(store, pair, "left", rater="Ada")
    journal.judge(store, pair, "tie", rater="Ada")
    journal.undo(store, rater="Ada")
    assert journal.current_verdict(store, pair.id).verdict == "left"
    assert [entry.verdict for entry in standing_verdicts(store)] == ["left"]


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ([("left", "Ada", "first"), ("right", "Ada", "repeat")], 0),
        ([("left", "Ada", "first"), ("right", "Ada", "anchor")], 0),
        ([("right", "Ada", "repeat")], None),
        ([("left", "Ada", "first"), ("right", "Ben", "second")], 0),
        ([("right", "Ben", "second")], 0),
        ([("right", "Ben", "second"), ("left", "Ada", "first")], 1),
        ([("left", "Ada", "first"), ("tie", "Ada", "change")], 1),
        ([("left", "Ada", "first"), ("right", "Ben", "second"), ("right", "Ben", "review")], 2),
        ([("left", "Ada", "first"), ("right", "Ben", "second"), ("skip", "Ben", "review")], 0),
        ([("left", "Ada", "first"), ("right", "Ada", "edited"), ("left", "Ben", "second")], 1),
    ],
)
def test_which_verdict_counts_hangs_on_why_it_was_given(store, said, counts) -> None:
    pair = new_pair(store)
    given = [journal.judge(store, pair, verdict, rater=rater, purpose=purpose) for verdict, rater, purpose in said]
    counting = journal.current_verdict(store, pair.id)
    assert (counting.id if counting else None) == (None if counts is None else given[counts])
    assert pairs.counts(store).get(said[counts][0] if counting else "left", 0) == bool(counting)


def test_a_second_opinion_counts_once_the_first_is_taken_back(store) -> None:
    pair = new_pair(store)
    journal.judge(store, pair, "left", rater="Ada")
    journal.judge(store, pair, "right", rater="Ben", purpose=journal.purpose_of(store, pair.id, "Ben"))
    assert journal.current_verdict(store, pair.id).rater == "Ada"
    journal.undo(store, rater="Ada")
    assert journal.current_verdict(store, pair.id).rater == "Ben"
    journal.redo(store, rater="Ada")
    assert journal.current_verdict(store, pair.id).rater == "Ada"


def test_what_is_implied_goes_and_comes_with_what_implies_it(store) -> None:
    head, *followers = [new_pair(store) for _ in range(3)]
    said = journal.judge(store, head, "left", rater="Ada")
    for pair in followers:
        journal.judge(store, pair, "left", rater="Ada", purpose="implied", implied_by=said)
    assert journal.undo(store, rater="Ada").id == said
    assert pairs.counts(store) == {"pairs": 3}
    assert journal.undo(store, rater="Ada") is None
    assert journal.redo(store, rater="Ada").id == said
    assert pairs.counts(store) == {"pairs": 3, "left": 3}
    assert [entry.id for entry in journal.latest_verdicts(store, rater="Ada", limit=9)] == [said]


def test_undo_and_redo_reach_criteria_in_the_order_in_which_they_were_said(store) -> None:
    pair = new_pair(store)
    truth = journal.judge_criterion(store, pair, "truth", "left", rater="Ada", shown_at=None)
    tone = journal.judge_criterion(store, pair, "tone", "tie", rater="Ada", shown_at=None)
    journal.judge_criterion(store, pair, "tone", "right", rater="Ben", shown_at=None)
    assert [e.id for e in journal.criteria_of(store, pair.id, rater="Ada")] == [truth, tone]
    overall = journal.judge(store, pair, "left", rater="Ada")
    assert journal.criteria_of(store, pair.id, rater="Ada") == []
    assert [journal.undo(store, rater="Ada").id for _ in range(2)] == [overall, tone]
    assert [e.id for e in journal.criteria_of(store, pair.id, rater="Ada")] == [truth]
    assert [journal.redo(store, rater="Ada").id for _ in range(2)] == [tone, overall]


def test_excluded_data_is_neither_asked_nor_counted(store) -> None:
    kept, dropped = new_pair(store), new_pair(store)
    journal.judge(store, dropped, "left", rater="Ada")
    examples.set_excluded(store, dropped.example_id, True)
    assert pairs.counts(store) == {"pairs": 1}
    assert waiting_pairs(store) == [kept]
    examples.set_excluded(store, dropped.example_id, False)
    assert pairs.counts(store) == {"pairs": 2, "left": 1}


def test_an_excluded_record_takes_its_pairs_along(store) -> None:
    source = records.add_source(store, name="a", path="/a", container="jsonl", format="plain", size=1)
    [record] = records.add(store, source, [records.NewRecord(1, "{}", {}, b"")])
    example_id = examples.add(store, record_id=record, messages=[{"role": "user", "content": "Q"}], split="train")
    first, second = (responses.add(store, example_id, [], origin="file") for _ in range(2))
    pairs.add_pair(store, example_id, first, second, seed=0)
    records.set_excluded(store, record, True)
    assert pairs.counts(store) == {"pairs": 0}
    assert waiting_pairs(store) == []


def test_the_queue_goes_on_after_a_pair(store) -> None:
    queue = [new_pair(store) for _ in range(5)]
    journal.judge(store, queue[2], "skip", rater="Ada")
    assert pair_queues.first_undecided(store, after=queue[1].id, limit=2) == [queue[3].id, queue[4].id]


def test_verdicts_of_one_example(store) -> None:
    pair, other = new_pair(store), new_pair(store)
    for judged in (other, pair):
        journal.judge(store, judged, "left", rater="Ada")
    assert [e.pair_id for e in journal.current_verdicts_of(store, pair.example_id)] == [pair.id]


def test_an_unknown_pair_is_named(store) -> None:
    with pytest.raises(MissingRowError, match="pair 77"):
        pairs.get(store, 77)


def test_remarks_are_comments_and_the_notes_of_verdicts_that_count(store) -> None:
    example_id, pair = queued(store)
    journal.judge(store, pair, "left", rater="Ruth", note="the first thought")
    journal.comment(store, pair.id, "a second look", rater="Ada")
    journal.undo(store, rater="Ruth")
    assert journal.remarks(store, example_id) == [("Ada", "a second look")]
    journal.judge(store, pair, "right", rater="Ruth", note="kinder")
    assert journal.remarks(store, example_id) == [("Ada", "a second look"), ("Ruth", "kinder")]
    assert journal.remarks(store, example_id + 1) == []


def queued(store) -> tuple[int, pairs.Pair]:
    example_id = examples.add(store, record_id=None, messages=[{"role": "user", "content": "?"}], split="train")
    replies = [
        responses.add(store, example_id, [{"role": "assistant", "content": text}], origin="file") for text in "ab"
    ]
    return example_id, pairs.get(store, pairs.add_pair(store, example_id, *replies, seed=2))


def test_a_long_journal_costs_a_key_nothing(store) -> None:
    """Count SQLite's steps: whatever goes through the rater's lines takes thousands of them."""
    pair, old, fresh = new_pair(store), new_pair(store), new_pair(store)
    journal.judge(store, old, "left", rater="Ada")
    with store.transaction():
        for _ in range(500):
            journal.judge(store, pair, "left", rater="Ben")
        queue = [new_pair(store) for _ in range(600)]
        for each in queue:
            journal.judge_criterion(store, each, "truth", "left", rater="Ada", shown_at=None)
            journal.judge(store, each, "left", rater="Ada")
    keys: dict[str, Callable[[], object]] = {
        "judge": lambda: journal.judge(store, old, "right", rater="Ada", purpose="change"),
        "judge by criterion": lambda: journal.judge_criterion(store, old, "tone", "tie", rater="Ada", shown_at=None),
        "comment": lambda: journal.comment(store, old.id, "hm", rater="Ada"),
        "purpose": lambda: journal.purpose_of(store, old.id, "Ben"),
        "criteria": lambda: journal.criteria_of(store, old.id, rater="Ada"),
        "criteria of a new pair": lambda: journal.criteria_of(store, fresh.id, rater="Ada"),
        "of the example": lambda: journal.standing_verdicts_of(store, old.example_id, rater="Ada"),
        "that count": lambda: journal.current_verdicts_of(store, old.example_id),
        "latest": lambda: journal.latest_verdicts(store, rater="Ada", limit=1),
        "undo": lambda: journal.undo(store, rater="Ada"),
        "redo": lambda: journal.redo(store, rater="Ada"),
        "nothing to redo": lambda: journal.redo(store, rater="Ada"),
        "nobody's undo": lambda: journal.undo(store, rater="Cleo"),
    }
    assert {name: steps for name, key in keys.items() if (steps := steps_of(store, key)) > 1_500} == {}
    assert steps_of(store, partial(standing_verdicts, store)) > 15_000


def steps_of(store: Store, work: Callable[[], object]) -> int:
    """Return how many steps of SQLite's machine some work takes, to a hundred."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 100

    store.connection.set_progress_handler(count, 100)
    try:
        work()
    finally:
        store.connection.set_progress_handler(None, 100)
    return taken
