"""The branches of a chat: a question asked anew, answers made once more, and the way between them."""

from screens.chat_asking import WAIT
from screens.chat_judged import JudgedChat
from studio.chatting import keeping
from studio.chatting.conversation import Question


class BranchedChat(JudgedChat):
    """A chat that can be taken up again at any of its questions."""

    def action_mark(self, step: int) -> None:
        """Mark the question before or after, for the keys that are about one."""
        path = [exchange.asked.id for exchange in self._chat.exchanges]
        here = self.question_here
        if here is None:
            return
        at = max(0, min(path.index(here.id) + step, len(path) - 1))
        self._marked = None if at == len(path) - 1 else path[at]
        self.show_all()
        for pane in range(self.panes.count):
            self.panes.pane(pane).turns.reveal(at)
        self.set_status(f"turn {at + 1} of {len(path)}")

    def action_edit(self) -> None:
        """Write the question anew, to be asked in a branch of its own."""
        question = self._may_change()
        if question is not None:
            self._editing = question
            self.composer.put(question.text)
            self.set_focus(self.composer)
            self.show_settings()

    def action_again(self) -> None:
        """Let all models answer the question once more."""
        question = self._may_change()
        if question is not None:
            self._go_to(question)
            self.answer_all(question)

    def action_again_here(self) -> None:
        """Let this pane's model answer the question once more."""
        question = self._may_change()
        if question is not None:
            side = self.side_here(question)
            self._go_to(question)
            self.answer_all(question, [side])

    def action_branch(self, step: int) -> None:
        """Show another question in this one's place, with all that came of it."""
        question = self._may_change()
        if question is not None and self._marked is None:
            question = next((q for q in self._upwards() if len(self._chat.siblings(q)) > 1), question)
        if question is not None and keeping.step_question(self.studio.store, self._chat, question, step):
            self.walked()
        elif question is not None:
            self.set_status("there is no other branch on that side")

    def action_answer(self, step: int) -> None:
        """Show another reply of this pane's model, with what was asked after it."""
        question = self._may_change()
        if question is None:
            return
        store, side = self.studio.store, self.side_here(question)
        if keeping.step_answer(store, self._chat, question, side, step):
            self.walked()
        else:
            self.set_status("there is no other reply on that side; r asks for one")

    def walked(self) -> None:
        """Show another branch from its end."""
        self._marked = None
        self.judge_line.display = False
        self.set_status("")
        self.show_all(at_end=True)

    def _go_to(self, question: Question) -> None:
        if question is not self._chat.last:
            keeping.go_to(self.studio.store, self._chat, question)

    def _upwards(self) -> list[Question]:
        return [exchange.asked for exchange in reversed(self._chat.exchanges)]

    def _may_change(self) -> Question | None:
        """Return the question here, unless replies are coming."""
        if self._replies:
            self.set_status(WAIT)
            return None
        if self._chat.last is None:
            self.set_status("nothing was asked yet")
        return self.question_here
