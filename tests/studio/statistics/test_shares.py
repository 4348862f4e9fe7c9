"""Intervals and tests for small counts, against published values and plain counting."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.statistics.shares import Share, at_least_p, binomial_p, wilson

COUNTS = st.integers(1, 300).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@pytest.mark.parametrize(
    ("part", "of", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17, 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # The closed forms of the interval at a half and at nought.
        (10, 20, 0.2993, 0.7007),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_the_interval_is_the_published_one(part, of, low, high) -> None:
    share = wilson(part, of)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


@given(COUNTS)
def test_the_interval_holds_the_share_and_mirrors(counts) -> None:
    part, of = counts
    share, other = wilson(part, of), wilson(of - part, of)
    assert 0 <= share.low <= share.value + 1e-12
    assert share.value - 1e-12 <= share.high <= 1
    assert math.isclose(share.low, 1 - other.high, abs_tol=1e-12)


def test_no_data_says_so() -> None:
    assert wilson(0, 0) == Share(0, 0, 0.0, 1.0)
    assert str(wilson(0, 0)) == "no data"
    assert wilson(0, 0).value == 0
    assert str(wilson(10, 20)) == "10/20 = 50% [30%, 70%]"


@given(COUNTS)
@settings(max_examples=60)
def test_the_p_value_counts_every_outcome_as_rare(counts) -> None:
    part, of = counts
    rare = sum(math.comb(of, k) for k in range(of + 1) if math.comb(of, k) <= math.comb(of, part))
    assert binomial_p(part, of) == float(Fraction(rare, 2**of))


@pytest.mark.parametrize(
    ("part", "of", "p"),
    [(0, 0, 1.0), (0, 1, 1.0), (5, 10, 1.0), (0, 10, 2 / 1024), (2, 10, 112 / 1024), (8, 10, 112 / 1024)],
)
def test_small_p_values_are_exact(part, of, p) -> None:
    assert binomial_p(part, of) == p


def test_a_large_count_is_still_exact() -> None:
    assert binomial_p(10_000, 20_000) == 1.0
    assert binomial_p(0, 20_000) == 0.0
    # The normal approximation with a continuity correction, good to three digits here.
    assert math.isclose(binomial_p(9_900, 20_000), math.erfc(99.5 / math.sqrt(10_000)), rel_tol=1e-3)


def test_counts_too_large_to_be_exact_agree_with_the_exact_ones() -> None:
    # Both ways of working it out, on either side of where one takes over from the other.
    assert math.isclose(binomial_p(10_150, 20_000), 2 * at_least_p(10_150, 20_000, 0.5), rel_tol=1e-9)
    assert binomial_p(50_000, 100_000) == 1.0
    assert math.isclose(binomial_p(49_000, 100_000), math.erfc(999.5 / math.sqrt(50_000)), rel_tol=1e-2)


@pytest.mark.parametrize(
    ("part", "of", "expected", "p"),
    [(3, 3, 0.2, 0.008), (0, 9, 0.2, 1.0), (1, 5, 0.2, 1.0), (2, 4, 0.25, 67 / 256), (4, 4, 0.1, 1e-4)],
)
def test_the_chance_of_so_many_or_more(part, of, expected, p) -> None:
    assert math.isclose(at_least_p(part, of, expected), p, rel_tol=1e-9)
