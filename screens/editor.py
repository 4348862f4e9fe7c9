"""Editing a conversation turn by turn; what is saved becomes a new revision."""

import json
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import HELP_KEYS, StudioModal
from screens.widgets.bars import KeyBar
from screens.widgets.safe_text_area import SafeTextArea
from store.examples import Message
from studio.text import clean_line

ROLES = ("system", "user", "assistant", "tool")


class ConversationEditor(StudioModal[list[Message]], inherit_bindings=False):
    """One turn in the editor, the others named above it; gives the messages, or None when nothing is to be saved."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.EDITOR, *HELP_KEYS]

    text = query_one(SafeTextArea)
    turns = query_one("#turns", Static)
    said = query_one("#said", Static)

    def __init__(self, messages: list[Message]) -> None:
        super().__init__()
        self._original = messages
        self._messages = [dict(message) for message in messages] or [{"role": "user", "content": ""}]
        # The last turn is the answer, and the answer is what one mends.
        self._at = len(self._messages) - 1

    def compose(self) -> ComposeResult:
        """Lay the names of the turns over the text of one."""
        with Vertical(classes="window tall"):
            yield Static("", id="turns", markup=False)
            yield SafeTextArea(tab_behavior="focus", compact=True)
            yield Static("", id="said", classes="status-line", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Put the last turn into the editor."""
        self.text.cursor_blink = False
        self._load()
        self.text.focus()

    @property
    def unsaved(self) -> str:
        """What would be lost."""
        return "The conversation in the editor is not saved." if self._result() != self._original else ""

    def action_save(self) -> None:
        """Hand the conversation over."""
        result = self._result()
        if result == self._original:
            self.dismiss(None)
        elif not any(message.get("content") or message.get("tool_calls") for message in result):
            self.said.update("Nothing is written in it; esc leaves without saving.")
        else:
            self.dismiss(result)

    def action_cancel(self) -> None:
        """Leave, after a question where something was changed."""
        if not self.unsaved:
            self.dismiss(None)
            return
        from screens.dialogs import Confirm

        self.app.push_screen(Confirm(f"{self.unsaved} Leave without it?", yes="Leave"), self._leave_if)

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

    def _result(self) -> list[Message]:
        self._keep()
        return self._messages

    def _keep(self) -> None:
        turn = self._messages[self._at]
        if _is_text(turn) and self.text.text != (turn.get("content") or ""):
            turn["content"] = self.text.text

    def _load(self) -> None:
        turn = self._messages[self._at]
        self.text.read_only = not _is_text(turn)
        content = turn.get("content")
        self.text.load_text((content or "") if _is_text(turn) else json.dumps(content, ensure_ascii=False, indent=2))
        self.said.update("" if _is_text(turn) else "This turn is made of parts; it can be moved but not edited here.")
        self._say_turns()

    def _say_turns(self) -> None:
        names = [f"{number} {clean_line(str(m.get('role')))}" for number, m in enumerate(self._messages, start=1)]
        parts = [(f"[{n}]", "bold reverse") if i == self._at else f" {n} " for i, n in enumerate(names)]
        self.turns.update(Content.assemble(*parts))

    def _leave_if(self, yes: bool | None) -> None:
        if yes:
            self.dismiss(None)


def _is_text(turn: Message) -> bool:
    return turn.get("content") is None or isinstance(turn["content"], str)
