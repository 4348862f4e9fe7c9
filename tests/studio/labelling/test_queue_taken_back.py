"""A task's queue when verdicts are skipped, taken back, given back and changed: what is asked again, and when."""

from queued import PLAIN, add_pairs, ids, judge, judge_some, task, work
from stored import standing_verdicts

from store import journal
from studio.labelling import judging
from studio.labelling.queue import Queue


def test_a_skipped_pair_comes_again_only_when_that_is_undone(store) -> None:
    add_pairs(store, 2)
    queue = Queue(PLAIN, "Ada")
    skipped = next(work(store, queue, lambda _: "skip"))
    assert ids(list(work(store, queue))) == [2]
    assert Queue(PLAIN, "Ada").next(store) is None
    for _ in range(2):
        journal.undo(store, rater="Ada")
    assert Queue(PLAIN, "Ada").next(store).pair.id == skipped.pair.id


def test_after_several_undos_all_comes_again_in_its_order(store) -> None:
    add_pairs(store, 6)
    queue = Queue(PLAIN, "Ada")
    judge_some(store, queue, 3)
    current = queue.next(store)
    for _ in range(3):
        shown = queue.show_again(store, journal.undo(store, rater="Ada"))
    assert shown.pair.id == 1
    assert queue.next(store) == shown
    assert ids(list(work(store, queue))) == [1, 2, 3, current.pair.id, 5, 6]


def test_after_a_redo_the_next_one_comes(store) -> None:
    add_pairs(store, 4)
    queue = Queue(PLAIN, "Ada")
    judge_some(store, queue, 2)
    assert queue.next(store).pair.id == 3
    queue.show_again(store, journal.undo(store, rater="Ada"))
    journal.redo(store, rater="Ada")
    assert queue.next(store).pair.id == 3


def test_a_verdict_that_stands_can_be_changed_or_left_as_it_was(store) -> None:
    add_pairs(store, 4)
    queue = Queue(PLAIN, "Ada")
    judge_some(store, queue, 2)
    current = queue.next(store)
    entry = journal.latest_verdicts(store, rater="Ada", limit=2)[1]
    shown = queue.show_again(store, entry)
    assert (shown.pair.id, shown.left.id) == (entry.pair_id, entry.left_id)
    assert queue.is_open(store, shown)
    assert queue.next(store) == current
    judge(store, queue, queue.show_again(store, entry), "both_bad")
    counting = journal.current_verdict(store, entry.pair_id)
    assert (counting.verdict, counting.purpose) == ("both_bad", "change")
    assert queue.next(store) == current


def test_a_pair_whose_change_is_undone_is_shown_until_it_is_judged_or_left(store) -> None:
    add_pairs(store, 4)
    queue = Queue(PLAIN, "Ada")
    judge_some(store, queue, 2)
    current = queue.next(store)
    entry = journal.latest_verdicts(store, rater="Ada", limit=1)[0]
    judge(store, queue, queue.show_again(store, entry), "both_bad")
    shown = queue.show_again(store, journal.undo(store, rater="Ada"))
    # The verdict before the change stands, and yet a window that was looked into must not take the pair away.
    assert (shown.pair.id, queue.is_open(store, shown)) == (entry.pair_id, True)
    judge(store, queue, shown, "tie")
    assert [e.purpose for e in standing_verdicts(store)][-1] == "change"
    assert queue.next(store) == current


def test_a_criterion_that_is_undone_leaves_the_pair_as_it_was_shown(store) -> None:
    add_pairs(store, 2)
    queue = Queue(task(criteria=("kind",)), "Ada")
    shown = queue.next(store)
    journal.judge_criterion(store, shown.pair, "kind", "left", rater="Ada", shown_at=None)
    assert queue.show_again(store, journal.undo(store, rater="Ada")) == shown
    assert queue.show_again(store, journal.redo(store, rater="Ada")) == shown
    assert queue.is_open(store, shown)
    judge(store, queue, shown)
    assert queue.next(store).pair.id != shown.pair.id


def test_what_another_person_judged_meanwhile_is_asked_again_of_who_took_it_back(store) -> None:
    add_pairs(store, 2)
    queue = Queue(PLAIN, "Ada")
    judge_some(store, queue, 1)
    entry = journal.undo(store, rater="Ada")
    judge_some(store, Queue(PLAIN, "Ben"), 1)
    shown = queue.show_again(store, entry)
    assert queue.is_open(store, shown)
    judge(store, queue, shown)
    assert [e.purpose for e in standing_verdicts(store)] == ["first", "second"]


def test_a_better_reply_of_ones_own_goes_on_to_the_next(store) -> None:
    add_pairs(store, 3)
    queue = Queue(PLAIN, "Ada")
    shown = queue.next(store)
    own = [{"role": "assistant", "content": "mine"}]
    judging.keep_better(store, shown, shown.left, own, rater="Ada", task="t", shown_at=None)
    queue.judged(shown, "left")
    assert queue.next(store).pair.id == 2
    queue.show_again(store, journal.undo(store, rater="Ada"))
    assert queue.next(store).pair.id == 1
