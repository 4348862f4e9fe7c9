"""Curves as characters: they stand where their steps are, and one step more changes one column."""

import pytest

from screens.curves_in_sight import Sight, charts_of, lettered
from screens.widgets.plot import Chart, Point, blocks, columns_of, drawn, letters, smoothed, steps_of
from studio.training.history.overview import Curve

RISING: list[Point] = [(step, float(step)) for step in range(4)]


def test_a_plot_is_as_wide_and_high_as_it_may_be() -> None:
    assert blocks(columns_of(RISING, (0, 3), 4), 1) == ["▁▃▆█"]
    assert blocks(columns_of([(1, 5.0), (2, 5.0)], (1, 2), 2), 2) == ["  ", "██"]
    many: list[Point] = [(step, float(step % 7)) for step in range(1000)]
    assert [len(line) for line in drawn(Chart("loss", {"": many}), (0, 999), 30, 6)[1:]] == [30] * 5
    assert drawn(Chart("loss", {"": []}), (0, 0), 30, 6) == ["loss: nothing measured here"]


def test_points_stand_where_their_steps_are_and_lines_lead_from_one_to_the_next() -> None:
    columns = columns_of([(0, 1.0), (10, 3.0), (20, 2.0)], (0, 40), 9)
    assert columns == [(1.0, True), (2.0, False), (3.0, True), (2.5, False), (2.0, True), None, None, None, None]
    assert columns_of([(0, 1.0), (1, 3.0), (9, 0.0)], (0, 9), 2) == [(2.0, True), (0.0, True)]


def test_one_step_more_changes_one_column() -> None:
    steps: list[Point] = [(step, float(step % 5)) for step in range(1, 60)]
    before, after = (drawn(Chart("loss", {"": steps[:count]}), (1, 100), 50, 8)[1:] for count in (54, 56))
    changed = {place for old, new in zip(before, after, strict=True) for place in range(50) if old[place] != new[place]}
    assert changed <= {27, 28}


def test_where_curves_meet_their_letters_take_turns() -> None:
    falling = columns_of([(0, 3.0), (1, 2.0), (2, 1.0), (3, 0.0)], (0, 3), 4)
    rising = columns_of([(0, 0.0), (3, 3.0)], (0, 3), 4)
    assert letters({"A": falling, "B": rising}, 4, 4) == ["A  B", " A· ", " ·A ", "B  A"]
    assert letters({"A": falling, "B": falling}, 4, 2) == ["AB  ", "  AB"]


def test_the_first_values_of_a_smoothed_curve_weigh_as_much_as_the_others() -> None:
    assert [value for _, value in smoothed([(1, 2.0), (2, 2.0), (3, 2.0)], 0.9)] == pytest.approx([2, 2, 2])
    assert [value for _, value in smoothed([(1, 0.0), (2, 3.0)], 0.5)] == pytest.approx([0, 2])


def test_zooming_and_moving_stay_within_the_steps() -> None:
    everything = (0, 100)
    sight = Sight()
    assert sight.panned(1).panned(-1).steps(everything) == everything
    assert sight.zoomed(1).steps(everything) == (50, 100)
    assert sight.zoomed(1).panned(-1).steps(everything) == (25, 75)
    assert sight.zoomed(2).panned(-1).panned(-1).panned(1).steps(everything) == (62, 88)
    left = sight.zoomed(1)
    for _ in range(5):
        left = left.panned(-1)
    assert left.steps(everything) == (0, 50)
    assert left.zoomed(-1).steps(everything) == everything
    assert sight.smoother().smoother().smoother() == sight


def test_charts_are_of_the_chosen_metrics_and_tell_runs_apart() -> None:
    loss, margin = Curve("loss", "training loss", RISING), Curve("rewards/margins", "reward margin", RISING)
    assert charts_of({"dpo-1": [margin, loss]}, ()) == [
        Chart("training loss", {"": RISING}),
        Chart("reward margin", {"": RISING}),
    ]
    both = charts_of({"sft-1": [loss], "dpo-2": [loss, margin]}, ["rewards/margins"])
    assert both == [Chart("reward margin", {"B": RISING})]
    assert lettered(["sft-1", "dpo-2"]) == {"A": "sft-1", "B": "dpo-2"}
    assert steps_of(both) == (0, 3)
