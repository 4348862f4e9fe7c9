"""Which pairs wait: never those out of use, by choice of their responses, in an order that does not hang on others."""

from itertools import pairwise

import pytest
from queued import add_pair, add_pairs, add_prompt

from store import examples, journal, pair_queues, pairs, records, responses, synthetic, tallies
from store.database import Store
from store.pair_queues import Counts, Scope
from store.synthetic import Variation


def out_of_use(store: Store) -> tuple[int, int, int, int]:
    """Add pairs of an excluded, a rejected and an unreviewed example, and of an excluded record."""
    excluded, rejected = add_prompt(store), add_prompt(store)
    examples.set_excluded(store, excluded, True)
    examples.set_status(store, rejected, "rejected")
    source_id = records.add_source(store, name="a", path="/a", container="jsonl", format="plain", size=1)
    [record_id] = records.add(store, source_id, [records.NewRecord(1, "{}", {}, b"")])
    of_record = add_prompt(store, record_id=record_id)
    records.set_excluded(store, record_id, True)
    source = examples.get(store, add_prompt(store))
    variation = Variation(source.id, "shorter", "", [{"role": "user", "content": "Y?"}], {})
    unreviewed = synthetic.add(store, variation)
    for author in ("Anna", "Bert"):
        responses.add(store, unreviewed, [{"role": "assistant", "content": author}], origin="model", author=author)
    made = (excluded, rejected, unreviewed, of_record)
    for example_id in made:
        first, second = (response.id for response in responses.of_example(store, example_id))
        pairs.add_pair(store, example_id, first, second, seed=0)
    return made


def every_order(store: Store, scope: Scope = Scope()) -> list[list[int]]:
    return [
        list(pair_queues.undecided(store, scope)),
        sorted(pair_queues.undecided(store, scope, shuffled=1)),
        list(pair_queues.fewest(store, scope, rater="Ada")),
        sorted(pair_queues.uncertain(store, scope, {}, seed=1)),
        pair_queues.first_undecided(store, after=0, limit=99),
    ]


def test_pairs_of_data_out_of_use_never_wait(store) -> None:
    made = out_of_use(store)
    kept = add_pair(store)
    assert every_order(store) == [[kept]] * 5
    assert pair_queues.counts(store, Scope(), "undecided", rater="Ada") == Counts(1, 0, 0)
    for number in range(1, kept):
        assert pair_queues.waiting(store, number, "undecided", rater="Ada") is None
        assert pair_queues.in_use(store, number) is None
        for rater, verdict in (("Anna", "left"), ("Bert", "right")):
            journal.judge(store, pairs.get(store, number), verdict, rater=rater)
    assert not pair_queues.disagreements(store, Scope(), rater="Cleo")
    assert not set(made) & set(pair_queues.rankable(store, Scope(), rater="Ada"))
    assert [pair_queues.candidates(store, example_id) for example_id in made] == [[]] * 4


def test_a_synthetic_prompt_waits_once_it_is_approved(store) -> None:
    unreviewed = out_of_use(store)[2]
    assert not pair_queues.undecided(store, Scope())
    examples.set_status(store, unreviewed, "approved")
    (waiting,) = pair_queues.undecided(store, Scope())
    assert pairs.get(store, waiting).example_id == unreviewed
    assert pair_queues.waiting(store, waiting, "undecided", rater="Ada")


def test_pairs_are_chosen_by_their_responses(store) -> None:
    example_id = add_prompt(store, ())
    said = [{"role": "assistant", "content": "A"}]
    human = responses.add(store, example_id, said, origin="human", author="Ada")
    run = responses.add(store, example_id, said, origin="run", author="run-1", parameters={"temperature": 0.2})
    base = responses.add(store, example_id, said, origin="model", author="smollm2", parameters={"temperature": 0.2})
    hot = responses.add(store, example_id, said, origin="model", author="smollm2", parameters={"temperature": 1.0})
    plain = responses.add(store, example_id, said, origin="file")
    two = {
        name: pairs.add_pair(store, example_id, *ids, seed=0)
        for name, ids in {
            "human run": (human, run),
            "run base": (run, base),
            "hot run": (hot, run),
            "base hot": (base, hot),
            "plain base": (plain, base),
            "plain human": (plain, human),
        }.items()
    }
    chosen = {
        "any": set(two),
        "different models": {"run base", "hot run"},
        "temperatures": {"base hot"},
        "tuned against base": {"run base", "hot run"},
        "human against model": {"human run", "plain human"},
    }
    for choice, names in chosen.items():
        scope = Scope(choice)
        assert every_order(store, scope)[:4] == [sorted(two[name] for name in names)] * 4, choice
        assert pair_queues.counts(store, scope, "mine", rater="Ada").pairs == len(names)


