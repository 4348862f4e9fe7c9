"""The states that an example has had and what each changed; an older one can be brought back as the newest."""

import json
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import HELP_KEYS
from screens.list_over_text import ListOverText
from screens.widgets.bars import KeyBar
from screens.widgets.conversation import conversation
from screens.widgets.difference import difference_spans
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store.examples import Revision
from studio import conversation_text

View = Literal["what it changed", "what the newest has instead", "the whole text"]
MOST_LINES = 8
VIEWS: tuple[View, ...] = ("what it changed", "what the newest has instead", "the whole text")


class RevisionsWindow(ListOverText[int]):
    """A list of revisions over what the one under the cursor changed; gives the number of the one that is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.REVISIONS, *HELP_KEYS]

    shown = query_one("#shown", Static)

    def __init__(self, revisions: list[Revision], templates: dict[int, str]) -> None:
        super().__init__()
        self._by_number = {revision.number: revision for revision in revisions}
        self._templates = templates
        self._newest = max(self._by_number)
        self._view: View = VIEWS[0]

    def compose(self) -> ComposeResult:
        """Lay the list over the text."""
        columns = [Column("Revision", 9), Column("Came from", 10), Column("When (UTC)", 20), Column("Template")]
        with Vertical(classes="window tall"):
            yield Static("Enter brings a revision back as the newest; esc closes.", classes="pane-title", markup=False)
            yield RecordTable(columns, self._rows)
            yield Static("", id="shown", classes="pane-title", markup=False)
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Show them, the newest first; most of the room is for what they say."""
        self.table.styles.height = min(len(self._by_number), MOST_LINES) + 1
        self.table.show(sorted(self._by_number, reverse=True))
        self.table.focus()

    def action_next_view(self) -> None:
        """Change what is shown of the revision."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        self._show()

    def _rows(self, numbers: list[int]) -> dict[int, Row]:
        return {number: self._row(self._by_number[number]) for number in numbers}

    def _row(self, revision: Revision) -> Row:
        moment = revision.created_at[:19].replace("T", " ")
        return Row((str(revision.number), revision.origin, moment, self._templates.get(revision.number, "-")))

    @on(RecordTable.Highlighted)
    def _show(self) -> None:
        number = self.table.cursor_id
        if number is not None:
            self.shown.update(f"Revision {number}: {self._view} (v changes that)")
            self.text.show(self._spans(number))

    def _spans(self, number: int) -> list[Span]:
        shown = self._by_number[number]
        if self._view == "the whole text":
            return conversation(shown.messages)
        if self._view == "what it changed":
            if number == min(self._by_number):
                return [Span("It is the first.\n\n", "italic"), *conversation(shown.messages)]
            before = self._by_number[max(n for n in self._by_number if n < number)]
            return difference_spans(_text(before), _text(shown))
        return difference_spans(_text(shown), _text(self._by_number[self._newest]))

    @on(RecordTable.Opened)
    def _bring_back(self, event: RecordTable.Opened) -> None:
        self.dismiss(None if event.row_id == self._newest else event.row_id)


def _text(revision: Revision) -> str:
    text = conversation_text.write(revision.messages)
    return (
        text if revision.tools is None else f"{text}tools\n{json.dumps(revision.tools, ensure_ascii=False, indent=2)}"
    )
