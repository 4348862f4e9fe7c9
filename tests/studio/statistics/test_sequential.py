"""The stopping line: the table of wins that it takes, and how often it errs where one looks after every verdict."""

import math
import random

import pytest

from studio.statistics.sequential import ENOUGH, e_value, futile, wins_needed
from studio.statistics.shares import binomial_p


@pytest.mark.parametrize(("decided", "wins"), [(20, 17), (30, 24), (50, 36), (100, 66), (200, 123)])
def test_the_wins_that_it_takes(decided, wins) -> None:
    assert wins_needed(decided) == wins
    assert e_value(wins, decided - wins) >= ENOUGH > e_value(wins - 1, decided - wins + 1)


def test_few_pairs_are_never_enough() -> None:
    assert [wins_needed(decided) for decided in (0, 1, 7)] == [None, None, None]
    assert (wins_needed(9), wins_needed(10)) == (None, 10)
    assert wins_needed(20, enough=120.0) == 19


def test_a_journal_in_the_middle() -> None:
    assert e_value(50, 25) == pytest.approx(13.9, abs=0.05)
    assert wins_needed(75) == 51
    assert e_value(0, 0) == 1
    assert e_value(25, 50) == e_value(50, 25)


def test_of_all_journals_of_a_length_it_averages_one() -> None:
    # What makes it an e-value: where both are as good, its mean is 1 at any length.
    for decided in (1, 2, 10, 60):
        outcomes = (math.comb(decided, wins) * e_value(wins, decided - wins) for wins in range(decided + 1))
        assert sum(outcomes) / 2**decided == pytest.approx(1)


def ends(rng: random.Random, share: float, most: int) -> int | None:
    """Return after how many verdicts a journal is stopped; None where it never is."""
    wins = 0
    for decided in range(1, most + 1):
        wins += rng.random() < share
        line = LINES[decided]
        if line is not None and max(wins, decided - wins) >= line:
            return decided
    return None


LINES = [wins_needed(decided) for decided in range(401)]


def test_looking_after_every_verdict_seldom_makes_a_false_winner() -> None:
    rng = random.Random(11)
    # Measured in 20,000 runs: 3.4 % by 600 verdicts. The bound is 5 %, three deviations above it is 7 %.
    assert sum(ends(rng, 0.5, 400) is not None for _ in range(1000)) <= 70


def test_a_difference_of_two_to_one_is_found() -> None:
    rng = random.Random(12)
    found = [ends(rng, 2 / 3, 200) for _ in range(1000)]
    by_100 = sum(at is not None and at <= 100 for at in found)
    by_200 = sum(at is not None for at in found)
    # Measured: 73 % by 100, 97 % by 200.
    assert (by_100, by_200) == (pytest.approx(730, abs=45), pytest.approx(970, abs=20))


def test_the_naive_test_after_every_verdict_makes_many() -> None:
    rng = random.Random(13)
    false = 0
    for _ in range(300):
        wins = 0
        for decided in range(1, 201):
            wins += rng.random() < 0.5
            if decided >= 10 and binomial_p(wins, decided) < 0.05:
                false += 1
                break
    # Measured in 20,000 runs: 27 % by 200.
    assert false == pytest.approx(81, abs=24)


def test_nothing_worth_having_needs_many_even_pairs() -> None:
    assert not futile(0, 0)
    assert not futile(150, 150)
    assert futile(170, 170)
    assert not futile(300, 150)
    assert not futile(150, 300)
    assert futile(2020, 1980)
