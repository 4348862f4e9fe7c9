"""The change of a share: as published, and where nothing changed."""

import pytest

from studio.statistics.paired import paired_change


@pytest.mark.parametrize(
    ("counts", "interval"),
    [
        # Newcombe (1998), the table of methods: the rows of method 10.
        ((36, 2, 12, 0), (0.0569, 0.3404)),
        ((53, 0, 1, 0), (-0.0496, 0.0977)),
    ],
)
def test_the_interval_is_the_published_one(counts, interval) -> None:
    change = paired_change(*counts)
    assert (change.low, change.high) == pytest.approx(interval, abs=1e-4)


def test_the_other_way_round_it_is_the_same_with_the_sign_turned() -> None:
    one, other = paired_change(30, 8, 3, 9), paired_change(30, 3, 8, 9)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.low < one.value < one.high


def test_no_change_is_not_a_certain_one() -> None:
    change = paired_change(40, 0, 0, 10)
    assert change.value == 0
    assert change.low < 0 < change.high
    assert (paired_change(0, 0, 0, 0).low, paired_change(0, 0, 0, 0).high) == (-1, 1)
