"""Verdicts on replies: which is better, judged blind or not, here or later in Compare."""

from screens import chat_text
from screens.base import StudioScreen
from screens.chat_judging import JudgeLine
from screens.chat_sight import HIDDEN, WAIT, ChatSight
from store.database import now
from studio.chatting import blind, keeping, preferences
from studio.chatting.conversation import Question
from studio.chatting.preferences import Outcome

OUTCOMES = {"tie": "a tie", "both_bad": "none is good", "skip": "skipped"}


class Verdicts:
    """Asks for verdicts, and makes judged pairs of them."""

    def __init__(self, screen: StudioScreen, sight: ChatSight) -> None:
        self._screen = screen
        self._sight = sight
        self._complete: tuple[Question, str] | None = None
        """The question whose replies were last all on the screen, and when that was."""

    @property
    def _line(self) -> JudgeLine:
        return self._screen.query_one(JudgeLine)

    def ask_unasked(self, question: Question, *, take_focus: bool) -> None:
        """Ask for the verdict on replies that have just come, where the names are kept back."""
        chat = self._sight.chat
        if question is chat.last and blind.is_hidden(question) and chat.comparable(question.id):
            self._screen.call_after_refresh(self._note_moment, question)
            self._line.ask(len(chat.models), take_focus=take_focus, unasked=True)

    def ask(self) -> None:
        """Ask which of the replies here is better."""
        chat, question = self._sight.chat, self._sight.question_here
        if self._sight.coming:
            self._screen.set_status(WAIT)
        elif question is None or not chat.comparable(question.id):
            self._screen.set_status("there are no two replies to the same conversation")
        else:
            self._line.ask(len(chat.models))

    def judge(self, outcome: Outcome) -> None:
        """Write a verdict on the replies here; it becomes judged pairs."""
        chat, question = self._sight.chat, self._sight.question_here
        self.close()
        if question is None or self._sight.coming:
            return
        # Of replies that came before, as in a chat opened again, nobody knows when they were read.
        shown_at = self._complete[1] if self._complete and self._complete[0] is question else None
        project, store = self._screen.studio.project, self._screen.studio.store
        found = preferences.judge(project, store, chat, question, outcome, shown_at=shown_at)
        self._sight.show_all()
        pairs = "pair" if len(found.pairs) == 1 else "pairs"
        numbers = ", ".join(map(str, found.pairs))
        said = f"{pairs} {numbers}: {self._outcome_words(question, outcome)}"
        self._screen.set_status(f"{said}{', judged blind' if found.blind else ''}, saved", said)

    def close(self) -> None:
        """Leave the line that asks."""
        self._line.display = False
        self._sight.panes.focus_here()

    def toggle_blind(self) -> None:
        """Keep the names back from the next question on, or no longer."""
        if len(self._sight.chat.models) < 2:
            self._screen.set_status("blind needs two models or more: m chooses them")
            return
        self._sight.change(blind=not self._sight.chat.settings.blind)
        is_blind = self._sight.chat.settings.blind
        self._screen.set_status("blind from the next question on" if is_blind else "not blind any more")

    def reveal(self) -> None:
        """Tell whose the replies are; a verdict after that is not a blind one."""
        question = self._sight.question_here
        if question is not None and blind.is_hidden(question):
            blind.reveal(self._screen.studio.store, self._sight.chat, question)
            self._sight.show_all()

    def leave_to_compare(self) -> None:
        """Let the replies wait in Compare."""
        question = self._sight.question_here
        if question is None or self._sight.coming:
            self._screen.set_status(WAIT if self._sight.coming else "nothing was asked yet")
            return
        project, store = self._screen.studio.project, self._screen.studio.store
        found = preferences.queue_pairs(project, store, self._sight.chat, question)
        count = "1 pair waits" if len(found) == 1 else f"{len(found)} pairs wait"
        self._screen.set_status(f"{count} in Compare")

    def go_on_from(self) -> None:
        """Let all models go on from the reply here, so that they stay comparable."""
        sight, question, answer = self._sight, self._sight.question_here, self._sight.answer_here
        if sight.coming or question is None or answer is None or len(sight.chat.models) < 2:
            self._screen.set_status(WAIT if sight.coming else "there is no reply here, or no other model")
        elif blind.is_hidden(question):
            self._screen.set_status(HIDDEN)
        else:
            keeping.continue_with(self._screen.studio.store, sight.chat, question, answer.side)
            sight.marked = None
            sight.show_all(at_end=True)
            self._screen.set_status(f"all go on from {sight.chat.models[answer.side]}")

    def _note_moment(self, question: Question) -> None:
        self._complete = question, now()

    def _outcome_words(self, question: Question, outcome: Outcome) -> str:
        if not isinstance(outcome, int):
            return OUTCOMES[outcome]
        name = chat_text.name_of(self._sight.chat, question, outcome)
        return f"{name} is {'better' if len(self._sight.chat.models) == 2 else 'the best'}"
