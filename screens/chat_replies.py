"""The replies that are coming: a question goes to all models, each answer is shown as it grows and kept as it ends."""

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.message import Message as TextualMessage

from screens.background import in_background
from screens.base import StudioScreen
from screens.chat_sight import ChatSight, Running
from store.database import Store
from store.errors import StoreError
from studio.chatting import keeping, lookup
from studio.chatting.answering import Coming, Reply
from studio.chatting.begun import Begun
from studio.chatting.conversation import Answer, Conversation, Prompt, Question
from studio.errors import StudioError
from studio.inference.engine import Engine


class News(TextualMessage):
    """How far a reply is."""

    def __init__(self, side: int, reply: Reply, coming: Coming) -> None:
        super().__init__()
        self.side, self.reply, self.coming = side, reply, coming

    def can_replace(self, message: TextualMessage) -> bool:
        """Give way to more of the same reply."""
        return isinstance(message, News) and message.reply is self.reply


class Replies:
    """Has models answer; `ended` is told the question once none of them goes on, with how that came about."""

    def __init__(self, screen: StudioScreen, sight: ChatSight, ended: Callable[[Question, str], None]) -> None:
        self._screen = screen
        self._sight = sight
        self._ended = ended
        self._engine: Engine | None = None
        self._told = ""
        """The error that was shown last, of this question's."""

    def answer(self, question: Question, sides: list[int]) -> None:
        """Let these models answer the last question in sight, when what is to be looked up was found."""
        self._told = ""
        chat = self._sight.chat
        running = {side: Running(Reply(), Coming("loading", 0.0), Begun(chat, question, side)) for side in sides}
        self._sight.coming = running
        self._sight.show_all(at_end=True)
        if not lookup.is_wanted(chat, question):
            self._start(chat, question, running)
            return
        self._screen.set_status("looking up ...")
        work = partial(lookup.look_up, self._screen.studio.project, chat.settings, question.text)
        done = partial(self._found, chat, question, running)
        failed = partial(self._lookup_failed, chat, question, running)
        in_background(self._screen, work, done, failed=failed, group="replies")

    def show(self, event: News) -> None:
        """Show more of a reply."""
        running = self._sight.coming.get(event.side)
        if running is not None and running.reply is event.reply:
            running.coming = event.coming
            self._sight.show_side(event.side)

    def stop(self) -> None:
        """Stop the replies that are coming; what there is of them is kept."""
        for one in self._sight.coming.values():
            one.reply.stop()

    def close(self) -> None:
        """End the models' process."""
        self.stop()
        if self._engine is not None:
            self._engine.close()

    def _found(
        self, chat: Conversation, question: Question, running: dict[int, Running], found: dict[str, Any]
    ) -> None:
        try:
            lookup.keep_found(self._screen.studio.store, question, found)
        except StoreError as error:
            self._lookup_failed(chat, question, running, StudioError(str(error)))
            return
        if self._sight.coming is running:
            self._screen.set_status("")
            self._sight.show_all()
            self._start(chat, question, running)

    def _lookup_failed(
        self, chat: Conversation, question: Question, running: dict[int, Running], error: StudioError
    ) -> None:
        if self._sight.coming is running:
            for side, one in list(running.items()):
                self._failed(chat, question, side, one, error)

    def _start(self, chat: Conversation, question: Question, running: dict[int, Running]) -> None:
        if self._engine is None:
            self._engine = Engine(self._screen.studio.project.folder / "engine.log")
        for side, one in running.items():
            work = partial(self._make, self._engine, chat.prompt(side, question.id), side, one)
            done = partial(self._answered, chat, question, side, one)
            failed = partial(self._failed, chat, question, side, one)
            in_background(self._screen, work, done, failed=failed, group="replies")

    def _make(self, engine: Engine, prompt: Prompt, side: int, one: Running, store: Store) -> Answer:
        def tell(coming: Coming) -> None:
            self._screen.post_message(News(side, one.reply, coming))
            one.begun.grow(store, coming.text)

        return one.reply.run(engine, self._screen.studio.project, prompt, tell, store)

    def _answered(self, chat: Conversation, question: Question, side: int, one: Running, answer: Answer) -> None:
        stopped = answer.stats.get("reason") == "cancelled"
        if answer.text or not stopped:
            self._keep(chat, question, side, one, answer)
        self._end(question, side, one, "stopped" if stopped else "")

    def _failed(self, chat: Conversation, question: Question, side: int, one: Running, error: StudioError) -> None:
        # One dead process ends all replies with the same words.
        if str(error) != self._told and self._sight.coming.get(side) is one:
            self._told = str(error)
            self._screen.notify_error(error)
        if one.begun.text:
            self._keep(chat, question, side, one, one.begun.answer)
        self._end(question, side, one, "")

    def _keep(self, chat: Conversation, question: Question, side: int, one: Running, answer: Answer) -> None:
        try:
            keeping.keep_answer(self._screen.studio.store, chat, question, side, answer, begun=one.begun.turn_id)
        except StoreError as error:
            self._screen.notify_error(StudioError(str(error), "This reply was not kept; r asks for it again."))

    def _end(self, question: Question, side: int, one: Running, how: str) -> None:
        if self._sight.coming.get(side) is not one:
            return
        del self._sight.coming[side]
        self._sight.show_all()
        if not self._sight.coming:
            self._ended(question, how)
