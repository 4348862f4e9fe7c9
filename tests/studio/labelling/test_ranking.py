"""Ranking replies: few comparisons, everything that follows, nothing that does not."""

from collections.abc import Callable
from itertools import combinations
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import examples, journal, pairs, responses
from studio.labelling.ranking import Outcome, estimate, implied, next_pair, outcomes_of

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=9)


def by_score(scores: list[int]) -> Callable[[int, int], str]:
    """Return how a person judges who gives each reply a score and never errs; ids begin at 10."""

    def judge(left: int, right: int) -> str:
        difference = scores[left - 10] - scores[right - 10]
        return "tie" if not difference else "left" if difference > 0 else "right"

    return judge


def asked(candidates: list[int], judge: Callable[[int, int], str]) -> list[Outcome]:
    """Ask until nothing is left to ask; return all that was said."""
    known: list[Outcome] = []
    while pair := next_pair(candidates, known):
        assert not any(set(pair) == set(outcome[:2]) for outcome in known), "asked twice"
        known.append(Outcome(*pair, judge(*pair)))
    return known


@given(SCORES)
def test_every_pair_is_known_in_the_end_and_right(scores) -> None:
    candidates = list(range(10, 10 + len(scores)))
    judge = by_score(scores)
    known = asked(candidates, judge)
    everything = known + implied(known)
    assert {frozenset(each[:2]) for each in everything} == {frozenset(two) for two in combinations(candidates, 2)}
    assert len(everything) == len(candidates) * (len(candidates) - 1) // 2
    assert all(each.verdict == judge(each.left, each.right) for each in everything)


@given(SCORES)
def test_few_are_asked_and_the_estimate_is_never_too_low(scores) -> None:
    candidates = list(range(10, 10 + len(scores)))
    known = asked(candidates, by_score(scores))
    assert len(known) <= sum(ceil(log2(before + 1)) for before in range(1, len(scores)))
    for said in range(len(known) + 1):
        assert estimate(candidates, known[:said]) >= len(known) - said
    assert estimate(candidates, known) == 0


@given(st.permutations(range(10, 15)), st.randoms(use_true_random=False))
def test_whatever_is_said_it_comes_to_an_end(candidates, chance) -> None:
    known = asked(candidates, lambda *_: chance.choice(["left", "right", "tie", "both_bad", "skip"]))
    told = {frozenset(each[:2]) for each in known}
    assert not told & {frozenset(each[:2]) for each in implied(known)}


@given(SCORES, st.randoms(use_true_random=False))
def test_what_was_said_before_is_not_asked_again(scores, chance) -> None:
    candidates = list(range(10, 10 + len(scores)))
    judge = by_score(scores)
    before = [Outcome(*two, judge(*two)) for two in combinations(candidates, 2) if chance.random() < 0.3]
    known = list(before)
    while pair := next_pair(candidates, known):
        assert frozenset(pair) not in {frozenset(each[:2]) for each in known + implied(known)}
        known.append(Outcome(*pair, judge(*pair)))
    assert len(known + implied(known)) == len(candidates) * (len(candidates) - 1) // 2


def test_four_replies_take_five_comparisons_at_most() -> None:
    assert estimate([1, 2, 3, 4], []) == 5
    assert next_pair([1, 2, 3, 4], []) == (1, 2)
    assert estimate([1, 2, 3, 4], [Outcome(1, 2, "left")]) == 4


@pytest.mark.parametrize(
    ("known", "follows"),
    [
        ([Outcome(1, 2, "left"), Outcome(3, 2, "right")], [Outcome(1, 3, "left")]),
        ([Outcome(1, 2, "left"), Outcome(2, 3, "tie")], [Outcome(1, 3, "left")]),
        ([Outcome(1, 2, "tie"), Outcome(3, 2, "tie")], [Outcome(1, 3, "tie")]),
        ([Outcome(1, 2, "left"), Outcome(1, 3, "left")], []),
        ([Outcome(1, 2, "both_bad"), Outcome(2, 3, "both_bad")], [Outcome(1, 3, "both_bad")]),
        # A reply that is better than a bad one may be worse than another bad one.
        ([Outcome(1, 2, "both_bad"), Outcome(3, 2, "left")], []),
        ([Outcome(1, 2, "left"), Outcome(2, 3, "skip")], []),
        # In a circle of four, neither of two opposite ones is better.
        ([Outcome(1, 2, "left"), Outcome(2, 3, "left"), Outcome(3, 4, "left"), Outcome(4, 1, "left")], []),
        ([Outcome(1, 2, "left"), Outcome(2, 3, "tie"), Outcome(3, 4, "tie"), Outcome(4, 1, "left")], []),
    ],
)
def test_what_follows(known, follows) -> None:
    assert implied(known) == follows


def test_a_skipped_comparison_is_replaced_by_the_nearest_other() -> None:
    ranked = [Outcome(1, 2, "left"), Outcome(2, 3, "left")]
    assert next_pair([1, 2, 3, 4], ranked) == (2, 4)
    skipped = [*ranked, Outcome(4, 2, "skip")]
    assert next_pair([1, 2, 3, 4], skipped) == (1, 4)
    assert next_pair([1, 2, 3, 4], [*skipped, Outcome(4, 1, "right"), Outcome(4, 3, "skip")]) is None


def test_outcomes_are_the_latest_of_each_pair_that_one_person_said(store) -> None:
    example = examples.add(store, record_id=None, messages=[{"role": "user", "content": "?"}], split="train")
    one, two, three = (responses.add(store, example, [], origin="file") for _ in range(3))
    first = pairs.get(store, pairs.add_pair(store, example, one, two, seed=0))
    second = pairs.get(store, pairs.add_pair(store, example, three, two, seed=1))
    journal.judge(store, first, "left", rater="Ada")
    journal.judge(store, first, "right", rater="Ada", purpose="change")
    journal.judge(store, first, "left", rater="Ada", purpose="repeat")
    journal.judge(store, first, "tie", rater="Ben", purpose="second")
    head = journal.judge(store, second, "right", rater="Ada")
    third = pairs.get(store, pairs.add_pair(store, example, one, three, seed=0))
    journal.judge(store, third, "left", rater="Ada", purpose="implied", implied_by=head)
    assert outcomes_of(store, example, rater="Ada") == [Outcome(one, two, "right"), Outcome(two, three, "right")]
    journal.undo(store, rater="Ada")
    journal.undo(store, rater="Ada")  # of the repeat, which is none of the outcomes
    journal.undo(store, rater="Ada")
    assert outcomes_of(store, example, rater="Ada") == [Outcome(one, two, "left")]
