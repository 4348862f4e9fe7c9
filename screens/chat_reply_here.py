"""What is done with the reply that keys are about: it is put right, and looked into."""

from functools import partial

from screens.base import StudioScreen
from screens.chat_sight import HIDDEN, WAIT, ChatSight
from studio.chatting import blind, learning
from studio.chatting.conversation import Answer, Question


class ReplyHere:
    """Learns from a reply, and shows its tokens, its origins, and the proof of its model."""

    def __init__(self, screen: StudioScreen, sight: ChatSight) -> None:
        self._screen = screen
        self._sight = sight

    def fix(self) -> None:
        """Put the reply right and learn from it."""
        question, answer = self._sight.question_here, self._sight.answer_here
        if self._sight.coming or question is None or answer is None:
            self._screen.set_status(WAIT if self._sight.coming else "there is no reply here to put right")
            return
        self._correct(question, answer)

    def show_tokens(self) -> None:
        """Show the tokens of the reply, sent and received."""
        from screens.chat_raw import RawTurn

        question = self._looked_into()
        if question is not None:
            chat, side = self._sight.chat, self._sight.side_here(question)
            prompt = chat.prompt(side, question.id)
            self._screen.app.push_screen(RawTurn(prompt, self._sight.answer_here, chat.models[side]))

    def show_origins(self) -> None:
        """Show the training examples nearest to the reply."""
        from screens.origins_window import OriginsWindow

        question, answer = self._looked_into(), self._sight.answer_here
        if question is not None and answer is not None:
            self._screen.app.push_screen(OriginsWindow(answer.text, self._sight.chat.author_of(answer)))

    def show_evidence(self) -> None:
        """Show the evidence that what was trained is what answers here."""
        from screens.evidence_window import EvidenceWindow

        chat, last = self._sight.chat, self._sight.chat.last
        if last is not None and blind.is_hidden(last):
            self._screen.set_status(HIDDEN)
            return
        side = self._sight.panes.here if last is None else self._sight.side_here(last)
        self._screen.app.push_screen(EvidenceWindow(chat.models[side].partition("@")[0]))

    def _correct(self, question: Question, answer: Answer, draft: str | None = None) -> None:
        from screens.chat_correction import Correction

        def written(text: str | None) -> None:
            if text is not None:
                learn = partial(self._learn, question, answer, text)
                self._screen.save(learn, partial(self._correct, question, answer, text))

        self._screen.app.push_screen(Correction(question.text, answer.text, draft), written)

    def _learn(self, question: Question, answer: Answer, text: str) -> None:
        project, store = self._screen.studio.project, self._screen.studio.store
        found = learning.learn(project, store, self._sight.chat, question, answer, text)
        held_out = "" if found.split == "train" else "; its prompt is held out, so it is measured by, not learnt"
        self._screen.notify(
            f"Example {found.example_id} ({found.split}), and pair {found.pair_id}: yours is better{held_out}.",
            markup=False,
        )

    def _looked_into(self) -> Question | None:
        """Return the question here where its replies may be looked into."""
        question = self._sight.question_here
        if question is None:
            self._screen.set_status("nothing was sent yet")
        elif blind.is_hidden(question):
            self._screen.set_status(HIDDEN)
        else:
            return question
        return None
