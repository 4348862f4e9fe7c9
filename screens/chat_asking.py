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
from store.database import Store
from store.errors import StoreError
from studio.chatting import blind, keeping, lookup
from studio.chatting.answering import Coming, Reply
from studio.chatting.begun import Begun
from studio.chatting.choices import describe_model
from studio.chatting.conversation import Answer, Conversation, Prompt, Question
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.text import clean_line

WAIT = "wait for the replies, or esc stops them"


@dataclass
class Running:
    """A reply that is coming."""

    reply: Reply
    coming: Coming
    begun: Begun


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
            self.set_status("")
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
            if self._editing is None:
                question = keeping.ask(store, self._chat, written)
            else:
                question = keeping.ask_instead(store, self._chat, self._editing, written)
            self._editing = None
            self.composer.put("")
            self.answer_all(question)

    def answer_all(self, question: Question, sides: list[int] | None = None) -> None:
        """Let all models answer the last question in sight, or some, when what is to be looked up was found."""
        self._told, self._marked = "", None
        self.studio.note_place("chat.open", self._chat.chat_id)
        self.judge_line.display = False
        self.set_status("")
        chat, wanted = self._chat, list(range(len(self._chat.models))) if sides is None else sides
        running = {side: Running(Reply(), Coming("loading", 0.0), Begun(chat, question, side)) for side in wanted}
        self._replies = running
        self.show_all(at_end=True)
        if not lookup.is_wanted(chat, question):
            self._start(chat, question, running)
            return
        self.set_status("looking up ...")
        work = partial(lookup.look_up, self.studio.project, chat.settings, question.text)
        done = partial(self._found, chat, question, running)
        in_background(self, work, done, failed=partial(self._lookup_failed, chat, question, running), group="replies")

    def _found(
        self, chat: Conversation, question: Question, running: dict[int, Running], found: dict[str, Any]
    ) -> None:
        try:
            lookup.keep_found(self.studio.store, question, found)
        except StoreError as error:
            self._lookup_failed(chat, question, running, StudioError(str(error)))
            return
        if self._replies is running:
            self.set_status("")
            self.show_all()
            self._start(chat, question, running)

    def _lookup_failed(
        self, chat: Conversation, question: Question, running: dict[int, Running], error: StudioError
    ) -> None:
        if self._replies is running:
            for side, one in list(running.items()):
                self._failed(chat, question, side, one, error)

    def _start(self, chat: Conversation, question: Question, running: dict[int, Running]) -> None:
        if self._engine is None:
            self._engine = Engine(self.studio.project.folder / "engine.log")
        for side, one in running.items():
            work = partial(self._make, self._engine, chat.prompt(side, question.id), side, one)
            done = partial(self._answered, chat, question, side, one)
            in_background(self, work, done, failed=partial(self._failed, chat, question, side, one), group="replies")

    def _make(self, engine: Engine, prompt: Prompt, side: int, one: Running, store: Store) -> Answer:
        def tell(coming: Coming) -> None:
            self.post_message(self.News(side, one.reply, coming))
            one.begun.grow(store, coming.text)

        return one.reply.run(engine, self.studio.project, prompt, tell, store)

    def on_asking_screen_news(self, event: News) -> None:
        """Show more of a reply."""
        running = self._replies.get(event.side)
        if running is not None and running.reply is event.reply:
            running.coming = event.coming
            self._show_side(event.side)

    # What came

    def _answered(self, chat: Conversation, question: Question, side: int, one: Running, answer: Answer) -> None:
        stopped = answer.stats.get("reason") == "cancelled"
        if answer.text or not stopped:
            self._keep(chat, question, side, one, answer)
        if self._end(question, side, one, "stopped" if stopped else "") and question is self._chat.last:
            self.answers_complete()

    def _failed(self, chat: Conversation, question: Question, side: int, one: Running, error: StudioError) -> None:
        # One dead process ends all replies with the same words.
        if str(error) != self._told and self._replies.get(side) is one:
            self._told = str(error)
            self.notify_error(error)
        if one.begun.text:
            self._keep(chat, question, side, one, one.begun.answer)
        self._end(question, side, one)

    def _keep(self, chat: Conversation, question: Question, side: int, one: Running, answer: Answer) -> None:
        try:
            keeping.keep_answer(self.studio.store, chat, question, side, answer, begun=one.begun.turn_id)
        except StoreError as error:
            self.notify_error(StudioError(str(error), "This reply was not kept; r asks for it again."))

    def _end(self, question: Question, side: int, one: Running, status: str = "") -> bool:
        """Take a reply off those that are coming; return whether it was the last of them."""
        if self._replies.get(side) is not one:
            return False
        del self._replies[side]
        self.show_all()
        if self._replies:
            return False
        self.set_status(status)
        self._take_back(question)
        return True

    def answers_complete(self) -> None:
        """Do what is to be done once all models have answered."""

    def _take_back(self, question: Question) -> None:
        """Put a question that nothing was said to into the line again, so that enter sends it once more."""
        if question.answers or self.composer.text:
            return
        beside = [each for each in self._chat.siblings(question) if each is not question]
        if keeping.withdraw(self.studio.store, self._chat, question):
            self._editing = beside[-1] if beside else None
            self.composer.put(question.text)
            self.show_all()

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
            words = [chat_text.name_of(chat, last, pane), *(["coming"] if running else [])]
            return words, words
        side = pane if last is None else chat_text.side_of(chat, last, pane)
        name = chat.models[side]
        if name not in self._badges:
            self._badges[name] = describe_model(self.studio.store, name)
        answer = chat.in_sight(last)[side] if last is not None and running is None else None
        numbers = chat_text.numbers(answer.stats) if answer else []
        if running is not None:
            numbers = [chat_text.coming_words(running.coming)]
        # Where several are judged by their number, it stands there.
        long = f"{pane + 1} {self._badges[name]}" if len(chat.models) > 2 else self._badges[name]
        return [long, *numbers], [long.split(" (")[0].rsplit(": ", 1)[0] if numbers else long, *numbers]

    def change(self, **changes: Any) -> None:
        """Hold the chat otherwise from now on."""
        keeping.change_settings(self.studio.store, self._chat, replace(self._chat.settings, **changes))
        self.show_settings()
