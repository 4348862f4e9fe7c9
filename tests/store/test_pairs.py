"""The comparison journal: what counts now, undo and redo, and that nothing written is ever changed."""

import shutil
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from store import examples, journal, pairs, records, responses
from store.database import Store, create_store, open_store
from store.errors import MissingRowError
from store.pairs import Verdict

RATERS = ("Ada", "Ben")
VERDICTS = st.sampled_from(get_args(Verdict))


@dataclass(frozen=True)
class Given:
    """A verdict as the model remembers it."""

    entry: int
    pair: int
    verdict: str


class Journal(RuleBasedStateMachine):
    """The journal against plain lists: what stands and what was undone, for each person."""

    queued = Bundle("queued")

    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = create_store(self.folder / "studio.db")
        self.standing: dict[str, list[Given]] = {name: [] for name in RATERS}
        self.undone: dict[str, list[Given]] = {name: [] for name in RATERS}
        self.comments: dict[int, list[str]] = {}
        self.journal: list[journal.Entry] = []
        self.excluded: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(target=queued, seed=st.integers(0, 2**31 - 1))
    def add_pair(self, seed: int) -> pairs.Pair:
        pair = new_pair(self.store, seed=seed)
        self.comments[pair.id] = []
        assert {pair.left_id, pair.right_id} == {pair.first_id, pair.second_id}
        return pair

    @rule(pair=queued)
    def queue_again(self, pair: pairs.Pair) -> None:
        assert pairs.add_pair(self.store, pair.example_id, pair.first_id, pair.second_id, seed=9) == pair.id
        assert pairs.add_pair(self.store, pair.example_id, pair.second_id, pair.first_id, seed=9) == pair.id
        assert pairs.get(self.store, pair.id) == pair

    @rule(pair=queued, verdict=VERDICTS, rater=st.sampled_from(RATERS), note=st.text(max_size=9))
    def judge(self, pair: pairs.Pair, verdict: Verdict, rater: str, note: str) -> None:
        entry = journal.judge(self.store, pair, verdict, rater=rater, note=note)
        self.standing[rater].append(Given(entry, pair.id, verdict))
        self.undone[rater].clear()
        written = self._written()
        assert (written.kind, written.verdict, written.note) == ("verdict", verdict, note)
        assert (written.left_id, written.right_id, written.seed) == (pair.left_id, pair.right_id, pair.seed)

    @rule(rater=st.sampled_from(RATERS))
    def undo(self, rater: str) -> None:
        taken = journal.undo(self.store, rater=rater)
        if not self.standing[rater]:
            assert taken is None
            return
        given = self.standing[rater].pop()
        self.undone[rater].append(given)
        assert taken is not None
        assert (taken.id, taken.pair_id, taken.verdict) == (given.entry, given.pair, given.verdict)
        assert (self._written().kind, self.journal[-1].target_id) == ("undo", given.entry)

    @rule(rater=st.sampled_from(RATERS))
    def redo(self, rater: str) -> None:
        back = journal.redo(self.store, rater=rater)
        if not self.undone[rater]:
            assert back is None
            return
        given = self.undone[rater].pop()
        self.standing[rater].append(given)
        assert back is not None
        assert (back.id, back.pair_id, back.verdict) == (given.entry, given.pair, given.verdict)
        assert (self._written().kind, self.journal[-1].target_id) == ("redo", given.entry)

    @rule(pair=queued, note=st.text(max_size=9), rater=st.sampled_from(RATERS))
    def comment(self, pair: pairs.Pair, note: str, rater: str) -> None:
        journal.comment(self.store, pair.id, note, rater=rater)
        self.comments[pair.id].append(note)
        self._written()

    @rule(target=queued, said=st.lists(st.tuples(st.none() | VERDICTS, st.sampled_from(RATERS)), max_size=3))
    def bring_pair(self, said: list[tuple[Verdict | None, str]]) -> pairs.Pair:
        """Add a pair that a file brings along, judged by several people, as an import does."""
        example_id, first, second = new_responses(self.store)
        pair = pairs.Pair(pairs.next_id(self.store), example_id, first, second, 4)
        start = journal.next_id(self.store)
        entries: list[journal.NewEntry] = [
            (n, "verdict", pair.id, pair.left_id, pair.right_id, pair.seed, verdict, "", rater)
            if verdict
            else (n, "comment", pair.id, None, None, None, None, "remark", rater)
            for n, (verdict, rater) in enumerate(said, start)
        ]
        counts = next(((entry[0], entry[6]) for entry in reversed(entries) if entry[6]), (None, None))
        pairs.add_many(self.store, [(*pair, *counts)])
        journal.add_many(self.store, entries)
        self.comments[pair.id] = ["remark" for verdict, _ in said if not verdict]
        for number, (verdict, rater) in enumerate(said, start):
            if verdict:
                self.standing[rater].append(Given(number, pair.id, verdict))
                self.undone[rater].clear()
        self.journal.extend(list(journal.entries(self.store))[len(self.journal) :])
        assert [e.id for e in self.journal[len(self.journal) - len(said) :]] == list(range(start, start + len(said)))
        return pair

    @rule(pair=queued, excluded=st.booleans())
    def exclude(self, pair: pairs.Pair, excluded: bool) -> None:
        examples.set_excluded(self.store, pair.example_id, excluded)
        (self.excluded.add if excluded else self.excluded.discard)(pair.id)

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self.store = open_store(self.folder / "studio.db")

    def _written(self) -> journal.Entry:
        """Take the newest entry over into the model's journal."""
        newest = list(journal.entries(self.store))[len(self.journal) :]
        assert len(newest) == 1
        self.journal.extend(newest)
        return newest[0]

    @invariant()
    def journal_only_grows(self) -> None:
        assert list(journal.entries(self.store)) == self.journal

    @invariant()
    def what_counts_is_what_was_said_last(self) -> None:
        current: dict[int, Given] = {}
        for given in sorted((g for stack in self.standing.values() for g in stack), key=lambda g: g.entry):
            current[given.pair] = given
        stored = list(journal.current_verdicts(self.store))
        assert [(e.id, e.pair_id, e.verdict) for e in stored] == [
            (g.entry, g.pair, g.verdict) for g in sorted(current.values(), key=lambda g: g.entry)
        ]
        for pair_id, notes in self.comments.items():
            found = journal.current_verdict(self.store, pair_id)
            assert (found.id if found else None) == (current[pair_id].entry if pair_id in current else None)
            assert [e.note for e in journal.entries(self.store, pair_id=pair_id) if e.kind == "comment"] == notes
        live = [pair for pair in self.comments if pair not in self.excluded]
        assert [p.id for p in pairs.unjudged(self.store, limit=999)] == [p for p in live if p not in current]
        verdicts = Counter(given.verdict for given in current.values() if given.pair in live)
        assert pairs.counts(self.store) == {"pairs": len(live), **verdicts}

    @invariant()
    def what_stands_beside_a_pair_is_what_the_journal_says(self) -> None:
        beside = "SELECT id, verdict_id, verdict FROM pair WHERE verdict_id IS NOT NULL OR verdict IS NOT NULL"
        said = (
            "SELECT s.pair_id, s.id, s.verdict FROM standing_verdict s"
            " WHERE s.id = (SELECT MAX(o.id) FROM standing_verdict o WHERE o.pair_id = s.pair_id)"
        )
        rows = [sorted(self.store.connection.execute(query)) for query in (beside, said)]
        assert rows[0] == rows[1]

    @invariant()
    def latest_are_the_top_of_each_stack(self) -> None:
        for rater, stack in self.standing.items():
            latest = [e.id for e in journal.latest_verdicts(self.store, rater=rater, limit=3)]
            assert latest == [g.entry for g in reversed(stack)][:3]


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


