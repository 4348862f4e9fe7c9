"""How many threads evaluate: no more than the machine lets run.

All threads wait for one another some six hundred times a token. Where another program holds one of them up, they all
stand still: on two busy cores, one thread alone was measured to be ten times as fast as two. What they compute is the
same to the last bit, however many they are.
"""

import time

import psutil

WINDOW_SECONDS = 0.25
"""How long to look before the number changes."""

HELD_UP = 0.75
"""A crew that gets less than this part of the time it asks for is too large."""

LONGEST_WAIT = 64
"""Windows until more threads are tried again, where they were held up each time before."""


class Machine:
    """The clocks of this process and its machine, in seconds."""

    def passed(self) -> float:
        """Return the time."""
        return time.monotonic()

    def used(self) -> float:
        """Return how long processors worked for this process, all its threads together."""
        return time.process_time()

    def idle(self) -> float:
        """Return how long all processors together had nothing to do, or waited for a disk."""
        times = psutil.cpu_times()
        return float(times.idle + getattr(times, "iowait", 0.0))


class Crew:
    """The threads of this process, counted by how much of the processor they were given."""

    def __init__(self, most: int, machine: Machine | None = None, *, fixed: bool = False) -> None:
        self.count = self._most = most
        self._machine, self._fixed = machine or Machine(), fixed
        self._threads = 1
        self._begun = self._used_before = self._idle_before = self._window_begun = 0.0
        self._working = self._asked = self._used = 0.0
        self._wait, self._waited = 1, 0

    def begin(self, threads: int) -> None:
        """Note that so many threads, at most `count`, begin to evaluate."""
        self._begun, self._used_before = self._machine.passed(), self._machine.used()
        if self._working == 0:
            self._idle_before, self._window_begun = self._machine.idle(), self._begun
        self._threads = threads

    def end(self) -> None:
        """Note their end; from time to time the number of threads changes then."""
        seconds = self._machine.passed() - self._begun
        self._working += seconds
        self._asked += seconds * self._threads
        self._used += self._machine.used() - self._used_before
        if self._working >= WINDOW_SECONDS:
            if not self._fixed:
                self._settle()
            self._working = self._asked = self._used = 0.0

    def _settle(self) -> None:
        self._waited += 1
        given = self._used / self._working
        if self.count > 1 and self._used < HELD_UP * self._asked:
            # Those that were held up as soon as they had become more are not to be tried again so soon.
            self._wait = min(LONGEST_WAIT, 2 * self._wait) if self._waited == 1 else 1
            self.count = max(1, int(given + 1 - HELD_UP))
            self._waited = 0
        elif self.count < self._most and self._waited >= self._wait:
            spare = (self._machine.idle() - self._idle_before) / (self._machine.passed() - self._window_begun)
            if more := int(spare + 0.4):
                self.count = min(self._most, self.count + more)
                self._waited = 0
