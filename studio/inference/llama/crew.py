"""How many threads evaluate: no more than the machine lets run.

All threads wait for one another some six hundred times a token. Where another program holds one of them up, they all
stand still: on two busy cores, one thread alone was measured to be ten times as fast as two.
"""

import time

import psutil

WINDOW_SECONDS = 0.25
"""How long to look before the number changes."""

HELD_UP = 0.75
"""A crew that gets less than this part of the time it asks for is too large."""


class Crew:
    """The threads of this process, counted by how much of the processor they were given."""

    def __init__(self, most: int) -> None:
        self.count = self._most = most
        self._begun = self._used_before = self._idle_before = 0.0
        self._working = self._used = self._window_begun = 0.0

    def begin(self) -> None:
        """Note that an evaluation begins."""
        if self._working == 0:
            self._idle_before, self._window_begun = _idle(), time.monotonic()
        self._begun, self._used_before = time.monotonic(), time.process_time()

    def end(self) -> None:
        """Note its end; from time to time the number of threads changes then."""
        self._working += time.monotonic() - self._begun
        self._used += time.process_time() - self._used_before
        if self._working < WINDOW_SECONDS:
            return
        given = self._used / self._working
        if given < HELD_UP * self.count:
            self.count = max(1, int(given + 1 - HELD_UP))
        elif self.count < self._most:
            spare = (_idle() - self._idle_before) / (time.monotonic() - self._window_begun)
            self.count = min(self._most, self.count + int(spare + 0.4))
        self._working = self._used = 0.0


def _idle() -> float:
    """Return the seconds that all processors together have had nothing to do."""
    return float(psutil.cpu_times().idle)
