"""A person's answers: written before anything else is shown, taken back, given again; what was done is said."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from screens.base import StudioScreen
from screens.compare_asked import AskedPair
from screens.compare_begun import BegunRemarks
from screens.compare_walk import Walk
from store import journal
from store.database import Store
from store.examples import Message
from store.journal import Entry, Strength
from store.pairs import Verdict
from store.responses import Response
from studio.labelling import judging
from studio.labelling.words import VERDICT_WORDS, entry_words, verdict_words


class Answers:
    """Writes what is said of the pair that is asked about, then goes on to the next one."""

    def __init__(self, screen: StudioScreen, walk: Walk, begun: BegunRemarks) -> None:
        self._screen = screen
        self._walk = walk
        self._begun = begun
        self._last_key = 0.0

    def judge(self, verdict: Verdict, strength: Strength) -> None:
        """Write a verdict, or the answer to a criterion."""
        asked, before, moment = self._walk.asked, self._last_key, time.monotonic()
        self._last_key = moment
        if asked is None or not asked.can_be_meant(moment, before):
            return
        if asked.was_judged_elsewhere(self._store, self._rater):
            self._walk.leave_pair()
            self._go_on_anew(None)
            self._say("you judged that pair meanwhile, in another window", "judged in another window")
        elif asked.criterion and verdict != "skip":
            self._judge_criterion(asked, verdict)
        else:
            self._judge(asked, verdict, strength, asked.seconds_until(moment))

    def judge_anew(self, entry: Entry) -> None:
        """Show the pair of a verdict again, with the sides that it had."""
        self._walk.leave_pair()
        self._walk.show(self._walk.course.queue.show_again(self._store, entry), is_anew=True)
        self._say(f"it was: {entry_words(entry)}; judge anew, esc leaves it", f"it was: {entry_words(entry)}")

    def leave_as_it_was(self) -> None:
        """Go on from a pair that was called up to be judged anew."""
        if self._walk.asked and self._walk.asked.is_anew:
            self._walk.leave_pair()
            self._walk.advance()
            self._say("left as it was")

    def undo(self) -> None:
        """Take the latest answer back and ask for it again."""
        self._walk.leave_pair()
        entry = journal.undo(self._store, rater=self._rater)
        if entry is None:
            self._say("nothing to undo")
            return
        begun = self._begun.of(entry.pair_id)
        begun.reasons = begun.reasons or entry.reasons
        self._go_on_anew(entry)
        self._say(f"undone: {entry_words(entry)} - judge again", f"undone: {entry_words(entry)}")

    def redo(self) -> None:
        """Give back the answer that was undone last."""
        self._walk.leave_pair()
        entry = journal.redo(self._store, rater=self._rater)
        if entry is None:
            self._say("nothing to redo")
            return
        self._begun.was_judged(entry.pair_id)
        self._go_on_anew(entry if entry.kind == "criterion" else None)
        self._say(f"redone: {entry_words(entry)}, saved - u undoes", f"redone: {entry_words(entry)}")

    def keep_better(self, asked: AskedPair, original: Response, messages: list[Message]) -> None:
        """Write a reply that a person made better than both.

        Raises:
            StudioError: it says what one of the two says.
        """
        judging.keep_better(
            self._store,
            asked.shown,
            original,
            messages,
            rater=self._rater,
            task=self._walk.task.name,
            shown_at=asked.shown_at,
        )

    def go_on_from_better(self, asked: AskedPair, original: Response) -> None:
        """Show the pair that is next after a better reply was written."""
        pair_id = asked.shown.pair.id
        self._begun.save_comment(pair_id, ", ".join(self._begun.of(pair_id).reasons))
        self._go_on_after(asked, "left" if original is asked.shown.left else "right")
        self._walk.course.how_far.count()
        self._say("your reply is saved, better than both - u undoes", "saved, better than both")

    @property
    def _store(self) -> Store:
        return self._screen.studio.store

    @property
    def _rater(self) -> str:
        return self._screen.studio.project.rater

    def _say(self, words: str, shorter: str = "") -> None:
        self._screen.set_status(words, shorter)

    def _judge_criterion(self, asked: AskedPair, verdict: Verdict) -> None:
        criterion, words = asked.criterion, VERDICT_WORDS[verdict]
        with self._writing(f"{criterion}: {words}"):
            journal.judge_criterion(
                self._store,
                asked.shown.pair,
                criterion,
                verdict,
                rater=self._rater,
                task=self._walk.task.name,
                shown_at=asked.shown_at,
            )
        self._walk.ask_on(asked)
        self._say(f"{criterion}: {words}, saved", words)

    def _judge(self, asked: AskedPair, verdict: Verdict, strength: Strength, seconds: float) -> None:
        if self._walk.task.strength and verdict in ("left", "right"):
            strength = strength or "slightly"
        words = verdict_words(verdict, strength)
        pair_id = asked.shown.pair.id
        with self._writing(words):
            self._begun.save_comment(pair_id)
            judging.judge(
                self._store,
                asked.shown,
                verdict,
                rater=self._rater,
                task=self._walk.task.name,
                strength=strength,
                reasons=self._begun.of(pair_id).reasons,
                shown_at=asked.shown_at,
            )
        if not asked.is_anew:
            self._walk.course.how_far.answered(verdict, seconds)
        self._go_on_after(asked, verdict)
        self._say(f"{words}, saved - u undoes", f"{words}, saved")

    @contextmanager
    def _writing(self, words: str) -> Iterator[None]:
        """Take back what the header says of the answer before, where this one can't be written."""
        try:
            yield
        except Exception:
            self._say(f"{words}: NOT saved", "NOT saved")
            raise

    def _go_on_after(self, asked: AskedPair, verdict: Verdict) -> None:
        course = self._walk.course
        self._begun.was_judged(asked.shown.pair.id)
        course.queue.judged(asked.shown, verdict)
        course.how_far.decided()
        self._walk.advance()
        if asked.is_anew:
            course.how_far.count()

    def _go_on_anew(self, entry: Entry | None) -> None:
        """Show the pair of an entry again, or else the next one, and count what the journal says now."""
        course = self._walk.course
        course.how_far.decided()
        if entry is None:
            self._walk.advance()
        else:
            self._walk.show(course.queue.show_again(self._store, entry))
        course.how_far.count()
