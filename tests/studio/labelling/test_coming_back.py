"""What comes back unannounced: how much, when, with which sides; of this session and of earlier ones."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from queued import add_pairs, add_prompt, judge, judge_some, ready, work
from stored import current_verdicts, standing_verdicts

from store import examples, journal
from store.database import Store, create_store
from studio.labelling.queue import Queue
from studio.labelling.shown import Shown
from studio.labelling.task_settings import Task


def task(**changes: object) -> Task:
    return Task("t", **{"repeats": 0.2, "anchors": 0, **changes})


def of(shown: list[Shown], purpose: str | None) -> list[Shown]:
    return [each for each in shown if each.purpose == purpose]


@contextmanager
def days_ago(monkeypatch: pytest.MonkeyPatch, days: float) -> Iterator[None]:
    """Let what is judged be judged some days ago."""
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")
    with monkeypatch.context() as patched:
        patched.setattr("store.journal.now", lambda: moment)
        patched.setattr("studio.labelling.repeats.now", lambda: moment)
        yield


@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.data())
def test_a_share_comes_back_and_never_within_the_next_fifteen(data) -> None:
    number, share = data.draw(st.integers(10, 40)), data.draw(st.sampled_from([0.0, 0.1, 0.3, 1.0]))
    with tempfile.TemporaryDirectory() as folder, create_store(Path(folder) / "studio.db") as store:
        waiting = add_pairs(store, number)
        shown: list[Shown] = []
        queue = Queue(task(repeats=share, seed=data.draw(st.integers(0, 99))), "Ada")
        while found := judge_some(store, queue, data.draw(st.integers(1, 30))):
            shown += found
            if data.draw(st.booleans()):
                queue = Queue(queue.task, "Ada")
        again = [each.pair.id for each in of(shown, "repeat")]
        assert [each.pair.id for each in of(shown, None)] == waiting
        assert len(set(again)) == len(again)
        # Of the last fifteen some may have come too late for others to come between.
        assert max(0, min(floor(share * number), number - 15)) <= len(again) <= ceil(share * number)
        order = [each.pair.id for each in shown]
        for at, each in enumerate(shown):
            if each.purpose == "repeat":
                assert each.pair.id not in order[max(0, at - 15) : at]
        assert {e.purpose for e in standing_verdicts(store)} <= {"first", "repeat"}


def test_half_of_them_come_with_the_sides_swapped(store) -> None:
    add_pairs(store, 60)
    shown = list(work(store, Queue(task(), "Ada")))
    left = {each.pair.id: each.left.id for each in of(shown, None)}
    swapped = [each.left.id != left[each.pair.id] for each in of(shown, "repeat")]
    assert len(swapped) == 12
    assert sum(swapped) == 6
    assert all(sum(swapped[at : at + 2]) == 1 for at in range(0, 12, 2))
    assert swapped not in ([False, True] * 6, [True, False] * 6)


def test_when_they_come_cannot_be_told(store) -> None:
    add_pairs(store, 120)
    shown = list(work(store, Queue(task(repeats=0.1), "Ada")))
    places = [at for at, each in enumerate(shown) if each.purpose == "repeat"]
    assert len({after - before for before, after in pairwise(places)}) > 3


def test_a_repeat_that_is_undone_comes_again_as_one(store) -> None:
    add_pairs(store, 40)
    queue = Queue(task(), "Ada")
    shown = queue.next(store)
    while shown.purpose != "repeat":
        judge(store, queue, shown)
        shown = queue.next(store)
    counting = journal.current_verdict(store, shown.pair.id)
    judge(store, queue, shown, "both_bad")
    assert not queue.is_open(store, shown)
    assert queue.next(store).pair.id != shown.pair.id
    again = queue.show_again(store, journal.undo(store, rater="Ada"))
    assert again == shown
    assert queue.is_open(store, again)
    judge(store, queue, again, "right")
    assert journal.current_verdict(store, shown.pair.id) == counting
    repeats = of(list(work(store, queue)), "repeat")
    assert shown.pair.id not in [each.pair.id for each in repeats]


def test_what_was_skipped_or_excluded_does_not_come_back(store) -> None:
    add_pairs(store, 50)
    queue = Queue(task(repeats=1.0), "Ada")
    skipped, excluded = set(), set()
    while shown := queue.next(store):
        assert shown.pair.id not in skipped | excluded
        number = shown.pair.id
        verdict = "skip" if shown.purpose is None and number % 3 == 0 else "left"
        judge(store, queue, shown, verdict)
        if verdict == "skip":
            skipped.add(number)
        elif number % 5 == 0:
            examples.set_excluded(store, shown.pair.example_id, True)
            excluded.add(number)
    assert len(skipped) == 16


def test_what_a_ranking_asks_is_not_interrupted(store) -> None:
    with store.transaction():
        for _ in range(12):
            add_prompt(store, ("a", "b", "c", "d"))
    queue = ready(store, Queue(task(ranking=True), "Ada"))
    shown = list(work(store, queue, lambda s: "left" if s.left.author < s.right.author else "right"))
    assert of(shown, "repeat")
    assert all(not each.ranking for each in of(shown, "repeat"))
    new = [each.pair.example_id for each in of(shown, None)]
    assert new == sorted(new)
    for before, each, after in zip(shown, shown[1:], shown[2:], strict=False):
        if each.purpose == "repeat" and before.purpose is None and after.purpose is None:
            assert before.pair.example_id != after.pair.example_id


def test_pairs_of_earlier_sessions_come_back_in_a_later_one(store, monkeypatch) -> None:
    waiting = add_pairs(store, 90)
    anchored = task(repeats=0, anchors=5)
    with days_ago(monkeypatch, 3):
        assert not of(judge_some(store, ready(store, Queue(anchored, "Ada")), 30), "anchor")
    plans = [Queue(anchored, "Ada").plan(store).anchors for _ in range(2)]
    assert plans[0] == plans[1]
    assert set(plans[0]) <= set(waiting[:30])
    shown = judge_some(store, ready(store, Queue(anchored, "Ada")), 20)
    # A restart is no new session.
    shown += list(work(store, ready(store, Queue(anchored, "Ada"))))
    anchors = of(shown, "anchor")
    assert len(anchors) == len({each.pair.id for each in anchors}) == 5
    assert {each.pair.id for each in anchors} <= set(plans[0])
    assert shown.index(anchors[-1]) < 40
    assert [each.pair.id for each in of(shown, None)] == waiting[30:]
    counting = {e.purpose for e in current_verdicts(store)}
    assert counting == {"first"}


def test_no_anchor_comes_where_nothing_else_is_to_be_done(store, monkeypatch) -> None:
    add_pairs(store, 20)
    everything = task(repeats=0.5, anchors=5)
    with days_ago(monkeypatch, 1):
        judge_some(store, ready(store, Queue(everything, "Ada")), 100)
    assert ready(store, Queue(everything, "Ada")).next(store) is None


def test_a_pause_begins_a_new_session(store, monkeypatch) -> None:
    add_pairs(store, 60)
    anchored = task(repeats=0, anchors=2)
    with days_ago(monkeypatch, 40 / 60 / 24):
        queue = ready(store, Queue(anchored, "Ada"))
        judge_some(store, queue, 20)
        assert not queue.wants_plan(store)
    assert queue.wants_plan(store)
    assert len(of(judge_some(store, ready(store, queue), 30), "anchor")) == 2


def test_a_long_session_is_one(store) -> None:
    add_pairs(store, 300)
    queue = ready(store, Queue(task(repeats=0.1, anchors=5), "Ada"))
    shown = judge_some(store, queue, 290)
    assert not queue.wants_plan(store)
    restarted = ready(store, Queue(queue.task, "Ada"))
    shown += list(work(store, restarted))
    assert not of(shown, "anchor")
    assert len(of(shown, "repeat")) in (29, 30)


def test_other_peoples_pairs_and_other_tasks_do_not_come_back(store, monkeypatch) -> None:
    add_pairs(store, 90)
    with days_ago(monkeypatch, 2):
        judge_some(store, Queue(task(), "Ben"), 20)
        judge_some(store, Queue(Task("other", repeats=0), "Ada"), 20)
    shown = judge_some(store, ready(store, Queue(task(repeats=0, anchors=5), "Ada")), 30)
    assert not of(shown, "anchor")


def test_a_session_elsewhere_counts(store: Store) -> None:
    add_pairs(store, 60)
    here, there = Queue(task(), "Ada"), Queue(task(), "Ada")
    shown: list[Shown] = []
    while found := [*judge_some(store, here, 1), *judge_some(store, there, 2)]:
        shown += found
    again = [each.pair.id for each in of(shown, "repeat")]
    assert len(again) == len(set(again)) == 12
