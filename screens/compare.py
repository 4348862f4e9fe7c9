"""Compare: two replies to one prompt, blind; one key judges, saves, and shows the next pair."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from screens import keys
from screens.compare_pair import BEGUN, entry_words, verdict_words
from screens.compare_windows import CompareWindows
from store import journal
from store.database import now
from store.examples import Message
from store.journal import Entry, Strength
from store.pairs import Verdict
from store.responses import Response
from studio.labelling import judging
from studio.labelling.criteria import next_criterion
from studio.labelling.shown import Shown
from studio.labelling.words import VERDICT_WORDS

QUIET_SECONDS = 0.08
"""A verdict must come this long after its pair was painted and after any other verdict key: a key that is
held down repeats faster than that, and nobody reads so fast."""


class CompareScreen(CompareWindows):
    """The labelling loop."""

    AREA = "compare"
    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.COMPARE

    def __init__(self) -> None:
        super().__init__()
        self._criterion = ""
        """What is asked before the verdict."""
        self._painted: float | None = None
        """When what is asked now was painted."""
        self._seen: Shown | None = None
        """The pair that was painted last."""
        self._pair_painted = 0.0
        self._shown_at = ""
        self._last_key = 0.0
        self._judges_anew = False
        """The pair was called up out of its turn, and may be left as it is."""

    def open_entry(self, entry: Entry) -> None:
        """Show the pair of a verdict again, with the sides that it had, to be judged anew."""
        self._leave_pair()
        self._begin()
        self._judges_anew = True
        self._show(self.queue.show_again(self.studio.store, entry))
        self.set_status(f"it was: {entry_words(entry)}; judge anew, esc leaves it", f"it was: {entry_words(entry)}")

    def action_judge(self, verdict: Verdict, strength: Strength = "") -> None:
        """Write a verdict, or the answer to a criterion, on the pair that is on the screen, then show what is next."""
        if self._held is not None:
            self.action_begin()
            return
        shown, moment = self._shown, self._moment_of_key()
        if shown is None or moment is None:
            return
        self._close_lines()
        if self._was_judged_elsewhere(shown):
            self._leave_pair()
            self._reload(self.queue.next(self.studio.store))
            self.set_status("you judged that pair meanwhile, in another window", "judged in another window")
        elif self._criterion and verdict != "skip":
            self._judge_criterion(shown, verdict)
        else:
            self._judge(shown, verdict, strength, moment - self._pair_painted)

    def _was_judged_elsewhere(self, shown: Shown) -> bool:
        """Tell whether this person judged the pair since it was painted; a key must not change that unawares."""
        rater = self.studio.project.rater
        mine = (e for e in journal.entries(self.studio.store, pair_id=shown.pair.id) if e.rater == rater)
        return any(entry.kind == "verdict" and entry.answered_at > self._shown_at for entry in mine)

    def _judge_criterion(self, shown: Shown, verdict: Verdict) -> None:
        criterion = self._criterion
        with self._writing(f"{criterion}: {VERDICT_WORDS[verdict]}"):
            journal.judge_criterion(
                self.studio.store,
                shown.pair,
                criterion,
                verdict,
                rater=self.studio.project.rater,
                task=self._labelling.name,
                shown_at=self._shown_at,
            )
        self._shown = self.ask(shown)
        self.set_status(f"{criterion}: {VERDICT_WORDS[verdict]}, saved", VERDICT_WORDS[verdict])

    def _judge(self, shown: Shown, verdict: Verdict, strength: Strength, seconds: float) -> None:
        if self._labelling.strength and verdict in ("left", "right"):
            strength = strength or "slightly"
        words = verdict_words(verdict, strength)
        with self._writing(words):
            self._save_comment(shown)
            judging.judge(
                self.studio.store,
                shown,
                verdict,
                rater=self.studio.project.rater,
                task=self._labelling.name,
                strength=strength,
                reasons=self._begun.of(shown.pair.id).reasons,
                shown_at=self._shown_at,
            )
        if self._progress is not None and not self._judges_anew:
            self._progress.answered(verdict, seconds)
        self._go_on_after(shown, verdict)
        self.set_status(f"{words}, saved - u undoes", f"{words}, saved")

    @contextmanager
    def _writing(self, words: str) -> Iterator[None]:
        """Take back what the header says of the answer before, where this one can't be written."""
        try:
            yield
        except Exception:
            self.set_status(f"{words}: NOT saved", "NOT saved")
            raise

    def _go_on_after(self, shown: Shown, verdict: Verdict) -> None:
        self._begun.pop(shown.pair.id, None)
        self._note(BEGUN, self._begun.place())
        was_judged, self._judges_anew = self._judges_anew, False
        self._revealed = ""
        self.queue.judged(shown, verdict)
        self._decisions += 1
        self._advance()
        if was_judged:
            self._count()

    def action_undo(self) -> None:
        """Take the latest answer back and ask for it again."""
        self._leave_pair()
        entry = journal.undo(self.studio.store, rater=self.studio.project.rater)
        if entry is None:
            self.set_status("nothing to undo")
            return
        begun = self._begun.of(entry.pair_id)
        begun.reasons = begun.reasons or entry.reasons
        self._reload(self.queue.show_again(self.studio.store, entry))
        self.set_status(f"undone: {entry_words(entry)} - judge again", f"undone: {entry_words(entry)}")

    def action_redo(self) -> None:
        """Give back the answer that was undone last."""
        self._leave_pair()
        entry = journal.redo(self.studio.store, rater=self.studio.project.rater)
        if entry is None:
            self.set_status("nothing to redo")
            return
        self._begun.pop(entry.pair_id, None)
        if entry.kind == "criterion":
            self._reload(self.queue.show_again(self.studio.store, entry))
        else:
            self._reload(self.queue.next(self.studio.store))
        self.set_status(f"redone: {entry_words(entry)}, saved - u undoes", f"redone: {entry_words(entry)}")

    def action_back(self) -> None:
        """Close the line that is open, or leave a pair that was judged before as it is."""
        if self.remark.display or self.reasons.display:
            self._close_lines()
        elif self._judges_anew:
            self._leave_pair()
            self._judges_anew = False
            self._advance()
            self.set_status("left as it was")

    def action_edit(self) -> None:
        """Edit the reply that has the focus into a better one than both."""
        shown, side = self._shown, self.panes.focused
        if shown is None:
            return
        if side is None:
            self.set_status("tab to the better reply, then e edits it")
            return
        self._edit(shown, shown.left if side == "left" else shown.right)

    def ask(self, shown: Shown) -> Shown:
        """Ask for the next criterion, or for the verdict; keys count only once it was painted."""
        criteria = self._labelling.criteria
        shown, self._criterion = next_criterion(self.studio.store, shown, criteria, rater=self.studio.project.rater)
        self._painted = None
        if self._criterion:
            number = criteria.index(self._criterion) + 1
            self.asked.update(f"{number} of {len(criteria)}: which is better by {self._criterion}?", layout=False)
        elif criteria:
            self.asked.update("And on the whole: which is better?", layout=False)
        return shown

    def was_painted(self) -> None:
        """Note when a pair was painted: from then on it can be read, and keys count."""
        shown = self._shown
        if shown is None or self._painted is not None:
            return
        self._painted = time.monotonic()
        if shown is not self._seen:
            self._seen, self._pair_painted, self._shown_at = shown, self._painted, now()
            self.call_later(self.read_ahead, shown)

    def _moment_of_key(self) -> float | None:
        """Return when a key came; None for one that came before what it answers was seen, or that repeats."""
        moment, before = time.monotonic(), self._last_key
        self._last_key = moment
        if self._painted is None or moment - max(self._painted, before) < QUIET_SECONDS:
            return None
        return moment

    def _reload(self, shown: Shown | None) -> None:
        self._decisions += 1
        self._judges_anew = False
        self._begin()
        self._show(shown)
        if shown is None:
            self._plan_if_wanted()
        self._count()

    def _edit(self, shown: Shown, original: Response, draft: list[Message] | None = None) -> None:
        from screens.editor import ConversationEditor

        editor = ConversationEditor(original.messages, draft=draft, title="Make it better than both; f2 saves")
        self.app.push_screen(editor, partial(self._keep_edit, shown, original))

    def _keep_edit(self, shown: Shown, original: Response, messages: list[Message] | None) -> None:
        if messages is None:
            return
        keep = partial(judging.keep_better, rater=self.studio.project.rater, task=self._labelling.name)
        self.save(
            lambda: keep(self.studio.store, shown, original, messages, shown_at=self._shown_at),
            partial(self._edit, shown, original, messages),
        )
        self._save_comment(shown, ", ".join(self._begun.of(shown.pair.id).reasons))
        self._go_on_after(shown, "left" if original is shown.left else "right")
        self._count()
        self.set_status("your reply is saved, better than both - u undoes", "saved, better than both")
