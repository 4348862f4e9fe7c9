"""The line that asks which reply is better; verdict keys work while it has the focus, and nowhere else."""

import time
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from screens import keys
from studio.chatting.preferences import Outcome

QUIET_SECONDS = 0.5
"""For so long after replies have come, keys are those of somebody who was about to write on."""

TWO = (("h", "left"), ("l", "right"), ("t", "tie"), ("b", "both bad"), ("s", "skip"))


class JudgeLine(Widget, can_focus=True):
    """Asks for a verdict on the replies in sight."""

    BINDINGS: ClassVar[list[BindingType]] = keys.CHAT_JUDGE

    @dataclass
    class Judged(Message):
        """The place of the better one, or of the best; or that there is none."""

        outcome: Outcome

    class Closed(Message):
        """The line was left without a verdict."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sides = 2
        self._from = 0.0
        """The moment from which on keys are verdicts."""

    def ask(self, sides: int, *, take_focus: bool = True, unasked: bool = False) -> None:
        """Ask about so many replies; unasked, where they have just come, keys of a sentence begun count for nothing."""
        self._sides = sides
        self._from = time.monotonic() + (QUIET_SECONDS if unasked else 0.0)
        self.display = True
        self.refresh(layout=True)
        if take_focus:
            self.screen.set_focus(self)

    def action_judge(self, outcome: Outcome) -> None:
        """Judge, where that can be said of so many replies."""
        fits = outcome < self._sides if isinstance(outcome, int) else outcome != "tie" or self._sides == 2
        if fits and time.monotonic() >= self._from:
            self.post_message(self.Judged(outcome))

    def action_close(self) -> None:
        """Leave it open."""
        self.post_message(self.Closed())

    def on_focus(self) -> None:
        """Say which keys there are."""
        self.refresh()

    def on_blur(self) -> None:
        """Say how to come back: the same keys stand for other things elsewhere."""
        self.refresh()

    def render(self) -> Content:
        """Lay the choices out, or how to come to them."""
        if not self.has_focus:
            return Content.assemble("Which is better? ", ("w", "bold"), " to judge")
        several = (*((str(n + 1), "") for n in range(self._sides)), ("b", "all bad"), ("s", "skip"))
        choices = TWO if self._sides == 2 else several
        parts: list[tuple[str, str] | str] = ["Better? " if self._sides == 2 else "The best? "]
        for key, words in choices:
            parts += [(key, "bold"), f" {words}  " if words else " "]
        return Content.assemble(*parts, ("tab", "bold"), " read on")
