"""In which order a task's pairs come: as imported, by chance, by what others said, by what is least certain."""

from queued import PLAIN, add_pair, add_pairs, add_prompt, better, ids, judge, judge_some, ready, task, work
from stored import standing_verdicts

from store import journal, pairs, responses
from store.database import Store
from studio.labelling.queue import Queue


def test_as_imported_no_plan_is_needed(store) -> None:
    waiting = add_pairs(store, 5)
    queue = Queue(PLAIN, "Ada")
    assert ids(list(work(store, queue))) == waiting


def test_another_order_waits_for_its_plan(store) -> None:
    add_pairs(store, 2)
    queue = Queue(task(order="random"), "Ada")
    assert queue.next(store) is None
    assert queue.wants_plan(store)
    assert ready(store, queue).next(store)
    assert not queue.wants_plan(store)


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
    given = {e.pair_id: e.purpose for e in standing_verdicts(store) if e.rater == "Ada"}
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
    theirs = next(e for e in standing_verdicts(store) if e.rater == "Bert")
    own = next(e for e in standing_verdicts(store) if e.rater == "Anna")
    pair = pairs.get(store, own.pair_id)._replace(seed=theirs.seed)
    journal.judge(store, pair, theirs.verdict, rater="Anna", purpose="change")
    assert not queue.is_open(store, shown)
    assert queue.next(store) is None
