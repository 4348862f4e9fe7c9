"""A task's queue: every pair once, in its order, whatever is undone, judged elsewhere, excluded or added meanwhile."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queued import add_pair, add_pairs, add_prompt, better, judge, judge_some, ready, work

from store import examples, journal, pairs, responses, saved_queries
from store.database import Store, create_store, open_store
from studio.labelling import judging
from studio.labelling.queue import Queue
from studio.labelling.shown import Shown
from studio.labelling.task_settings import Order, Task

PLAIN = Task("t", repeats=0, anchors=0)


def task(**changes: object) -> Task:
    return Task("t", **{"repeats": 0, "anchors": 0, **changes})


def ids(shown: list[Shown]) -> list[int]:
    return [each.pair.id for each in shown]


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
            if what == "plan" or not queue.is_ready:
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


def test_as_imported_no_plan_is_needed(store) -> None:
    waiting = add_pairs(store, 5)
    queue = Queue(PLAIN, "Ada")
    assert queue.is_ready
    assert ids(list(work(store, queue))) == waiting


def test_another_order_waits_for_its_plan(store) -> None:
    add_pairs(store, 2)
    queue = Queue(task(order="random"), "Ada")
    assert not queue.is_ready
    assert queue.next(store) is None
    assert queue.wants_plan(store)
    assert ready(store, queue).next(store)
    assert not queue.wants_plan(store)


def test_the_same_pair_comes_until_it_is_judged(store) -> None:
    add_pairs(store, 3)
    queue = Queue(PLAIN, "Ada")
    first = queue.next(store)
    queue.prefetch(store)
    assert queue.next(store) == first
    queue.use(queue.plan(store))
    assert queue.next(store) == first


def test_a_random_order_is_the_same_after_a_restart_and_another_by_another_seed(store) -> None:
    waiting = add_pairs(store, 40)
    random = task(order="random", seed=3)
    order = list(ready(store, Queue(random, "Ada")).plan(store).ids)
    assert order != waiting
    assert sorted(order) == waiting
    done = judge_some(store, ready(store, Queue(random, "Ada")), 7)
    assert ids(done) == order[:7]
    assert ids(list(work(store, ready(store, Queue(random, "Ben"))))) == order[7:]
    assert list(Queue(task(order="random", seed=4), "Ada").plan(store).ids) != order[7:]


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
    second = pairs.unjudged(store, after=1)[0]
    edited = [{"role": "user", "content": "Why not?"}]
    examples.revise(store, second.example_id, messages=edited, origin="edit")
    examples.set_flagged(store, second.example_id, True)
    judge(store, queue, queue.next(store))
    shown = queue.next(store)
    assert (shown.prompt, shown.flagged) == (edited, True)


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
    assert [e.purpose for e in journal.standing_verdicts(store)][-1] == "change"
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
    assert [e.purpose for e in journal.standing_verdicts(store)] == ["first", "second"]


def test_those_with_the_fewest_verdicts_of_others_come_first(store) -> None:
    one, two, three, four = add_pairs(store, 4)
    everybody = task(order="fewest")
    for rater, judged in (("Ben", [one, two, four]), ("Cleo", [one, four])):
        for number in judged:
            pair = pairs.get(store, number)
            journal.judge(store, pair, "skip" if (rater, number) == ("Cleo", four) else "left", rater=rater)
    journal.judge(store, pairs.get(store, two), "left", rater="Ada")
    shown = list(work(store, ready(store, Queue(everybody, "Ada"))))
    assert ids(shown) == [three, four, one]
    given = {e.pair_id: e.purpose for e in journal.standing_verdicts(store) if e.rater == "Ada"}
    assert (given[three], given[one]) == ("first", "second")
    assert Queue(everybody, "Ben").plan(store).ids.tolist() == [three]


def test_the_least_certain_come_first(store) -> None:
    with store.transaction():
        for _ in range(10):
            for two, verdict in (("ab", "left"), ("bc", "tie"), ("ac", "left")):
                journal.judge(store, pairs.get(store, add_pair(store, tuple(two))), verdict, rater="Ada")
        waiting = {two: add_pair(store, tuple(two)) for two in ("ac", "cb", "ba")}
    plan = Queue(task(order="uncertain"), "Ada").plan(store)
    assert plan.ids[0] == waiting["cb"]
    assert len(plan.ids) == 3


def test_how_a_response_did_elsewhere_tells_how_certain_its_pairs_are(store) -> None:
    example_id = add_prompt(store, ("", "", "", ""))
    best, good, worst, other = (response.id for response in responses.of_example(store, example_id))
    for winner, loser in ((best, worst), (best, good)):
        pair = pairs.get(store, pairs.add_pair(store, example_id, winner, loser, seed=0))
        journal.judge(store, pair, "left", rater="Ada")
    far = pairs.add_pair(store, example_id, best, other, seed=0)
    near = pairs.add_pair(store, example_id, good, worst, seed=0)
    assert list(Queue(task(order="uncertain"), "Ada").plan(store).ids) == [near, far]


def disagree(store: Store, number: int) -> None:
    add_pairs(store, number)
    everybody = task(order="fewest")
    for rater in ("Anna", "Bert"):
        list(work(store, ready(store, Queue(everybody, rater)), better(rater)))


def test_disagreements_are_settled_by_a_review(store) -> None:
    agreed = add_pair(store)
    for rater in ("Anna", "Bert"):
        journal.judge(store, pairs.get(store, agreed), "tie", rater=rater)
    disagree(store, 3)
    review = task(order="disagreements")
    queue = ready(store, Queue(review, "Cleo"))
    first = queue.next(store)
    judge(store, queue, first, "left")
    assert first.pair.id != agreed
    assert journal.current_verdict(store, first.pair.id).purpose == "review"
    assert len(Queue(review, "Anna").plan(store).ids) == 2
    entry = journal.undo(store, rater="Cleo")
    assert len(Queue(review, "Anna").plan(store).ids) == 3
    again = queue.show_again(store, entry)
    assert (again.purpose, queue.is_open(store, again)) == ("review", True)
    assert len(ids(list(work(store, queue)))) == 3
    assert not Queue(review, "Cleo").plan(store).ids


def test_a_disagreement_that_was_skipped_waits_for_others(store) -> None:
    disagree(store, 2)
    review = task(order="disagreements")
    queue = ready(store, Queue(review, "Cleo"))
    first = queue.next(store)
    counted = journal.current_verdict(store, first.pair.id)
    judge(store, queue, first, "skip")
    assert journal.current_verdict(store, first.pair.id) == counted
    assert queue.next(store).pair.id != first.pair.id
    assert len(Queue(review, "Cleo").plan(store).ids) == 1
    assert len(list(work(store, ready(store, Queue(review, "Anna"))))) == 2
    assert not Queue(review, "Bert").plan(store).ids


def test_who_gives_in_ends_a_disagreement(store) -> None:
    disagree(store, 1)
    queue = ready(store, Queue(task(order="disagreements"), "Cleo"))
    shown = queue.next(store)
    theirs = next(e for e in journal.standing_verdicts(store) if e.rater == "Bert")
    own = next(e for e in journal.standing_verdicts(store) if e.rater == "Anna")
    pair = pairs.get(store, own.pair_id)._replace(seed=theirs.seed)
    journal.judge(store, pair, theirs.verdict, rater="Anna", purpose="change")
    assert not queue.is_open(store, shown)
    assert queue.next(store) is None


def test_a_query_says_which_pairs(store) -> None:
    waiting = add_pairs(store, 4)
    examples.set_flagged(store, pairs.get(store, waiting[2]).example_id, True)
    saved_queries.save(store, "hard ones", "is:flagged")
    for query in ("is:flagged", "hard ones", '@"hard ones"'):
        queue = Queue(task(query=query), "Ada")
        assert not queue.is_ready
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
    entries = {entry.pair_id: entry for entry in journal.standing_verdicts(store)}
    assert all(entries[each.pair.id].left_id == each.left.id for each in shown)


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


def test_a_task_goes_on_in_a_file_that_was_closed_and_opened(project) -> None:
    with project.open_store() as store:
        waiting = add_pairs(store, 5)
        first = judge_some(store, Queue(PLAIN, "Ada"), 2)
    with open_store(project.database) as store:
        assert ids(first + list(work(store, Queue(PLAIN, "Ada")))) == waiting
