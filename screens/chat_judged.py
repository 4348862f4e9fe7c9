"""What is made of replies: verdicts, corrections, pairs for Compare; and where a reply comes from."""

from functools import partial

from textual import on

from screens import chat_text
from screens.chat_asking import WAIT, AskingScreen
from screens.chat_judging import JudgeLine
from store.database import now
from studio.chatting import blind, keeping, learning, preferences
from studio.chatting.conversation import Answer, Question
from studio.chatting.preferences import Outcome

HIDDEN = "the names are kept back: judge first, or v shows them"

OUTCOMES = {"tie": "a tie", "both_bad": "none is good", "skip": "skipped"}


class JudgedChat(AskingScreen):
    """A chat whose replies are judged, put right and looked into."""

    def __init__(self) -> None:
        super().__init__()
        self._complete: tuple[Question, str] | None = None
        """The question whose replies were last all on the screen, and when that was."""

    @property
    def answer_here(self) -> Answer | None:
        """The reply that keys are about: the focused pane's, to the marked question or the last."""
        question = self.question_here
        if question is None:
            return None
        exchange = next((each for each in self._chat.exchanges if each.asked is question), None)
        return exchange.answers[self.side_here(question)] if exchange else None

    def side_here(self, question: Question) -> int:
        """Return whose answer to a question the focused pane shows."""
        return chat_text.side_of(self._chat, question, self.panes.here)

    # Verdicts

    def answers_complete(self) -> None:
        """Ask for the verdict where the names are kept back."""
        question = self._chat.last
        if question is None or not blind.is_hidden(question) or not self._chat.comparable(question.id):
            return
        self.call_after_refresh(self._note_moment, question)
        # Who is writing already goes on.
        self.judge_line.ask(len(self._chat.models), take_focus=not self.composer.text, unasked=True)

    def _note_moment(self, question: Question) -> None:
        self._complete = question, now()

    def action_prefer(self) -> None:
        """Say which of the replies is better; it becomes judged pairs."""
        question = self.question_here
        if self._replies:
            self.set_status(WAIT)
            return
        if question is None or not self._chat.comparable(question.id):
            self.set_status("there are no two replies to the same conversation")
            return
        self.judge_line.ask(len(self._chat.models))

    @on(JudgeLine.Judged)
    def _judged(self, event: JudgeLine.Judged) -> None:
        question = self.question_here
        self._close_line()
        if question is None or self._replies:
            return
        # Of replies that came before, as in a chat opened again, nobody knows when they were read.
        shown_at = self._complete[1] if self._complete and self._complete[0] is question else None
        project, store = self.studio.project, self.studio.store
        found = preferences.judge(project, store, self._chat, question, event.outcome, shown_at=shown_at)
        self.show_all()
        pairs = "pair" if len(found.pairs) == 1 else "pairs"
        numbers = ", ".join(map(str, found.pairs))
        said = f"{pairs} {numbers}: {self._outcome_words(question, event.outcome)}"
        self.set_status(f"{said}{', judged blind' if found.blind else ''}, saved", said)

    @on(JudgeLine.Closed)
    def _close_line(self) -> None:
        self.judge_line.display = False
        self.panes.focus_here()

    def _outcome_words(self, question: Question, outcome: Outcome) -> str:
        if not isinstance(outcome, int):
            return OUTCOMES[outcome]
        name = chat_text.name_of(self._chat, question, outcome)
        return f"{name} is {'better' if len(self._chat.models) == 2 else 'the best'}"

    def action_blind(self) -> None:
        """Keep the names back from the next question on, or no longer."""
        if len(self._chat.models) < 2:
            self.set_status("blind needs two models or more: m chooses them")
            return
        self.change(blind=not self._chat.settings.blind)
        self.set_status("blind from the next question on" if self._chat.settings.blind else "not blind any more")

    def action_reveal(self) -> None:
        """Tell whose the replies are; a verdict after that is not a blind one."""
        question = self.question_here
        if question is not None and blind.is_hidden(question):
            blind.reveal(self.studio.store, self._chat, question)
            self.show_all()

    def action_compare(self) -> None:
        """Let the replies wait in Compare."""
        question = self.question_here
        if question is None or self._replies:
            self.set_status(WAIT if self._replies else "nothing was asked yet")
            return
        found = preferences.queue_pairs(self.studio.project, self.studio.store, self._chat, question)
        count = "1 pair waits" if len(found) == 1 else f"{len(found)} pairs wait"
        self.set_status(f"{count} in Compare")

    def action_go_on_from(self) -> None:
        """Let all models go on from this reply, so that they stay comparable."""
        question, answer = self.question_here, self.answer_here
        if self._replies or question is None or answer is None or len(self._chat.models) < 2:
            self.set_status(WAIT if self._replies else "there is no reply here, or no other model")
            return
        if blind.is_hidden(question):
            self.set_status(HIDDEN)
            return
        keeping.continue_with(self.studio.store, self._chat, question, answer.side)
        self._marked = None
        self.show_all(at_end=True)
        self.set_status(f"all go on from {self._chat.models[answer.side]}")

    # Corrections

    def action_fix(self) -> None:
        """Put this reply right and learn from it."""
        question, answer = self.question_here, self.answer_here
        if self._replies or question is None or answer is None:
            self.set_status(WAIT if self._replies else "there is no reply here to put right")
            return
        self._correct(question, answer)

    def _correct(self, question: Question, answer: Answer, draft: str | None = None) -> None:
        from screens.chat_correction import Correction

        def written(text: str | None) -> None:
            if text is not None:
                self.save(partial(self._learn, question, answer, text), partial(self._correct, question, answer, text))

        self.app.push_screen(Correction(question.text, answer.text, draft), written)

    def _learn(self, question: Question, answer: Answer, text: str) -> None:
        found = learning.learn(self.studio.project, self.studio.store, self._chat, question, answer, text)
        held_out = "" if found.split == "train" else "; its prompt is held out, so it is measured by, not learnt"
        self.notify(
            f"Example {found.example_id} ({found.split}), and pair {found.pair_id}: yours is better{held_out}.",
            markup=False,
        )

    # Where a reply comes from

    def action_tokens(self) -> None:
        """Show the tokens of this reply, sent and received."""
        from screens.chat_raw import RawTurn

        question = self._looked_into()
        if question is not None:
            side = self.side_here(question)
            prompt = self._chat.prompt(side, question.id)
            self.app.push_screen(RawTurn(prompt, self.answer_here, self._chat.models[side]))

    def action_origins(self) -> None:
        """Show the training examples nearest to this reply."""
        from screens.origins_window import OriginsWindow

        question, answer = self._looked_into(), self.answer_here
        if question is not None and answer is not None:
            self.app.push_screen(OriginsWindow(answer.text, self._chat.author_of(answer)))

    def action_parity(self) -> None:
        """Show the evidence that what was trained is what answers here."""
        from screens.evidence_window import EvidenceWindow

        last = self._chat.last
        if last is not None and blind.is_hidden(last):
            self.set_status(HIDDEN)
            return
        side = self.panes.here if last is None else self.side_here(last)
        self.app.push_screen(EvidenceWindow(self._chat.models[side].partition("@")[0]))

    def _looked_into(self) -> Question | None:
        """Return the question here where it may be looked into."""
        question = self.question_here
        if question is None:
            self.set_status("nothing was sent yet")
        elif blind.is_hidden(question):
            self.set_status(HIDDEN)
        else:
            return question
        return None
