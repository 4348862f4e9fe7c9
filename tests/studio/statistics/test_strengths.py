"""Strengths by Davidson's model: what was simulated comes back, and the equations of the maximum hold."""

import math
import random

import pytest

from studio.statistics.strengths import davidson


def play(rng: random.Random, strengths: dict[str, float], nu: float, rounds: int) -> list[tuple]:
    """Let everybody meet everybody so many times."""
    results = []
    names = list(strengths)
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            half = (strengths[first] - strengths[second]) / 2
            weights = [math.exp(half), math.exp(-half), nu]
            said = rng.choices(("first", "second", "tie"), weights, k=rounds)
            results.append((first, second, said.count("first"), said.count("second"), said.count("tie")))
    return results


def test_strengths_that_were_played_come_back() -> None:
    truth = {"a": 0.9, "b": 0.3, "c": -0.2, "d": -1.0}
    fitted = davidson(play(random.Random(7), truth, nu=0.6, rounds=4000))
    assert sum(fitted.values()) == pytest.approx(0, abs=1e-9)
    assert fitted == pytest.approx(truth, abs=0.1)


def test_without_ties_of_two_it_is_the_logarithm_of_the_odds() -> None:
    fitted = davidson([("a", "b", 60, 30, 0)], ridge=1e-9)
    assert fitted["a"] - fitted["b"] == pytest.approx(math.log(2), abs=1e-6)


def test_ties_leave_the_odds_of_two_as_they_are() -> None:
    fitted = davidson([("a", "b", 60, 30, 25)], ridge=1e-9)
    assert fitted["a"] - fitted["b"] == pytest.approx(math.log(2), abs=1e-6)


def test_at_the_maximum_everybody_wins_as_often_as_expected() -> None:
    results = play(random.Random(3), {"a": 1.0, "b": 0.0, "c": -1.0}, nu=0.5, rounds=50)
    fitted = davidson(results, ridge=1e-9)
    ties = sum(row[4] for row in results)

    def expected(nu: float) -> tuple[dict[str, float], float]:
        points, drawn = dict.fromkeys(fitted, 0.0), 0.0
        for first, second, *counts in results:
            half = (fitted[first] - fitted[second]) / 2
            total = math.exp(half) + math.exp(-half) + nu
            points[first] += sum(counts) * (math.exp(half) + nu / 2) / total
            points[second] += sum(counts) * (math.exp(-half) + nu / 2) / total
            drawn += sum(counts) * nu / total
        return points, drawn

    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle)[1] < ties else (low, middle)
    points, _ = expected(low)
    for name in fitted:
        scored = sum(row[2 + (row[1] == name)] + row[4] / 2 for row in results if name in row[:2])
        assert points[name] == pytest.approx(scored, abs=1e-4)


def test_one_who_never_won_stays_finite_and_last() -> None:
    fitted = davidson([("a", "b", 10, 0, 0), ("a", "c", 5, 5, 0), ("c", "b", 10, 0, 0)])
    assert all(math.isfinite(strength) for strength in fitted.values())
    assert fitted["b"] == min(fitted.values())
    assert fitted["a"] == pytest.approx(fitted["c"])


@pytest.mark.parametrize(
    "results",
    [
        [],
        [("a", "b", 0, 0, 0)],
        [("a", "b", 0, 0, 9)],
        [("a", "a", 5, 0, 0), ("a", "b", 1, 1, 0)],
        [("a", "b", 3, 3, 1), ("c", "d", 2, 2, 1)],
    ],
)
def test_where_nothing_tells_them_apart_all_are_as_strong(results) -> None:
    assert all(strength == pytest.approx(0, abs=1e-9) for strength in davidson(results).values())


def test_great_and_lopsided_counts_are_fitted_too() -> None:
    chain = [(name, name + 1, 100_000, 1, 3) for name in range(30)]
    fitted = davidson(chain)
    assert [fitted[name] for name in range(31)] == sorted(fitted.values(), reverse=True)
    assert all(math.isfinite(strength) for strength in fitted.values())
