"""A queue of prompts whose replies are ranked: pair after pair of one prompt, then the next."""

from queued import add_prompt, ids, judge, ready, task, work

from store import journal, pairs
from studio.labelling.queue import Queue


def test_all_pairs_of_a_prompt_follow_each_other_where_replies_are_ranked(store) -> None:
    for _ in range(3):
        add_prompt(store, ("d", "b", "a", "c"))
    add_prompt(store, ("a",))
    queue = ready(store, Queue(task(ranking=True), "Ada"))
    shown = list(work(store, queue, lambda s: "left" if s.left.author < s.right.author else "right"))
    prompts = [each.pair.example_id for each in shown]
    assert prompts == sorted(prompts)
    assert set(prompts) == {1, 2, 3}
    assert len(shown) <= 3 * 5
    assert shown[0].ranking == "1 of about 5"
    counts = pairs.counts(store)
    assert (counts["pairs"], counts["left"] + counts["right"]) == (18, 18)
    assert Queue(queue.task, "Ada").plan(store).ids.tolist() == []


def test_a_ranking_goes_on_after_undo_and_restart(store) -> None:
    for _ in range(2):
        add_prompt(store, ("a", "b", "c"))
    queue = ready(store, Queue(task(ranking=True), "Ada"))
    verdict = lambda s: "left" if s.left.author < s.right.author else "right"  # noqa: E731
    while (shown := queue.next(store)).pair.example_id == 1:
        judge(store, queue, shown, verdict(shown))
    entry = journal.undo(store, rater="Ada")
    again = queue.show_again(store, entry)
    assert (again.pair.example_id, again.left.id, bool(again.ranking)) == (1, entry.left_id, True)
    assert queue.next(store) == again
    judge(store, queue, again, verdict(again))
    assert queue.next(store).pair.example_id == 2
    restarted = ready(store, Queue(queue.task, "Ada"))
    assert {each.pair.example_id for each in work(store, restarted, verdict)} == {2}
    assert pairs.counts(store)["pairs"] == 6


def test_a_skip_does_not_stop_a_ranking(store) -> None:
    for _ in range(2):
        add_prompt(store, ("a", "b", "c"))
    queue = ready(store, Queue(task(ranking=True), "Ada"))
    shown = list(work(store, queue, lambda _: "skip"))
    assert len(set(ids(shown))) == len(shown)
    assert {each.pair.example_id for each in shown} == {1, 2}
    assert ready(store, queue).next(store) is None
