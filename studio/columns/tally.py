"""Counting values of which there may be any number, in bounded memory: exactly as long as they are few."""

from dataclasses import dataclass

MOST_VALUES = 20_000
"""Values that are counted at once; of more, the rarer half is forgotten, and with it how many there were."""


@dataclass(frozen=True)
class Counted:
    """A value that is frequent."""

    value: str
    count: int
    at_most: int
    """Greater than the count where some of its occurrences may have been forgotten."""


class Tally:
    """How often each value occurs."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._most = most
        self._counts: dict[str, int] = {}
        self._missed: dict[str, int] = {}
        """How often a value that came after others were forgotten may have occurred before."""
        self._forgotten = 0
        """What the most frequent of the forgotten values may have counted."""

    def add(self, value: str) -> None:
        """Count one value."""
        count = self._counts.get(value)
        if count is not None:
            self._counts[value] = count + 1
            return
        if len(self._counts) >= self._most:
            self._forget()
        self._counts[value] = 1
        if self._forgotten:
            self._missed[value] = self._forgotten

    @property
    def distinct(self) -> int:
        """How many values there are; where `is_over`, there are more than these."""
        return self._most if self.is_over else len(self._counts)

    @property
    def is_over(self) -> bool:
        """Whether there were too many values to count them all."""
        return self._forgotten > 0

    def top(self, number: int) -> list[Counted]:
        """Return the most frequent values; where all are equally rare there is none to name."""
        found = [Counted(v, c, c + self._missed.get(v, 0)) for v, c in self._counts.items()]
        if self.is_over:
            # What occurs less often than some that was forgotten can't be told to be among the first.
            found = [each for each in found if each.count > self._forgotten]
        return sorted(found, key=lambda each: (-each.count, each.value))[:number]

    def _forget(self) -> None:
        possible = {value: count + self._missed.get(value, 0) for value, count in self._counts.items()}
        threshold = sorted(possible.values())[len(possible) // 2]
        self._forgotten = threshold
        self._counts = {value: count for value, count in self._counts.items() if possible[value] > threshold}
        self._missed = {value: missed for value, missed in self._missed.items() if value in self._counts}
