"""How fast a run goes and when it will end, by a clock that leaves out what is no training."""

import statistics
import time
from collections import deque
from collections.abc import Callable

RECENT = 20
"""Steps that the pace is taken from: enough that one long row changes little, few enough to see a change."""


class Pace:
    """Times the steps, and apart from them the measurements between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._paused = False
        self._steps: deque[float] = deque(maxlen=RECENT)
        self._pauses: deque[float] = deque(maxlen=RECENT)

    def pause(self) -> None:
        """What follows the last step is no training: the held-out rows are measured, or weights are saved."""
        self._paused = True

    def step_begins(self) -> bool:
        """Note that training goes on; tell whether there was something else before."""
        if not self._paused:
            return False
        self._pauses.append(self._clock() - self._since)
        self._since = self._clock()
        self._paused = False
        return True

    def step_ended(self) -> float:
        """Return the seconds that the step took, its data included."""
        now = self._clock()
        seconds, self._since = now - self._since, now
        self._steps.append(seconds)
        return seconds

    def left(self, steps: int, pauses: int) -> float:
        """Return the seconds that so many more steps and measurements will take, as the last ones did."""
        step = statistics.median(self._steps) if self._steps else 0.0
        pause = statistics.median(self._pauses) if self._pauses else 0.0
        return steps * step + pauses * pause
