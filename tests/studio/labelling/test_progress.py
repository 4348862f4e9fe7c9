"""Progress: what is done of what is planned, the pace, and a line that fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queued import add_pairs, add_prompt, better, judge_some, ready, work

from store import journal, pairs
from studio.errors import StudioError
from studio.labelling.progress import Progress, read
from studio.labelling.queue import Queue
from studio.labelling.tasks import ALL_PAIRS, Task


def test_a_task_without_pairs_has_nothing_to_do(store) -> None:
    assert str(read(store, ALL_PAIRS, "Ada")) == "0 of 0 done, 0 left"


def test_what_was_done_is_counted_from_the_journal(store) -> None:
    add_pairs(store, 6)
    queue = Queue(Task("t", repeats=0), "Ada")
    judge_some(store, queue, 2)
    next(work(store, queue, lambda _: "skip"))
    found = read(store, queue.task, "Ada")
    assert (found.planned, found.done, found.left, found.skipped, found.today) == (6, 3, 3, 1, 3)
    journal.undo(store, rater="Ada")
    found = read(store, queue.task, "Ada")
    assert (found.planned, found.done, found.left, found.skipped, found.today) == (6, 2, 4, 0, 2)


def test_done_is_of_what_is_planned(store) -> None:
    add_pairs(store, 6)
    task = Task("t", planned=4, repeats=0)
    judge_some(store, ready(store, Queue(task, "Ada")), 3)
    found = read(store, task, "Ada")
    assert (found.planned, found.done, found.left) == (4, 3, 1)


@pytest.mark.parametrize("order", ["imported", "fewest"])
def test_what_was_judged_elsewhere_is_none_of_what_is_planned(store, order) -> None:
    add_pairs(store, 9)
    judge_some(store, Queue(Task("another", repeats=0), "Ada"), 5)
    task = Task("t", order=order, planned=3, repeats=0)
    assert (read(store, task, "Ada").planned, read(store, task, "Ada").done) == (3, 0)
    assert len(list(work(store, ready(store, Queue(task, "Ada"))))) == 3
    assert (read(store, task, "Ada").planned, read(store, task, "Ada").done) == (3, 3)
    more = Task("t", order=order, planned=7, repeats=0)
    assert (read(store, more, "Ada").planned, read(store, more, "Ada").left) == (4, 1)


def test_where_everybody_is_to_judge_ones_own_verdicts_count(store) -> None:
    add_pairs(store, 3)
    task = Task("t", order="fewest", repeats=0)
    judge_some(store, ready(store, Queue(task, "Ada")), 2)
    assert read(store, task, "Ada").done == 2
    assert read(store, task, "Ben").done == 0


def test_disagreements_are_done_when_they_are_settled(store) -> None:
    add_pairs(store, 4)
    everybody, review = Task("all", order="fewest", repeats=0), Task("r", order="disagreements", repeats=0)
    for rater in ("Anna", "Bert"):
        assert len(list(work(store, ready(store, Queue(everybody, rater)), better(rater)))) == 4
    judge_some(store, ready(store, Queue(review, "Cleo")), 1)
    found = read(store, review, "Cleo")
    assert (found.planned, found.done, found.left) == (4, 1, 3)


def test_of_disagreements_those_that_were_settled_are_planned(store) -> None:
    add_pairs(store, 4)
    for rater in ("Anna", "Bert"):
        list(work(store, ready(store, Queue(Task("r", order="fewest", repeats=0), rater)), better(rater)))
    review = Task("r", order="disagreements", planned=3, repeats=0)
    assert (read(store, review, "Cleo").planned, read(store, review, "Cleo").done) == (3, 0)
    assert len(list(work(store, ready(store, Queue(review, "Cleo"))))) == 3
    assert (read(store, review, "Cleo").planned, read(store, review, "Cleo").done) == (3, 3)


def test_a_ranking_counts_comparisons(store) -> None:
    add_prompt(store, ("a", "b", "c", "d"))
    add_prompt(store, ("a", "b"))
    task = Task("t", ranking=True, repeats=0)
    before = read(store, task, "Ada")
    assert (before.planned, before.done) == (6, 0)
    judged = list(work(store, ready(store, Queue(task, "Ada"))))
    after = read(store, task, "Ada")
    assert (after.planned, after.done, after.left) == (len(judged), len(judged), 0)


def test_a_query_that_cannot_be_read_is_told_with_its_task(store) -> None:
    with pytest.raises(StudioError, match="Task 'mine': The query can't be read at character 1: there is no saved"):
        read(store, Task("mine", query="@absent"), "Ada")


def test_answers_are_counted_as_they_come() -> None:
    progress = Progress(planned=3, done=0)
    for seconds in (6.0, 600.0, 4.0):
        progress.answered("left", seconds)
    progress.answered("skip", 5.0)
    assert (progress.done, progress.left, progress.skipped, progress.today) == (3, 0, 1, 4)
    assert progress.per_minute == pytest.approx(12)
    assert str(progress) == "3 of 3 done, 0 left, 1 skipped, 4 today, 12 a minute"


def test_how_long_it_takes_comes_from_the_latest_answers() -> None:
    progress = Progress(planned=200, done=80)
    for _ in range(50):
        progress.answered("left", 9.0)
    for _ in range(50):
        progress.answered("tie", 12.0)
    assert progress.seconds_left == pytest.approx(20 * 12)
    assert str(progress) == "180 of 200 done, 20 left, 100 today, 5 a minute, about 4 min to go"


NUMBERS = st.integers(0, 10**7)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.floats(0.001, 120))
def test_the_line_fits_whatever_it_says(planned, done, skipped, today, seconds) -> None:
    progress = Progress(planned, min(planned, done), skipped, today)
    progress.seconds.append(seconds)
    line = str(progress)
    assert len(line) <= 78
    assert line.startswith(f"{min(planned, done):,} of {planned:,} done")


def test_pairs_that_came_with_a_file_are_nothing_that_was_done_today(store) -> None:
    pair = pairs.get(store, add_pairs(store, 1)[0])
    journal.judge(store, pair, "left", rater="Ada")
    found = read(store, ALL_PAIRS, "Ada")
    assert (found.done, found.today, found.per_minute) == (1, 0, None)
