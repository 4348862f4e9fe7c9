"""Editing a conversation turn by turn, here or in the user's own editor; what is saved is up to the caller."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.external_editor import edit_outside
from screens.widgets.bars import KeyBar
from screens.widgets.safe_text_area import SafeTextArea
from store.examples import Message
from studio import conversation_text
from studio.conversation_text import ROLES
from studio.errors import StudioError
from studio.text import clean_line

LONGEST_LINE = 6_000
LONGEST_TEXT = 30_000
MOST_LINES = 2_000
"""With more characters or lines each key would take longer than a person waits for a letter."""

BEGINNING = 2_000
"""Characters that are shown of a turn that is too long to be edited here."""


class ConversationEditor(StudioModal[list[Message]], inherit_bindings=False):
    """One turn in the editor, the others named above it; gives the messages, or None when nothing is to be saved."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.EDITOR, *HELP_KEYS]

    text = query_one(SafeTextArea)
    turns = query_one("#turns", Static)
    said = query_one("#said", Static)

    def __init__(
        self, messages: list[Message], *, draft: list[Message] | None = None, title: str = "", at: int = -1
    ) -> None:
        """Edit messages, or go on with a draft that was made of them."""
        super().__init__()
        self._title = title
        self._original = messages
        draft = messages if draft is None else draft
        self._messages = [dict(message) for message in draft] or [{"role": "user", "content": ""}]
        # The last turn is the answer, and the answer is what one mends.
        self._at = at % len(self._messages)
        self._loaded = ""
        """What the editor holds of the turn before anything is typed."""
        self._refused = ""
        """What was written of the whole conversation in the user's own editor and could not be read."""

    def compose(self) -> ComposeResult:
        """Lay the names of the turns over the text of one."""
        with Vertical(classes="window tall"):
            if self._title:
                yield Static(clean_line(self._title), classes="pane-title", markup=False)
            yield Static("", id="turns", markup=False)
            yield SafeTextArea(tab_behavior="focus", compact=True)
            yield Static("", id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Put the turn into the editor."""
        self.text.cursor_blink = False
        self._load()
        self.text.focus()

    @property
    def unsaved(self) -> str:
        """What would be lost."""
        changed = self._refused or self._result() != self._original
        return "The conversation in the editor is not saved." if changed else ""

    def action_save(self) -> None:
        """Hand the conversation over."""
        if self._refused:
            question = "What you wrote in your editor has a mistake and is not in this. Save without it?"
            self._ask(question, "Save", self._save_without)
        else:
            self._save()

    def action_cancel(self) -> None:
        """Leave, after a question where something was changed."""
        if self.unsaved:
            self._ask(f"{self.unsaved} Leave without it?", "Leave", lambda: self.dismiss(None))
        else:
            self.dismiss(None)

    def action_next_turn(self, step: int) -> None:
        """Go to another turn."""
        self._keep()
        self._at = (self._at + step) % len(self._messages)
        self._load()

    def action_role(self) -> None:
        """Let another speak this turn."""
        turn = self._messages[self._at]
        role = turn.get("role")
        turn["role"] = ROLES[(ROLES.index(role) + 1) % len(ROLES)] if role in ROLES else ROLES[0]
        self._say_turns()

    def action_add_turn(self) -> None:
        """Add an empty turn after this one, spoken by the other side."""
        self._keep()
        role = "user" if self._messages[self._at].get("role") == "assistant" else "assistant"
        self._at += 1
        self._messages.insert(self._at, {"role": role, "content": ""})
        self._load()

    def action_remove_turn(self) -> None:
        """Remove this turn; the last one stays."""
        if len(self._messages) == 1:
            self.said.update("A conversation needs a turn.")
            return
        del self._messages[self._at]
        self._at = min(self._at, len(self._messages) - 1)
        self._load()

    def action_move_turn(self, step: int) -> None:
        """Change places with the turn after this one, or before it."""
        other = self._at + step
        if not 0 <= other < len(self._messages):
            self.said.update(f"It is the {'last' if step > 0 else 'first'} turn.")
            return
        self._keep()
        turns = self._messages
        turns[self._at], turns[other] = turns[other], turns[self._at]
        self._at = other
        self._say_turns()

    def action_edit_turn(self) -> None:
        """Open this turn in the user's own editor."""
        self._keep()
        turn = self._messages[self._at]
        written = edit_outside(self.app, turn.get("content") or "")
        if written is not None:
            turn["content"] = written
            self._load()

    def action_edit_whole(self) -> None:
        """Open the whole conversation in the user's own editor; a mistake in what is written loses nothing."""
        self._keep()
        written = edit_outside(self.app, self._refused or conversation_text.write(self._messages))
        if written is None:
            return
        try:
            messages = conversation_text.read(written, {*ROLES, *(str(m["role"]) for m in self._messages)})
        except StudioError as error:
            self._refused = written
            kept = "What you wrote is kept: ctrl+g opens it again, in the place of what is here."
            self.said.update(f"{message_of(error)}\n{kept}")
            return
        self._refused = ""
        self._messages = [message if message in self._messages else _said(message) for message in messages]
        self._at = min(self._at, len(messages) - 1)
        self._load()

    def _save_without(self) -> None:
        self._refused = ""
        self._save()

    def _save(self) -> None:
        result = self._result()
        if result == self._original:
            self.dismiss(None)
        elif not any(message.get("content") or message.get("tool_calls") for message in result):
            self.said.update("Nothing is written in it; esc leaves without saving.")
        else:
            self.dismiss(result)

    def _ask(self, question: str, yes: str, then: Callable[[], object]) -> None:
        from screens.dialogs import Confirm

        def answered(agreed: bool | None) -> None:
            if agreed:
                then()

        self.app.push_screen(Confirm(question, yes=yes), answered)

    def _result(self) -> list[Message]:
        self._keep()
        return self._messages

    def _keep(self) -> None:
        # Only what was typed: the editor itself makes line ends of other kinds into plain ones.
        if self.text.text != self._loaded:
            self._messages[self._at]["content"] = self._loaded = self.text.text

    def _load(self) -> None:
        content = self._messages[self._at].get("content") or ""
        self.text.read_only = is_long = _is_long(content)
        self.text.load_text(content[:BEGINNING] if is_long else content)
        self._loaded = self.text.text
        self.said.update(self._remark(content, is_long))
        self._say_turns()

    def _remark(self, content: str, is_long: bool) -> str:
        turn = self._messages[self._at]
        words = []
        if is_long:
            words.append(
                f"{len(content):,} characters are too many to be edited here; ctrl+o opens them in your editor."
            )
        elif self._loaded != content:
            words.append("Its special line ends become plain ones where it is changed here; ctrl+o keeps them.")
        if held := [clean_line(name) for name in turn if name not in ("role", "content")]:
            words.append(f"This turn has {', '.join(held)} too; ctrl+g opens them in your editor.")
        return "\n".join(words)

    def _say_turns(self) -> None:
        names = [f"{number} {clean_line(str(m.get('role')))}" for number, m in enumerate(self._messages, start=1)]
        parts = [(f"[{n}]", "bold reverse") if i == self._at else f" {n} " for i, n in enumerate(names)]
        self.turns.update(Content.assemble(*parts))


def _is_long(content: str) -> bool:
    lines = content.split("\n")
    return len(content) > LONGEST_TEXT or len(lines) > MOST_LINES or max(map(len, lines)) > LONGEST_LINE


def _said(message: Message) -> Message:
    """Return a turn that was written by hand; one that says nothing and calls nothing says the empty text."""
    return message if message.get("tool_calls") or message.get("content") is not None else {**message, "content": ""}