Journal.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestJournal = Journal.TestCase


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
    assert [e.id for e in journal.current_verdicts(store)] == given


def test_a_new_verdict_leaves_nothing_to_redo(store) -> None:
    first, second = new_pair(store), new_pair(store)
    journal.judge(store, first, "left", rater="Ada")
    journal.undo(store, rater="Ada")
    journal.judge(store, second, "right", rater="Ben")
    assert journal.redo(store, rater="Ben") is None
    journal.judge(store, second, "tie", rater="Ada")
    assert journal.redo(store, rater="Ada") is None
    assert pairs.unjudged(store, limit=9) == [first]


def test_undo_reveals_the_verdict_before_it(store) -> None:
    pair = new_pair(store)
    journal.judge(store, pair, "left", rater="Ada")
    journal.judge(store, pair, "tie", rater="Ada")
    journal.undo(store, rater="Ada")
    assert journal.current_verdict(store, pair.id).verdict == "left"
    assert [entry.verdict for entry in journal.standing_verdicts(store)] == ["left"]


def test_excluded_data_is_neither_asked_nor_counted(store) -> None:
    kept, dropped = new_pair(store), new_pair(store)
    journal.judge(store, dropped, "left", rater="Ada")
    examples.set_excluded(store, dropped.example_id, True)
    assert pairs.counts(store) == {"pairs": 1}
    assert pairs.unjudged(store, limit=9) == [kept]
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
    assert pairs.unjudged(store) == []


def test_the_queue_goes_on_after_a_pair(store) -> None:
    queue = [new_pair(store) for _ in range(5)]
    journal.judge(store, queue[2], "skip", rater="Ada")
    assert pairs.unjudged(store, after=queue[1].id, limit=2) == queue[3:5]


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
