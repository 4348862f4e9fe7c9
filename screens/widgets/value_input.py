"""A field that has one of a few values: keys go through them, and nothing else can be written."""

import re
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from screens import keys
from screens.widgets.typing_order import LineInput


class ValueInput(LineInput):
    """A line that a key takes from value to value."""

    BINDINGS: ClassVar[list[BindingType]] = keys.VALUE

    def __init__(self, value: str, choices: Sequence[str], *, id: str) -> None:
        super().__init__(value, id=id, select_on_focus=False, restrict="|".join(map(re.escape, choices)))
        self.cursor_blink = False
        self.choices = tuple(choices)

    def action_cycle(self, step: int) -> None:
        """Take the next value, or the one before."""
        at = self.choices.index(self.value) if self.value in self.choices else -step
        self.value = self.choices[(at + step) % len(self.choices)]
        self.cursor_position = len(self.value)