def test_only_pairs_of_the_examples_that_were_named_count(store) -> None:
    waiting = add_pairs(store, 4)
    pair_queues.narrow(store, [[pairs.get(store, waiting[1]).example_id], [pairs.get(store, waiting[3]).example_id]])
    narrowed = Scope(narrowed=True)
    assert every_order(store, narrowed)[:4] == [[waiting[1], waiting[3]]] * 4
    assert pair_queues.counts(store, narrowed, "undecided", rater="Ada").pairs == 2
    assert pair_queues.counts(store, Scope(), "undecided", rater="Ada").pairs == 4
    assert len(pair_queues.rankable(store, narrowed, rater="Ada")) == 2


def test_a_pair_keeps_its_place_in_a_shuffled_order(store) -> None:
    add_pairs(store, 200)
    before = list(pair_queues.undecided(store, Scope(), shuffled=5))
    judged = set(before[::3])
    with store.transaction():
        for number in judged:
            journal.judge(store, pairs.get(store, number), "tie", rater="Ada")
    more = add_pairs(store, 100)
    after = list(pair_queues.undecided(store, Scope(), shuffled=5))
    assert [number for number in after if number not in more] == [number for number in before if number not in judged]
    assert len(after) == len(set(after))


@pytest.mark.parametrize("seed", range(4))
def test_a_shuffled_order_looks_like_chance(store, seed) -> None:
    number = 1_000
    add_pairs(store, number)
    order = list(pair_queues.undecided(store, Scope(), shuffled=seed))
    assert sorted(order) == list(range(1, number + 1))
    # Of a random order about half of the steps go up, a third of its length apart; half of the first half is low.
    steps = [after - before for before, after in pairwise(order)]
    assert 450 < sum(step > 0 for step in steps) < 550
    assert 300 < sum(map(abs, steps)) / len(steps) < 367
    assert 210 < sum(each <= number / 2 for each in order[: number // 2]) < 290
    assert len(set(steps)) > 500


def test_what_was_taken_back_counts_for_nothing(store) -> None:
    waiting = add_pairs(store, 2)
    for rater, verdict in (("Anna", "left"), ("Bert", "right")):
        journal.judge(store, pairs.get(store, waiting[0]), verdict, rater=rater)
    assert list(pair_queues.disagreements(store, Scope(), rater="Cleo")) == [waiting[0]]
    assert pair_queues.waiting(store, waiting[0], "disagreements", rater="Cleo")
    journal.undo(store, rater="Bert")
    assert not pair_queues.disagreements(store, Scope(), rater="Cleo")
    assert pair_queues.waiting(store, waiting[0], "disagreements", rater="Cleo") is None
    assert list(pair_queues.fewest(store, Scope(), rater="Bert")) == [waiting[1], waiting[0]]
    journal.redo(store, rater="Bert")
    assert list(pair_queues.disagreements(store, Scope(), rater="Cleo")) == [waiting[0]]
    assert list(pair_queues.fewest(store, Scope(), rater="Bert")) == [waiting[1]]


def test_repeats_are_no_disagreement_with_others(store) -> None:
    (waiting,) = add_pairs(store, 1)
    pair = pairs.get(store, waiting)
    journal.judge(store, pair, "left", rater="Anna")
    journal.judge(store, pair, "left", rater="Bert", purpose="second")
    journal.judge(store, pair, "right", rater="Bert", purpose="repeat")
    assert not pair_queues.disagreements(store, Scope(), rater="Cleo")
    assert pair_queues.waiting(store, waiting, "disagreements", rater="Cleo") is None


def test_sides_are_no_disagreement(store) -> None:
    (waiting,) = add_pairs(store, 1)
    pair = pairs.get(store, waiting)
    journal.judge(store, pair, "left", rater="Anna")
    journal.judge(store, pair._replace(seed=1), "right", rater="Bert", purpose="second")
    assert not pair_queues.disagreements(store, Scope(), rater="Cleo")


def test_authors_who_met_most_are_summed_up(store) -> None:
    with store.transaction():
        for authors, verdict, times in ((("a", "b"), "left", 3), (("b", "a"), "tie", 2), (("c", "d"), "right", 1)):
            for _ in range(times):
                journal.judge(store, pairs.get(store, add_pair(store, authors)), verdict, rater="Ada")
    assert tallies.results_of_authors(store, most=9) == [
        ("a", "b", 3, 0, 0),
        ("b", "a", 0, 0, 2),
        ("c", "d", 0, 1, 0),
    ]
    assert len(tallies.results_of_authors(store, most=2)) == 2
