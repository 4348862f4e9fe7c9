"""The states that an example has had; an older one can be brought back as the newest."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens.base import StudioModal
from screens.widgets.conversation import conversation
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from store.examples import Message, Revision


class RevisionsWindow(StudioModal[list[Message]]):
    """A list of revisions over the one under the cursor; gives the messages of the one that is opened."""

    table = query_one(RecordTable)
    text = query_one(TextView)

    def __init__(self, revisions: list[Revision]) -> None:
        super().__init__()
        self._by_number = {revision.number: revision for revision in revisions}

    def compose(self) -> ComposeResult:
        """Lay the list over the text."""
        with Vertical(classes="window tall"):
            yield Static("Enter brings a revision back as the newest; esc closes.", classes="pane-title", markup=False)
            yield RecordTable([Column("Revision", 9), Column("Came from", 10), Column("When (UTC)")], self._rows)
            yield TextView()

    def on_mount(self) -> None:
        """Show them, the newest first."""
        self.table.show(sorted(self._by_number, reverse=True))
        self.table.focus()

    def _rows(self, numbers: list[int]) -> dict[int, Row]:
        return {n: Row((str(n), r.origin, r.created_at[:19])) for n in numbers if (r := self._by_number[n])}

    @on(RecordTable.Highlighted)
    def _show(self, event: RecordTable.Highlighted) -> None:
        if event.row_id is not None:
            self.text.show(conversation(self._by_number[event.row_id].messages))

    @on(RecordTable.Opened)
    def _bring_back(self, event: RecordTable.Opened) -> None:
        is_newest = event.row_id == max(self._by_number)
        self.dismiss(None if is_newest else self._by_number[event.row_id].messages)
