"""Adding tags to rows and taking them off, in one line."""

import re
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.base import StudioModal
from screens.widgets.typing_order import LineInput
from studio.text import clean_line

Changes = tuple[list[str], list[str]]
"""The tags to add and those to take off."""

SHOWN_TAGS = 10


class TagsWindow(StudioModal[Changes]):
    """A line of tags: a name adds it, `-name` takes it off; tab completes names that are in use."""

    BINDINGS: ClassVar[list[BindingType]] = keys.TAGS

    line = query_one(Input)
    said = query_one("#said", Static)

    def __init__(self, rows: str, known: list[str], present: list[str]) -> None:
        super().__init__()
        self._rows = rows
        self._known = known
        self._present = present

    def compose(self) -> ComposeResult:
        """Lay the line over the names that fit it."""
        with Vertical(classes="window"):
            yield Static(clean_line(f"Tags of {self._rows}"), classes="pane-title", markup=False)
            if self._present and self._present != self._known:
                yield Static(clean_line(f"now: {' '.join(self._present)}"), markup=False)
            line = LineInput(placeholder="checked urgent -draft; enter does it, esc leaves", compact=True)
            line.cursor_blink = False
            yield line
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        """Begin in the line."""
        self._show_names()
        self.line.focus()

    @on(Input.Changed)
    def _show_names(self) -> None:
        names = matching(self.line.value, self._known, self._present)
        more = f"  and {len(names) - SHOWN_TAGS} more" if len(names) > SHOWN_TAGS else ""
        words = f"in use: {'  '.join(names[:SHOWN_TAGS])}{more}" if names else "a new name makes a new tag"
        self.said.update(clean_line(words))

    def action_complete(self) -> None:
        """Complete the last name."""
        names = matching(self.line.value, self._known, self._present)
        if names:
            before, sign, _ = _split_last(self.line.value)
            self.line.value = f"{before}{sign}{names[0]} "
            self.line.cursor_position = len(self.line.value)

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.dismiss(changes_of(self.line.value))


def changes_of(line: str) -> Changes:
    """Return the tags that a line adds and those that it takes off."""
    names = [name for name in re.split(r"[\s,]+", line) if name.strip("-#")]
    add = [name.lstrip("#") for name in names if not name.startswith("-")]
    remove = [name.lstrip("-#") for name in names if name.startswith("-")]
    return list(dict.fromkeys(add)), list(dict.fromkeys(remove))


def matching(line: str, known: list[str], present: list[str]) -> list[str]:
    """Return the names that the last word may become: of those the rows have, where it takes one off."""
    _, sign, beginning = _split_last(line)
    return [name for name in (present if sign else known) if name.startswith(beginning)]


def _split_last(line: str) -> tuple[str, str, str]:
    """Return what comes before the last word, its minus, and what there is of its name."""
    last = re.split(r"[\s,]", line)[-1]
    return line.removesuffix(last) if last else line, "-" * last.startswith("-"), last.removeprefix("-")
