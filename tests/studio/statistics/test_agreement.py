"""Kappa, McNemar and Holm against published and known values."""

import random

import pytest

from studio.statistics.agreement import holm, kappa, mcnemar_p


def table(both: int, only_first: int, only_second: int, neither: int) -> dict:
    """Return a table of two readings that say yes or no."""
    return {("yes", "yes"): both, ("yes", "no"): only_first, ("no", "yes"): only_second, ("no", "no"): neither}


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        # Fleiss, Levin and Paik 2003, table 18.1, and Cohen 1960's own example read as two classes.
        (table(20, 5, 10, 15), 0.40),
        (table(45, 15, 25, 15), 0.1304),
        (table(25, 35, 5, 35), 0.2593),
        # The prevalence trap of section 3.6: agreement .90, true positives .94, true negatives .50.
        (table(85, 5, 5, 5), 0.44),
        (table(90, 10, 0, 0), 0.0),
    ],
)
def test_kappa_is_the_published_one(counts, value) -> None:
    assert kappa(counts).value == pytest.approx(value, abs=0.005)


def test_kappa_of_three_classes() -> None:
    # Fleiss, Cohen and Everitt, Psychological Bulletin 72, 1969: psychotic, neurotic, organic.
    shares = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    counts = {(row, column): count for row, line in enumerate(shares) for column, count in enumerate(line)}
    found = kappa(counts)
    assert found.value == pytest.approx(0.676, abs=0.001)
    assert (found.observed.part, found.n) == (89, 100)


def test_the_interval_does_not_vanish_where_all_agree() -> None:
    few, many = kappa(table(5, 0, 0, 5)), kappa(table(500, 0, 0, 500))
    assert (few.value, few.high) == (1.0, 1.0)
    assert few.low < 0.6 < 0.98 < many.low


def test_the_interval_holds_the_true_kappa() -> None:
    # Two readers who each see the truth in 9 of 10: observed agreement .82, chance .5, so kappa .64.
    rng = random.Random(2)
    held = 0
    for _ in range(300):
        counts: dict[tuple[int, int], int] = {}
        for _ in range(100):
            truth = rng.random() < 0.5
            said = (truth ^ (rng.random() < 0.1), truth ^ (rng.random() < 0.1))
            counts[said] = counts.get(said, 0) + 1
        found = kappa(counts)
        held += found.low <= 0.64 <= found.high
    assert held >= 276


def test_what_tells_nothing_has_no_kappa() -> None:
    one_word = kappa({("tie", "tie"): 30})
    assert (one_word.value, one_word.low, one_word.high) == (None, -1.0, 1.0)
    assert "not defined" in str(one_word)
    assert kappa({}).n == 0
    assert str(kappa({})) == "no data"


def test_kappa_in_words_has_its_counts_and_intervals() -> None:
    assert str(kappa(table(20, 5, 10, 15))) == "35/50 = 70% [56%, 81%], kappa 0.40 [0.12, 0.62]"


@pytest.mark.parametrize(
    ("one_way", "other_way", "p"), [(4, 12, 0.0768), (0, 0, 1.0), (0, 5, 0.0625), (0, 6, 0.03125), (5, 15, 0.0414)]
)
def test_changes_one_way(one_way, other_way, p) -> None:
    assert mcnemar_p(one_way, other_way) == pytest.approx(p, abs=5e-4)
    assert mcnemar_p(other_way, one_way) == mcnemar_p(one_way, other_way)


def test_holm_keeps_the_order_and_never_goes_back() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
