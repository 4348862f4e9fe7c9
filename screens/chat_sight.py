"""The chat in sight: which of its questions and replies the keys are about, and how its panes show it."""

from dataclasses import dataclass, replace
from typing import Any

from textual.content import Content
from textual.widgets import Static

from screens import chat_text
from screens.base import StudioScreen
from screens.chat_judging import JudgeLine
from screens.chat_pane import Block
from screens.chat_panes import ChatPanes
from studio.chatting import blind, keeping
from studio.chatting.answering import Coming, Reply
from studio.chatting.begun import Begun
from studio.chatting.choices import describe_model
from studio.chatting.conversation import Answer, Conversation, Question
from studio.text import clean_line

WAIT = "wait for the replies, or esc stops them"
HIDDEN = "the names are kept back: judge first, or v shows them"


@dataclass
class Running:
    """A reply that is coming."""

    reply: Reply
    coming: Coming
    begun: Begun


class ChatSight:
    """What the parts of the Chat screen know in common; each of them shows it anew when it has changed it."""

    def __init__(self, screen: StudioScreen) -> None:
        self.chat = Conversation([])
        self.coming: dict[int, Running] = {}
        """The replies that are coming, by side."""
        self.marked: int | None = None
        """The question that keys are about, where it is not the last."""
        self.editing: Question | None = None
        """The question that is asked anew with what is written."""
        self._screen = screen
        self._fixed: list[list[Block]] = []
        """What each pane shows but for the answers that are coming."""
        self._badges: dict[str, str] = {}

    @property
    def panes(self) -> ChatPanes:
        """The panes that show it."""
        return self._screen.query_one(ChatPanes)

    @property
    def question_here(self) -> Question | None:
        """The question that keys are about: the marked one, or the last."""
        return self.chat.questions.get(self.marked or -1) or self.chat.last

    @property
    def answer_here(self) -> Answer | None:
        """The reply that keys are about: the focused pane's, to the marked question or the last."""
        question = self.question_here
        if question is None:
            return None
        exchange = next((each for each in self.chat.exchanges if each.asked is question), None)
        return exchange.answers[self.side_here(question)] if exchange else None

    def side_here(self, question: Question) -> int:
        """Return whose answer to a question the focused pane shows."""
        return chat_text.side_of(self.chat, question, self.panes.here)

    def take(self, chat: Conversation) -> None:
        """Have another chat in sight; nothing shows it yet."""
        self.chat, self.coming = chat, {}
        self.marked = self.editing = None
        self._badges.clear()

    def change(self, **changes: Any) -> None:
        """Hold the chat otherwise from now on."""
        keeping.change_settings(self._screen.studio.store, self.chat, replace(self.chat.settings, **changes))
        self.show_settings()

    def show_all(self, *, anew: bool = False, at_end: bool = False) -> None:
        """Show the branch in sight in all panes."""
        chat = self.chat
        exchanges, marked = chat.exchanges, self.question_here
        coming = set(self.coming)
        self.panes.set_count(len(chat.models))
        self._fixed = [
            chat_text.blocks(chat, exchanges, pane, marked, coming=coming) for pane in range(len(chat.models))
        ]
        for pane in range(len(chat.models)):
            self._show_pane(pane, anew=anew or at_end)
        self.show_settings()

    def show_settings(self) -> None:
        """Say how the chat is held."""
        s, words = self.chat.settings, []
        if self.editing is not None:
            words.append("editing: enter asks it in a branch of its own, esc leaves it")
        words += [w for w, is_on in (("blind", s.blind), ("documents", s.documents)) if is_on]
        words += [f"{s.examples} examples"] if s.examples else []
        words.append(f"temperature {s.sampling.temperature:g}, top-p {s.sampling.top_p:g}, seed {s.sampling.seed}")
        words.append(f"{s.sampling.max_tokens:,} of {s.context:,} tokens")
        words.append(f"system: {self.chat.system}" if self.chat.system else "no system prompt")
        line = self._screen.query_one("#settings", Static)
        line.update(Content(clean_line(" | ".join(words))), layout=False)

    def close_judging(self) -> None:
        """Take the line that asks for a verdict away; the keys that went to it go to a pane, never to the composer."""
        line = self._screen.query_one(JudgeLine)
        if line.has_focus:
            self.panes.focus_here()
        line.display = False

    def show_side(self, side: int) -> None:
        """Show how far a side's reply is."""
        last = self.chat.last
        if last is not None:
            self._show_pane(blind.order(self.chat, last).index(side))

    def _show_pane(self, pane: int, *, anew: bool = False) -> None:
        last, blocks = self.chat.last, self._fixed[pane]
        running = None
        if last is not None:
            running = self.coming.get(chat_text.side_of(self.chat, last, pane))
        if last is not None and running is not None:
            blocks = blocks + chat_text.coming_blocks(self.chat, last, pane, running.coming)
        shown = self.panes.pane(pane)
        shown.turns.show_turns(blocks, anew=anew, grows=running is not None)
        shown.head(*self._heading(pane, last, running))

    def _heading(self, pane: int, last: Question | None, running: Running | None) -> tuple[list[str], list[str]]:
        chat = self.chat
        if last is not None and blind.is_hidden(last):
            words = [chat_text.name_of(chat, last, pane), *(["coming"] if running else [])]
            return words, words
        side = pane if last is None else chat_text.side_of(chat, last, pane)
        name = chat.models[side]
        if name not in self._badges:
            self._badges[name] = describe_model(self._screen.studio.store, name)
        answer = chat.in_sight(last)[side] if last is not None and running is None else None
        numbers = chat_text.numbers(answer.stats) if answer else []
        if running is not None:
            numbers = [chat_text.coming_words(running.coming)]
        # Where several are judged by their number, it stands there.
        long = f"{pane + 1} {self._badges[name]}" if len(chat.models) > 2 else self._badges[name]
        return [long, *numbers], [long.split(" (")[0].rsplit(": ", 1)[0] if numbers else long, *numbers]
