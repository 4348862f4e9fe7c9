"""The one to four panes of a chat: in columns, over each other, or one at a time, as there is room."""

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import DescendantFocus

from screens.chat_pane import ChatPane
from studio.chatting.conversation import MOST_MODELS

LEAST_COLUMN = 50
"""Columns that a pane beside another needs."""

LEAST_LINES = 7
"""Lines that a pane over another needs."""


class ChatPanes(Container):
    """The panes, and which of them the keys are about."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.alone = False
        """Whether one pane at a time was asked for."""
        self.here = 0
        """The pane that has the focus, or had it last."""
        self._count = 1
        self._stands: tuple[int, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay all that there may be."""
        yield from map(ChatPane, range(MOST_MODELS))

    def pane(self, number: int) -> ChatPane:
        """Return a pane by its place."""
        return self.query_one(f"#pane-{number}", ChatPane)

    @property
    def count(self) -> int:
        """How many panes there are."""
        return self._count

    def set_count(self, count: int) -> None:
        """Have so many panes."""
        self._count = count
        if self.here >= count:
            self.here = count - 1
            if self.has_focus_within:
                self.focus_here()
        self._stand()

    def go_on(self) -> None:
        """Go to the next pane; from elsewhere to the one that had the focus last."""
        if self.has_focus_within:
            self.here = (self.here + 1) % self._count
        self.focus_here()

    def focus_here(self) -> None:
        """Go to the pane that had the focus last."""
        self.screen.set_focus(self.pane(self.here).turns)

    def toggle_alone(self) -> None:
        """Show one pane at a time, or all that there is room for."""
        self.alone = not self.alone
        self._stand()

    def on_resize(self) -> None:
        """Stand as there is room now."""
        self._stand()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Open the pane that is gone to, where they stand one at a time."""
        for number in range(self._count):
            if event.widget is self.pane(number).turns:
                self.here = number
                self._stand()

    def _stand(self) -> None:
        columns = 0 if self.alone else columns_for(self._count, self.size.width, self.size.height)
        stands = (self._count, columns, -1 if columns else self.here)
        if stands == self._stands:
            return
        self._stands = stands
        self.styles.layout = "grid" if columns > 1 else "vertical"
        self.styles.grid_size_columns = max(columns, 1)
        for number in range(MOST_MODELS):
            pane = self.pane(number)
            pane.display = number < self._count
            # Of a pane that is away its line stands: that there is one, and how far it is.
            pane.styles.height = 1 if not columns and number != self.here else "1fr"
            pane.styles.column_span = 2 if (self._count, columns, number) == (3, 2, 2) else 1


def columns_for(count: int, width: int, height: int) -> int:
    """Return in how many columns panes stand; 0 where only one at a time has room."""
    columns = min(count, 3 if count == 3 else 2, max(width // LEAST_COLUMN, 1))
    rows = -(-count // columns)
    return columns if rows == 1 or height // rows >= LEAST_LINES else 0
