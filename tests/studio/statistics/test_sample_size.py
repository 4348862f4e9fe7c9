"""How many pairs are needed: the tables for a sure judge and for one who errs."""

import random

import pytest

from studio.statistics.sample_size import error_rate, pairs_needed, seen_share


@pytest.mark.parametrize(
    ("agreement", "looks_like", "pairs"),
    [(0.95, 65.8, 77), (0.90, 64.9, 86), (0.85, 63.9, 99), (0.80, 62.9, 116), (0.75, 61.8, 139), (0.70, 60.5, 175)],
)
def test_two_to_one_by_the_agreement_with_oneself(agreement, looks_like, pairs) -> None:
    assert round(100 * seen_share(2.0, agreement), 1) == looks_like
    assert pairs_needed(self_agreement=agreement) == pairs


@pytest.mark.parametrize(
    ("odds", "at_80", "at_90"), [(3.0, 29, 38), (2.0, 69, 91), (1.5, 194, 259), (55 / 45, 783, 1047)]
)
def test_a_sure_judge(odds, at_80, at_90) -> None:
    assert pairs_needed(odds) == at_80
    assert pairs_needed(odds, power=0.9) == at_90


def test_ties_are_pairs_too() -> None:
    assert pairs_needed(ties=0.5) == pytest.approx(2 * pairs_needed(), abs=1)
    assert pairs_needed(ties=1.0) is None


@pytest.mark.parametrize("agreement", [0.5, 0.3, 0.0])
def test_no_number_of_guesses_is_enough(agreement) -> None:
    assert pairs_needed(self_agreement=agreement) is None


def test_a_judge_who_errs_so_often_agrees_so_often() -> None:
    rng = random.Random(5)
    error = error_rate(0.8)
    same = sum((rng.random() < error) == (rng.random() < error) for _ in range(20_000))
    assert same / 20_000 == pytest.approx(0.8, abs=0.01)
    assert error_rate(1.0) == 0
