"""Sides: by chance, yet each on the left as often as on the right."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from store.pairs import Pair
from store.responses import Response
from studio.labelling.sides import Sides

NAMES = st.sampled_from(["", "Anna", "Bert", "Cleo"])
SEEDS = st.integers(0, 2**32)


def response(number: int, author: str) -> Response:
    return Response(number, 1, [], "model", author)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=60), SEEDS)
def test_of_two_authors_each_is_on_the_left_as_often(authors, seed) -> None:
    sides = Sides(random.Random(seed))
    lead: Counter[frozenset[str]] = Counter()
    for first, second in authors:
        is_swapped = sides.seed(response(1, first), response(2, second)) % 2
        if first and second and first != second:
            left = second if is_swapped else first
            lead[frozenset((first, second))] += 1 if left == min(first, second) else -1
            assert all(abs(number) <= 1 for number in lead.values())


@given(st.integers(0, 80), SEEDS, st.booleans())
def test_the_first_response_is_on_the_left_as_often(number, seed, named) -> None:
    sides = Sides(random.Random(seed))
    author, other = ("Anna", "Bert") if named else ("", "")
    swapped = sum(sides.seed(response(1, author), response(2, other)) % 2 for _ in range(number))
    assert abs(number - 2 * swapped) <= 1


def test_which_comes_first_is_chance() -> None:
    drawn = [Sides(random.Random(seed)).seed(response(1, ""), response(2, "")) for seed in range(400)]
    assert 150 < sum(seed % 2 for seed in drawn) < 250
    assert len(set(drawn)) == len(drawn)


@given(SEEDS, st.sampled_from([7, 9]))
def test_a_response_can_be_put_on_the_left(seed, left) -> None:
    pair = Pair(1, 1, 7, 9, 0)
    chosen = pair._replace(seed=Sides(random.Random(seed)).seed_with(pair, left))
    assert chosen.left_id == left
