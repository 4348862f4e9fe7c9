"""The pace of a run, by a clock that is turned by hand."""

from studio.training.watching.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_measuring_and_saving_are_no_training() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now = 2
    assert pace.step_ended() == 2
    clock.now = 3
    pace.pause()
    clock.now = 12
    pace.step_begins()
    clock.now = 16
    assert pace.step_ended() == 4
    assert pace.left(10, 2) == 10 * 3 + 2 * 10, "the median step, and the pause from the last step's end on"


def test_what_is_between_steps_without_a_pause_belongs_to_the_step() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.step_ended()
    clock.now = 5
    pace.step_begins()
    clock.now = 6
    assert pace.step_ended() == 6


def test_nothing_is_foretold_before_the_first_step() -> None:
    assert Pace(Clock()).left(10, 1) == 0
