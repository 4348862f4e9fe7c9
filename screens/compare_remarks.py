"""What a person adds to a verdict: a comment and reasons, kept with the pair that they were begun on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from screens import keys
from studio.text import clean_line

MOST_REASONS = 9
"""A digit stands for each."""


@dataclass
class Remarks:
    """What was begun on a pair and is not in the journal."""

    comment: str = ""
    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.comment.strip() or self.reasons)

    def __str__(self) -> str:
        """Say what waits for the verdict."""
        parts = [f"Reasons: {', '.join(self.reasons)} (r)"] if self.reasons else []
        parts += [f"Comment: {self.comment.strip()} (c)"] if self.comment.strip() else []
        return "; ".join(parts)


class RemarksByPair(dict[int, Remarks]):
    """Those of every pair that was left before its verdict."""

    def of(self, pair_id: int) -> Remarks:
        """Return what was begun on a pair."""
        return self.setdefault(pair_id, Remarks())

    def place(self) -> dict[str, Any]:
        """Return them as they are kept for the next session."""
        return {str(pair): [begun.comment, list(begun.reasons)] for pair, begun in self.items() if begun}

    def take_over(self, place: Mapping[str, Any]) -> None:
        """Take over those of the session before."""
        for pair, (comment, reasons) in place.items():
            self[int(pair)] = Remarks(comment, tuple(reasons))


class ReasonsLine(Widget, can_focus=True):
    """A task's reasons, each with its digit; those that were chosen stand in brackets."""

    BINDINGS: ClassVar[list[BindingType]] = keys.REASONS

    @dataclass
    class Changed(Message):
        """Other reasons were chosen."""

        reasons: tuple[str, ...]

    class Closed(Message):
        """The line was left."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._reasons: Sequence[str] = ()
        self._chosen: tuple[str, ...] = ()

    def show(self, reasons: Sequence[str], chosen: Sequence[str]) -> None:
        """Show the reasons of a task, and which were chosen of a pair."""
        self._reasons = reasons[:MOST_REASONS]
        # One that the task has no more stays where it was chosen before.
        self._chosen = tuple(chosen)
        self.refresh(layout=True)

    def action_choose(self, number: int) -> None:
        """Choose a reason by its digit, or let it go."""
        if number > len(self._reasons):
            return
        reason = self._reasons[number - 1]
        taken = set(self._chosen) ^ {reason}
        self._chosen = tuple(r for r in (*self._reasons, *self._chosen) if r in taken)
        self._chosen = tuple(dict.fromkeys(self._chosen))
        self.refresh(layout=True)
        self.post_message(self.Changed(self._chosen))

    def action_close(self) -> None:
        """Leave the line; what was chosen stays."""
        self.post_message(self.Closed())

    def render(self) -> Content:
        """Lay the reasons out."""
        parts: list[Content | tuple[str, str] | str] = ["Why: "]
        for number, reason in enumerate(self._reasons, start=1):
            is_chosen = reason in self._chosen
            name = clean_line(reason)
            parts += [(f"{number} ", "bold"), (f"[{name}]", "bold reverse") if is_chosen else f" {name} ", " "]
        return Content.assemble(*parts, " enter closes")
