"""The questions of a chat: asked, asked anew in a branch, answered once more, and the way between the branches."""

from screens.base import StudioScreen
from screens.chat_composer import Composer
from screens.chat_replies import Replies
from screens.chat_sight import WAIT, ChatSight
from studio.chatting import keeping
from studio.chatting.conversation import Question


class Branches:
    """Takes a chat up at any of its questions."""

    def __init__(self, screen: StudioScreen, sight: ChatSight, replies: Replies) -> None:
        self._screen = screen
        self._sight = sight
        self._replies = replies
        self._draft = ""
        """What was written before a question took its place in the line."""

    @property
    def _composer(self) -> Composer:
        return self._screen.query_one(Composer)

    @property
    def draft(self) -> str:
        """What is written and not sent, but for a question that is being edited."""
        return self._draft or self._composer.text

    def send(self) -> None:
        """Ask what is written, in the place of the question that is edited, or after all that is in sight."""
        written, sight, store = self._composer.written, self._sight, self._screen.studio.store
        if sight.coming:
            self._screen.set_status(WAIT)
        elif written:
            if sight.editing is None:
                question = keeping.ask(store, sight.chat, written)
            else:
                question = keeping.ask_instead(store, sight.chat, sight.editing, written)
            sight.editing = None
            self._put_draft_back()
            self.answer_all(question)

    def answer_all(self, question: Question, sides: list[int] | None = None) -> None:
        """Let all models answer the last question in sight, or some of them."""
        chat = self._sight.chat
        self._sight.marked = None
        self._screen.studio.note_place("chat.open", chat.chat_id)
        self._sight.close_judging()
        self._screen.set_status("")
        self._replies.answer(question, list(range(len(chat.models))) if sides is None else sides)

    def take_back(self, question: Question) -> None:
        """Put a question that nothing was said to into the line again, so that enter sends it once more."""
        sight = self._sight
        if question.answers or self._composer.text:
            return
        beside = [each for each in sight.chat.siblings(question) if each is not question]
        if keeping.withdraw(self._screen.studio.store, sight.chat, question):
            sight.editing = beside[-1] if beside else None
            self._composer.put(question.text)
            sight.show_all()

    def mark(self, step: int) -> None:
        """Mark the question before or after, for the keys that are about one."""
        sight = self._sight
        path = [exchange.asked.id for exchange in sight.chat.exchanges]
        here = sight.question_here
        if here is None:
            return
        at = max(0, min(path.index(here.id) + step, len(path) - 1))
        sight.marked = None if at == len(path) - 1 else path[at]
        sight.show_all()
        for pane in range(sight.panes.count):
            sight.panes.pane(pane).turns.reveal(at)
        self._screen.set_status(f"turn {at + 1} of {len(path)}")

    def edit(self) -> None:
        """Write the question here anew, to be asked in a branch of its own."""
        question = self._may_change()
        if question is not None:
            if self._sight.editing is None:
                self._draft = self._composer.written
            self._sight.editing = question
            self._composer.put(question.text)
            self._screen.set_focus(self._composer)
            self._sight.show_settings()

    def leave_edit(self) -> None:
        """Leave the question that is written anew as it was."""
        if self._sight.editing is not None:
            self._sight.editing = None
            self._put_draft_back()
            self._sight.show_settings()

    def again(self, *, only_here: bool = False) -> None:
        """Let all models answer the question here once more, or this pane's alone."""
        question = self._may_change()
        if question is None:
            return
        sides = [self._sight.side_here(question)] if only_here else None
        if question is not self._sight.chat.last:
            keeping.go_to(self._screen.studio.store, self._sight.chat, question)
        self.answer_all(question, sides)

    def step_branch(self, step: int) -> None:
        """Show another question in this one's place, with all that came of it."""
        chat, question = self._sight.chat, self._may_change()
        if question is None:
            return
        if self._sight.marked is None:
            upwards = [exchange.asked for exchange in reversed(chat.exchanges)]
            question = next((each for each in upwards if len(chat.siblings(each)) > 1), question)
        if keeping.step_question(self._screen.studio.store, chat, question, step):
            self.walked()
        else:
            self._screen.set_status("there is no other branch on that side")

    def step_answer(self, step: int) -> None:
        """Show another reply of this pane's model, with what was asked after it."""
        question = self._may_change()
        if question is None:
            return
        store, side = self._screen.studio.store, self._sight.side_here(question)
        if keeping.step_answer(store, self._sight.chat, question, side, step):
            self.walked()
        else:
            self._screen.set_status("there is no other reply on that side; r asks for one")

    def walked(self) -> None:
        """Show another branch from its end."""
        self._sight.marked = None
        self._sight.close_judging()
        self._screen.set_status("")
        self._sight.show_all(at_end=True)

    def _put_draft_back(self) -> None:
        draft, self._draft = self._draft, ""
        self._composer.put(draft)

    def _may_change(self) -> Question | None:
        """Return the question here, unless replies are coming."""
        if self._sight.coming:
            self._screen.set_status(WAIT)
            return None
        if self._sight.chat.last is None:
            self._screen.set_status("nothing was asked yet")
        return self._sight.question_here
