"""The lines under the panes of Compare: how far one is, or what is written in its place, a comment or reasons."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import Input, Static

from screens.compare_remarks import ReasonsLine, Remarks
from screens.widgets.typing_order import LineInput
from studio.text import clean_line


class RemarkLines(Vertical):
    """One line of three is in sight; what is written goes into the remarks that the line was opened on."""

    counter = query_one("#progress", Static)
    reasons = query_one(ReasonsLine)
    comment = query_one("#comment", Input)

    def __init__(self) -> None:
        super().__init__()
        self._remarks = Remarks()

    def compose(self) -> ComposeResult:
        """Lay the lines one over the other."""
        yield Static("", id="progress", markup=False)
        yield ReasonsLine(id="reasons")
        yield LineInput(
            id="comment", placeholder="Comment on this pair: enter saves, esc puts it aside", select_on_focus=False
        )

    def on_mount(self) -> None:
        """Put the lines away that are opened by a key."""
        self.comment.cursor_blink = False
        self.comment.display = self.reasons.display = False

    @property
    def is_open(self) -> bool:
        """Whether a comment is being written, or reasons chosen."""
        return self.comment.display or self.reasons.display

    def say(self, words: str) -> None:
        """Say something in the line that stands where none is open."""
        self.counter.update(clean_line(words), layout=False)

    def open_comment(self, remarks: Remarks) -> None:
        """Go on with a comment."""
        self.comment.value = remarks.comment
        self.comment.cursor_position = len(remarks.comment)
        self._open(self.comment, remarks)

    def open_reasons(self, remarks: Remarks, offered: tuple[str, ...]) -> None:
        """Choose from a task's reasons."""
        self.reasons.show(offered, remarks.reasons)
        self._open(self.reasons, remarks)

    def take(self) -> None:
        """Take note of what was written so far."""
        if self.comment.display:
            self._remarks.comment = self.comment.value

    def close(self) -> None:
        """Put the lines away."""
        self.comment.display = self.reasons.display = False
        self.counter.display = True

    @on(ReasonsLine.Changed)
    def _take_reasons(self, event: ReasonsLine.Changed) -> None:
        self._remarks.reasons = event.reasons

    def _open(self, line: Widget, remarks: Remarks) -> None:
        self._remarks = remarks
        self.counter.display = False
        line.display = True
        self.screen.set_focus(line)
