"""A task's queue: every pair once, whatever is undone, judged elsewhere, excluded or added meanwhile."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queued import PLAIN, add_pairs, ids, judge, judge_some, ready, task, work
from stored import standing_verdicts, waiting_pairs

from store import examples, journal, pairs, saved_queries
from store.database import create_store, open_store
from studio.labelling.queue import Queue
from studio.labelling.task_settings import Order


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_every_open_pair_comes_exactly_once(data) -> None:
    order = data.draw(st.sampled_from(sorted({*get_args(Order)} - {"disagreements"})))
    number = data.draw(st.integers(0, 9))
    with tempfile.TemporaryDirectory() as folder, create_store(Path(folder) / "studio.db") as store:
        open_pairs = add_pairs(store, number)
        queue = Queue(task(order=order, seed=data.draw(st.integers(0, 9))), "Ada")
        come: list[int] = []
        stays = True
        while stays:
            what = data.draw(st.sampled_from(["judge", "judge", "judge", "skip", "undo", "plan", "restart", "ahead"]))
            if what == "plan":
                ready(store, queue)
            elif what == "restart":
                queue = Queue(queue.task, "Ada")
            elif what == "ahead":
                queue.prefetch(store)
            elif what == "undo" and come:
                entry = journal.undo(store, rater="Ada")
                assert entry
                come.remove(entry.pair_id)
                shown = queue.show_again(store, entry)
                assert (shown.pair.id, shown.left.id, shown.right.id) == (entry.pair_id, entry.left_id, entry.right_id)
            elif shown := queue.next(store):
                assert queue.is_open(store, shown)
                assert (shown.left.id, shown.right.id) == (shown.pair.left_id, shown.pair.right_id)
                judge(store, queue, shown, "skip" if what == "skip" else "right")
                assert not queue.is_open(store, shown)
                come.append(shown.pair.id)
            else:
                stays = queue.wants_plan(store) and len(come) < number
                ready(store, queue)
        assert sorted(come) == open_pairs


def test_the_same_pair_comes_until_it_is_judged(store) -> None:
    add_pairs(store, 3)
    queue = Queue(PLAIN, "Ada")
    first = queue.next(store)
    queue.prefetch(store)
    assert queue.next(store) == first
    queue.use(queue.plan(store))
    assert queue.next(store) == first


def test_new_pairs_come_after_the_others(store) -> None:
    waiting = add_pairs(store, 3)
    queue = ready(store, Queue(PLAIN, "Ada"))
    first = judge_some(store, queue, 1)
    more = add_pairs(store, 2)
    assert queue.wants_plan(store)
    assert ids(first + list(work(store, ready(store, queue)))) == waiting + more


def test_a_pair_that_was_judged_elsewhere_is_passed(store) -> None:
    waiting = add_pairs(store, 6)
    here = ready(store, Queue(task(order="random"), "Ada"))
    elsewhere = ready(store, Queue(task(order="random"), "Ben"))
    shown = here.next(store)
    here.prefetch(store)
    other = judge_some(store, elsewhere, 3)
    assert shown.pair.id == other[0].pair.id
    assert not here.is_open(store, shown)
    assert sorted(ids(other) + ids(list(work(store, here)))) == waiting


@pytest.mark.parametrize("order", ["imported", "random"])
def test_data_that_goes_out_of_use_is_passed(store, order) -> None:
    add_pairs(store, 6)
    queue = ready(store, Queue(task(order=order), "Ada"))
    shown = queue.next(store)
    queue.prefetch(store)
    examples.set_excluded(store, shown.pair.example_id, True)
    assert not queue.is_open(store, shown)
    rest = list(work(store, queue))
    assert len(rest) == 5
    assert shown.pair.id not in ids(rest)


def test_an_edit_of_the_prompt_shows_in_what_was_read_ahead(store) -> None:
    add_pairs(store, 2)
    queue = Queue(PLAIN, "Ada")
    queue.next(store)
    queue.prefetch(store)
    second = waiting_pairs(store)[1]
    edited = [{"role": "user", "content": "Why not?"}]
    examples.revise(store, second.example_id, messages=edited, origin="edit")
    examples.set_flagged(store, second.example_id, True)
    judge(store, queue, queue.next(store))
    shown = queue.next(store)
    assert (shown.prompt, shown.flagged) == (edited, True)


def test_a_query_says_which_pairs(store) -> None:
    waiting = add_pairs(store, 4)
    examples.set_flagged(store, pairs.get(store, waiting[2]).example_id, True)
    saved_queries.save(store, "hard ones", "is:flagged")
    for query in ("is:flagged", "hard ones", '@"hard ones"'):
        queue = Queue(task(query=query), "Ada")
        assert queue.next(store) is None
        assert list(queue.plan(store).ids) == [waiting[2]]


def test_no_more_comes_than_is_planned(store) -> None:
    waiting = add_pairs(store, 9)
    planned = task(planned=4)
    judge_some(store, ready(store, Queue(planned, "Ada")), 3)
    assert ids(list(work(store, ready(store, Queue(planned, "Ada"))))) == [waiting[3]]


def test_each_author_is_on_the_left_as_often(store) -> None:
    add_pairs(store, 40)
    shown = list(work(store, Queue(PLAIN, "Ada")))
    assert Counter(each.left.author for each in shown) == {"Anna": 20, "Bert": 20}
    entries = {entry.pair_id: entry for entry in standing_verdicts(store)}
    assert all(entries[each.pair.id].left_id == each.left.id for each in shown)


def test_a_task_goes_on_in_a_file_that_was_closed_and_opened(project) -> None:
    with project.open_store() as store:
        waiting = add_pairs(store, 5)
        first = judge_some(store, Queue(PLAIN, "Ada"), 2)
    with open_store(project.database) as store:
        assert ids(first + list(work(store, Queue(PLAIN, "Ada")))) == waiting
