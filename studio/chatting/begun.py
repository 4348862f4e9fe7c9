"""An answer that is coming, on the disk every other second: what is left of it where the program is killed."""

import time

from store import chats
from store.database import Store
from store.errors import StoreError
from studio.chatting.conversation import Answer, Conversation, Question

EVERY_SECONDS = 2.0
"""What was said in this time at most is lost."""

BROKEN_OFF = {"reason": "broken"}
"""What is noted of an answer that did not come to its end."""


class Begun:
    """What there is of an answer before its end."""

    def __init__(self, chat: Conversation, question: Question, side: int) -> None:
        assert chat.chat_id is not None
        self._chat_id, self._model = chat.chat_id, chat.models[side]
        self._question_id, self._side = question.id, side
        self._next = time.monotonic() + EVERY_SECONDS
        self.turn_id: int | None = None
        """Its turn in the project's file, once there is one."""
        self.text = ""

    @property
    def answer(self) -> Answer:
        """What there is of it, as an answer that broke off."""
        return Answer(self.text, dict(BROKEN_OFF))

    def grow(self, store: Store, text: str) -> None:
        """Take in what it says by now; from time to time it is written down."""
        self.text = text
        if not text or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        try:
            self._write(store)
        except StoreError:
            # Said where the whole answer can't be kept; until then it goes on.
            return

    def _write(self, store: Store) -> None:
        if self.turn_id is not None:
            chats.rewrite(store, self.turn_id, self.text, stats=BROKEN_OFF)
            return
        self.turn_id = chats.add_turn(
            store,
            self._chat_id,
            "assistant",
            self.text,
            model=self._model,
            stats=BROKEN_OFF,
            parent_id=self._question_id,
            side=self._side,
        )
