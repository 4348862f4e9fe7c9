"""What good and bad answers weigh where one kind is rarer."""

import pytest

from studio.training.recipe import make_recipe
from studio.training.rows.balance import weights


@pytest.mark.parametrize(
    ("good", "bad", "change", "expected"),
    [
        (30, 60, [], (1, 0.5)),
        (60, 30, [], (0.5, 1)),
        (10, 10, [], (1, 1)),
        (0, 50, [], (1, 1)),
        (50, 0, [], (1, 1)),
        (30, 60, ["desirable_weight=2"], (2, 0.5)),
    ],
)
def test_both_kinds_weigh_alike_together(good: int, bad: int, change: list[str], expected: tuple[float, float]) -> None:
    assert weights(make_recipe("kto", change), [True] * good + [False] * bad) == expected
