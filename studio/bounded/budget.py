"""What one rendering may use up, and how it is counted."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateRuntimeError

WIDEST = 1_000
"""The largest number that an expression which pads or repeats may be given."""

MOST_BITS = 10_000
"""Of a number: dividing longer ones takes long, and nobody prints them."""

_LONG = 4_000
"""Characters that take long enough to look at the clock."""

_ROUNDS_BETWEEN = 16
"""Rounds between two looks at the clock."""

_ITEM = 8
"""Characters that a list's item, a number or a name counts for beside its text."""


class BeyondBounds(TemplateRuntimeError):
    """A template goes on for too long, or makes too much."""


@dataclass(frozen=True)
class Limits:
    """What one rendering may use up."""

    seconds: float
    """Of this thread's own time, so that a busy machine refuses nothing."""
    rounds: int
    """Of loops and calls of macros."""
    characters: int
    """That it makes, on the way to its text too."""


class Budget:
    """What is left for one rendering."""

    __slots__ = ("_begun", "_deadline", "_limits", "_room", "characters", "rounds")

    def __init__(self, limits: Limits, room: Callable[[], int] | None = None) -> None:
        self._limits = limits
        self._room = room
        self._begun = time.thread_time()
        self._deadline = time.monotonic() + limits.seconds
        self.rounds = limits.rounds
        self.characters = limits.characters

    def spend(self, characters: int) -> None:
        """Count characters that were made."""
        self.characters -= characters
        if self.characters < 0:
            self._more(0)
        if characters > _LONG:
            self.look_at_clock()

    def look_at_clock(self) -> None:
        """Refuse to go on when the time is over, or the rounds."""
        if self.rounds < 0:
            raise BeyondBounds(f"the template goes round more than {self._limits.rounds:,} times")
        if time.monotonic() > self._deadline:
            used = time.thread_time() - self._begun
            if used > self._limits.seconds:
                raise BeyondBounds(f"the template takes longer than {self._limits.seconds:g} seconds")
            self._deadline = time.monotonic() + self._limits.seconds - used

    def check(self, characters: int) -> None:
        """Refuse to begin what would make more than is left."""
        if characters > self.characters:
            self._more(characters)

    def _more(self, characters: int) -> None:
        # How much is long depends on the conversation, which only few need to be measured for.
        if self._room is not None:
            self.characters += self._room()
            self._room = None
        if self.characters < characters:
            raise BeyondBounds(f"the template makes more than {self._limits.characters:,} characters")


_UNUSED = Limits(seconds=1, rounds=1_000, characters=1_000)
"""Outside a rendering, where Jinja may try an expression to see whether it is constant."""

current: ContextVar[Budget | None] = ContextVar("budget of a rendering", default=None)


def budget() -> Budget:
    """Return the budget of the rendering that is going on."""
    return current.get() or Budget(_UNUSED)


def count_round() -> None:
    """Count a round of a loop, or a call."""
    left = budget()
    left.rounds -= 1
    if left.rounds % _ROUNDS_BETWEEN == 0 or left.rounds < 0:
        left.look_at_clock()


def spend(value: Any) -> Any:
    """Count a value that was made, and return it."""
    if isinstance(value, (str, bytes)):
        (current.get() or budget()).spend(len(value))
    elif isinstance(value, (list, tuple, dict)):
        left = budget()
        left.spend(weight(value, left))
    return value


def weight(value: Any, left: Budget) -> int:
    """Return about how many characters a value has when it is printed; lists in lists in lists have many."""
    total, stack = 0, [value]
    while stack:
        each = stack.pop()
        if isinstance(each, (str, bytes)):
            total += len(each)
        elif isinstance(each, dict):
            stack.extend(each)
            stack.extend(each.values())
        elif isinstance(each, (list, tuple)):
            stack.extend(each)
        total += _ITEM
        if total > left.characters:
            left.check(total)
    return total
