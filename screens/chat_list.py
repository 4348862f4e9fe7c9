"""All chats: found by words in any turn, gone on with, renamed, deleted, written into files."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.timer import Timer
from textual.widgets import Input, Static

from screens import chat_text, keys
from screens.background import in_background
from screens.base import HELP_KEYS, message_of
from screens.chat_export import ask_export
from screens.dialogs import Confirm
from screens.list_detail import SEARCH_DELAY
from screens.list_over_text import ListOverText
from screens.widgets.bars import KeyBar
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from screens.widgets.typing_order import LineInput
from store import chats
from store.chats import Chat
from store.database import Store
from studio.chatting import keeping
from studio.chatting.conversation import Conversation, Question
from studio.chatting.finding import Found, search
from studio.errors import StudioError
from studio.project import Project
from studio.text import clean_line

COLUMNS = (Column("Begun", 10), Column("Turns", 5), Column("Models", 14), Column("Title"))
SEARCHING = "words in any turn, in any order; enter goes to the list, esc shows all chats again"
NO_CHAT = "No chat yet."


@dataclass(frozen=True)
class Line:
    """A chat, and in an answer to a search the turn in which the words are."""

    chat: Chat
    found: Found | None = None


@dataclass(frozen=True)
class Picked:
    """A chat to go on with, at a turn of it where one was found."""

    chat_id: int
    turn_id: int | None = None


class ChatsWindow(ListOverText[Picked]):
    """The chats over what was said in the one under the cursor; gives the one to go on with."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.CHATS, *HELP_KEYS]

    line = query_one(Input)
    said = query_one("#said", Static)

    def __init__(self, chat_id: int | None) -> None:
        super().__init__()
        self._at = chat_id
        """The chat that is open."""
        self._lines: list[Line] = []
        self._renamed: Chat | None = None
        self._waiting: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the list over the text."""
        with Vertical(classes="window tall"):
            yield Static("Chats", classes="pane-title", markup=False, id="heading")
            line = LineInput(compact=True, select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield RecordTable(COLUMNS, self._rows, empty=NO_CHAT)
            yield TextView()
            yield Static("", id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the list."""
        self.line.display = False
        self._look("")
        self.table.focus()

    # The list

    def _look(self, text: str) -> None:
        words = text.strip()
        show = partial(self._show, words)
        in_background(self, partial(_lines, words), show, failed=self._failed, group="find", exclusive=True)

    def _show(self, words: str, lines: list[Line]) -> None:
        self._lines = lines
        here = next((at for at, line in enumerate(lines) if line.chat.id == self._at), 0)
        self.table.show(range(len(lines)), cursor_id=here, empty="Nothing matches." if words else NO_CHAT)
        if not lines:
            self.text.show("")

    def _rows(self, places: list[int]) -> dict[int, Row]:
        return {place: _row(self._lines[place]) for place in places if place < len(self._lines)}

    @property
    def _here(self) -> Line | None:
        at = self.table.cursor_id
        return self._lines[at] if at is not None and at < len(self._lines) else None

    @on(RecordTable.Highlighted)
    def _show_turns(self) -> None:
        here = self._here
        if here is None:
            return
        self._at = here.chat.id
        work, show = partial(_turns, self.studio.project, here), partial(self._show_text, here)
        in_background(self, work, show, failed=self._failed, group="turns", exclusive=True)

    def _show_text(self, of: Line, turns: tuple[list[Span], int]) -> None:
        spans, start = turns
        # The list may have become another one, or empty, meanwhile.
        if of == self._here:
            self.text.show(spans, start=start)

    @on(RecordTable.Opened)
    def _take(self, event: RecordTable.Opened) -> None:
        line = self._lines[event.row_id]
        self.dismiss(Picked(line.chat.id, line.found.turn_id if line.found else None))

    # The line for words, and for a title

    def action_search(self) -> None:
        """Look for words."""
        self._renamed = None
        self._open_line("", SEARCHING)

    def action_rename(self) -> None:
        """Give the chat under the cursor another title."""
        if self._here is not None:
            self._renamed = self._here.chat
            self._open_line(self._here.chat.title, "another title; enter keeps it, esc leaves it")

    def _open_line(self, text: str, hint: str) -> None:
        self.line.placeholder = hint
        self.line.value = text
        self.line.cursor_position = len(text)
        self.line.display = True
        self.set_focus(self.line)

    @on(Input.Changed)
    def _search_soon(self, event: Input.Changed) -> None:
        if self._waiting is not None:
            self._waiting.stop()
        if self.line.display and self._renamed is None:
            self._waiting = self.set_timer(SEARCH_DELAY, partial(self._look, event.value))

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        if self._renamed is None:
            self.table.focus()
            return
        title = " ".join(event.value.split())
        if title:
            chats.rename(self.studio.store, self._renamed.id, title[: keeping.LONGEST_TITLE])
        self._close_line()

    def _close_line(self) -> None:
        self._renamed = None
        self.line.value = ""
        self.line.display = False
        self._look("")
        self.table.focus()

    # What is done with a chat

    def action_delete(self) -> None:
        """Delete the chat under the cursor, after a question."""
        here = self._here
        if here is None:
            return

        def delete(yes: bool | None) -> None:
            if yes:
                chats.delete(self.studio.store, here.chat.id)
                self._look(self.line.value)

        question = f"Delete the chat {here.chat.title!r}? Examples and verdicts that were made of it stay."
        self.app.push_screen(Confirm(question, yes="Delete it"), delete)

    def action_export(self) -> None:
        """Write the chat under the cursor into a file."""
        if self._here is not None:
            ask_export(self, self._here.chat.id)

    def action_cancel(self) -> None:
        """Leave the line, then the window."""
        if self.line.display:
            self._close_line()
        else:
            self.dismiss(None)

    def _failed(self, error: StudioError) -> None:
        self.said.update(message_of(error))


def _lines(text: str, store: Store) -> list[Line]:
    if not text:
        return [Line(chat) for chat in chats.all_chats(store)]
    found = search(store, text)
    known = {number: chats.get(store, number) for number in dict.fromkeys(each.chat_id for each in found)}
    return [Line(known[each.chat_id], each) for each in found]


def _row(line: Line) -> Row:
    chat, found = line.chat, line.found
    what = chat.title if found is None or found.turn_id is None else f"{found.who}: {found.excerpt}"
    return Row((chat.created_at[:10], str(chat.questions), clean_line(", ".join(chat.models)), clean_line(what)))


def _turns(project: Project, line: Line, store: Store) -> tuple[list[Span], int]:
    """Return a chat as one of its models had it, and the span to begin with: what was found, or the last question."""
    chat = keeping.open_chat(project, store, line.chat.id)
    turn = line.found.turn_id if line.found else None
    question, side = _place(chat, turn)
    path = chat.exchanges if question is None else chat.path(question.id)
    pane = chat_text.pane_of(chat, question, side) if question is not None else 0
    spans: list[Span] = []
    start = 0
    for block in chat_text.blocks(chat, path, pane, None):
        start = len(spans) if block.question == len(path) - 1 else start
        spans += [*block.spans, Span("\n")]
    return spans, start


def _place(chat: Conversation, turn_id: int | None) -> tuple[Question | None, int]:
    """Return the question that a turn is, or answers, and the side that answered."""
    for question in chat.questions.values():
        if question.id == turn_id:
            return question, 0
        for answer in question.answers:
            if answer.id == turn_id:
                return question, answer.side
    return None, 0
