"""Asking models and showing what they answer: a question goes to all of them, each answer is kept as it ends."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.getters import query_one
from textual.message import Message as TextualMessage
from textual.widgets import Static

from screens import chat_text
from screens.background import in_background
from screens.base import StudioScreen
from screens.chat_composer import Composer
from screens.chat_judging import JudgeLine
from screens.chat_pane import Block
from screens.chat_panes import ChatPanes
from studio.chatting import blind, keeping, lookup
from studio.chatting.answering import Coming, Reply
from studio.chatting.choices import describe_model
from studio.chatting.conversation import Answer, Conversation, Question
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.text import clean_line

WAIT = "wait for the replies, or esc stops them"


@dataclass
class Running:
    """A reply that is coming."""

    reply: Reply
    coming: Coming


class AskingScreen(StudioScreen):
    """A chat in its panes, and the line in which it goes on."""

    composer = query_one("#composer", Composer)
    panes = query_one("#panes", ChatPanes)
    judge_line = query_one("#judge", JudgeLine)
    settings_line = query_one("#settings", Static)

    class News(TextualMessage):
        """How far a reply is."""

        def __init__(self, side: int, reply: Reply, coming: Coming) -> None:
            super().__init__()
            self.side, self.reply, self.coming = side, reply, coming

        def can_replace(self, message: TextualMessage) -> bool:
            """Give way to more of the same reply."""
            return isinstance(message, AskingScreen.News) and message.reply is self.reply

    def __init__(self) -> None:
        super().__init__()
        self._engine: Engine | None = None
        self._chat = Conversation([])
        self._replies: dict[int, Running] = {}
        self._editing: Question | None = None
        """The question that is asked anew with what is written."""
        self._marked: int | None = None
        """The question that keys are about, where it is not the last."""
        self._fixed: list[list[Block]] = []
        """What each pane shows but for the answers that are coming."""
        self._badges: dict[str, str] = {}
        self._told = ""

    @property
    def chat(self) -> Conversation:
        """The chat that is shown."""
        return self._chat

    @property
    def busy(self) -> bool:
        """Whether replies are coming."""
        return bool(self._replies)

    @property
    def question_here(self) -> Question | None:
        """The question that keys are about: the marked one, or the last."""
        return self._chat.questions.get(self._marked or -1) or self._chat.last

    def compose_body(self) -> ComposeResult:
        """Lay the panes over the line to write in."""
        yield ChatPanes(id="panes")
        yield JudgeLine(id="judge")
        yield Static("", id="settings", markup=False)
        yield Composer(id="composer")

    def show_chat(self, chat: Conversation) -> None:
        """Show another chat; what still comes goes into the one that is left."""
        self.stop_replies()
        self._replies.clear()
        self._chat, self._marked, self._editing = chat, None, None
        self._badges.clear()
        if self.is_mounted:
            self.judge_line.display = False
            self.show_all(anew=True)
        self.studio.note_place("chat.models", chat.models)
        self.studio.note_place("chat.open", chat.chat_id)

    # Asking

    @on(Composer.Sent)
    def send(self) -> None:
        """Ask what is written, in the place of the question that is edited, or after all that is in sight."""
        written, store = self.composer.written, self.studio.store
        if self._replies:
            self.set_status(WAIT)
        elif written:
            edited, self._editing = self._editing, None
            if edited is None:
                question = keeping.ask(store, self._chat, written)
            else:
                question = keeping.ask_instead(store, self._chat, edited, written)
            self.composer.put("")
            self.answer_all(question)

    def answer_all(self, question: Question, sides: list[int] | None = None) -> None:
        """Let all models answer the last question in sight, or some, when what is to be looked up was found."""
        self._told, self._marked = "", None
        self.studio.note_place("chat.open", self._chat.chat_id)
        self.judge_line.display = False
        self.set_status("")
        chat, wanted = self._chat, list(range(len(self._chat.models))) if sides is None else sides
        running = {side: Running(Reply(), Coming("loading", 0.0)) for side in wanted}
        self._replies = running
        self.show_all(at_end=True)
        if not lookup.is_wanted(chat, question):
            self._start(chat, question, running)
            return
        self.set_status("looking up ...")
        work = partial(lookup.look_up, self.studio.project, chat.settings, question.text)
        done = partial(self._found, chat, question, running)
        in_background(self, work, done, failed=partial(self._lookup_failed, question, running), group="replies")

    def _found(
        self, chat: Conversation, question: Question, running: dict[int, Running], found: dict[str, Any]
    ) -> None:
        lookup.keep_found(self.studio.store, question, found)
        if self._replies is running:
            self.set_status("")
            self.show_all()
            self._start(chat, question, running)

    def _lookup_failed(self, question: Question, running: dict[int, Running], error: StudioError) -> None:
        if self._replies is running:
            for side in list(running):
                self._failed(question, side, running[side], error)

    def _start(self, chat: Conversation, question: Question, running: dict[int, Running]) -> None:
        if self._engine is None:
            self._engine = Engine(self.studio.project.folder / "engine.log")
        for side, one in running.items():
            prompt = chat.prompt(side, question.id)
            tell = partial(self._tell, side, one.reply)
            work = partial(one.reply.run, self._engine, self.studio.project, prompt, tell)
            done = partial(self._answered, chat, question, side, one)
            in_background(self, work, done, failed=partial(self._failed, question, side, one), group="replies")

    def _tell(self, side: int, reply: Reply, coming: Coming) -> None:
        self.post_message(self.News(side, reply, coming))

    def on_asking_screen_news(self, event: News) -> None:
        """Show more of a reply."""
        running = self._replies.get(event.side)
        if running is not None and running.reply is event.reply:
            running.coming = event.coming
            self._show_side(event.side)

    # What came

    def _answered(self, chat: Conversation, question: Question, side: int, one: Running, answer: Answer) -> None:
        if answer.text or answer.stats.get("reason") != "cancelled":
            keeping.keep_answer(self.studio.store, chat, question, side, answer)
        if self._replies.get(side) is not one:
            return
        del self._replies[side]
        if not self._replies:
            self.set_status("stopped" if answer.stats.get("reason") == "cancelled" else "")
            self._take_back(question)
        self.show_all()
        if not self._replies:
            self.answers_complete()

    def answers_complete(self) -> None:
        """Do what is to be done once all models have answered."""

    def _failed(self, question: Question, side: int, one: Running, error: StudioError) -> None:
        if self._replies.get(side) is not one:
            return
        del self._replies[side]
        # One dead process ends all replies with the same words.
        if str(error) != self._told:
            self._told = str(error)
            self.notify_error(error)
        if not self._replies:
            self.set_status("")
            self._take_back(question)
        self.show_all()

    def _take_back(self, question: Question) -> None:
        """Put a question that nothing was said to into the line again, so that enter sends it once more."""
        unsaid = not question.answers and not self.composer.text
        if unsaid and keeping.withdraw(self.studio.store, self._chat, question):
            self.composer.put(question.text)

    def stop_replies(self) -> None:
        """Stop the replies that are coming; what there is of them is kept."""
        for one in self._replies.values():
            one.reply.stop()

    # Painting

    def show_all(self, *, anew: bool = False, at_end: bool = False) -> None:
        """Show the branch in sight in all panes."""
        chat = self._chat
        exchanges, marked = chat.exchanges, self.question_here
        coming = set(self._replies)
        self.panes.set_count(len(chat.models))
        self._fixed = [
            chat_text.blocks(chat, exchanges, pane, marked, coming=coming) for pane in range(len(chat.models))
        ]
        for pane in range(len(chat.models)):
            self._show_pane(pane, anew=anew or at_end)
        self.show_settings()

    def show_settings(self) -> None:
        """Say how the chat is held."""
        s, words = self._chat.settings, []
        if self._editing is not None:
            words.append("editing: enter asks it in a branch of its own, esc leaves it")
        words += [w for w, is_on in (("blind", s.blind), ("documents", s.documents)) if is_on]
        words += [f"{s.examples} examples"] if s.examples else []
        words.append(f"temperature {s.sampling.temperature:g}, top-p {s.sampling.top_p:g}, seed {s.sampling.seed}")
        words.append(f"{s.sampling.max_tokens:,} of {s.context:,} tokens")
        words.append(f"system: {self._chat.system}" if self._chat.system else "no system prompt")
        self.settings_line.update(Content(clean_line(" | ".join(words))), layout=False)

    def _show_side(self, side: int) -> None:
        last = self._chat.last
        if last is not None:
            self._show_pane(blind.order(self._chat, last).index(side))

    def _show_pane(self, pane: int, *, anew: bool = False) -> None:
        last, blocks = self._chat.last, self._fixed[pane]
        running = None
        if last is not None:
            running = self._replies.get(chat_text.side_of(self._chat, last, pane))
        if last is not None and running is not None:
            blocks = blocks + chat_text.coming_blocks(self._chat, last, pane, running.coming)
        shown = self.panes.pane(pane)
        shown.turns.show_turns(blocks, anew=anew, grows=running is not None)
        shown.head(*self._heading(pane, last, running))

    def _heading(self, pane: int, last: Question | None, running: Running | None) -> tuple[list[str], list[str]]:
        chat = self._chat
        if last is not None and blind.is_hidden(last):
            return [chat_text.name_of(chat, last, pane)], [chat_text.name_of(chat, last, pane)]
        side = pane if last is None else chat_text.side_of(chat, last, pane)
        name = chat.models[side]
        if name not in self._badges:
            self._badges[name] = describe_model(self.studio.store, name)
        answer = chat.in_sight(last)[side] if last is not None and running is None else None
        numbers = chat_text.numbers(answer.stats) if answer else []
        if running is not None and running.coming.stage != "writing":
            numbers = [chat_text.coming_words(running.coming)]
        # Where several are judged by their number, it stands there.
        long = f"{pane + 1} {self._badges[name]}" if len(chat.models) > 2 else self._badges[name]
        return [long, *numbers], [long.split(" (")[0].rsplit(": ", 1)[0] if numbers else long, *numbers]

    def change(self, **changes: Any) -> None:
        """Hold the chat otherwise from now on."""
        keeping.change_settings(self.studio.store, self._chat, replace(self._chat.settings, **changes))
        self.show_settings()
