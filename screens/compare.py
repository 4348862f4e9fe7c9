"""Compare: two replies to one prompt, blind; one key judges, saves, and shows the next pair."""

import time
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import StudioScreen
from screens.widgets.conversation import conversation
from screens.widgets.text_view import TextView
from screens.widgets.typing_order import LineInput
from store import examples, journal, pairs
from store.database import now
from store.examples import Message
from store.pairs import Verdict
from store.responses import Response
from studio.labelling import comparing
from studio.labelling.comparing import VERDICT_WORDS, Progress, Shown

QUIET_SECONDS = 0.08
"""A verdict must come this long after its pair was painted and after any other verdict key: a key that is
held down repeats faster than that, and nobody reads so fast."""


class CompareScreen(StudioScreen):
    """The labelling loop."""

    AREA = "compare"
    AUTO_FOCUS = "#left"
    CSS_PATH = "compare.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (60, "-normal"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = keys.COMPARE

    prompt = query_one("#prompt", TextView)
    left = query_one("#left", TextView)
    right = query_one("#right", TextView)
    nothing = query_one("#nothing", Static)
    counter = query_one("#progress", Static)
    remark = query_one("#comment", Input)

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None
        self._progress: Progress | None = None
        self._decisions = 0
        self._painted: float | None = None
        self._shown_at = ""
        self._last_key = 0.0

    @property
    def unsaved(self) -> str:
        """A comment that was begun."""
        return "The comment is not saved." if self.is_mounted and self.remark.value.strip() else ""

    def compose_body(self) -> ComposeResult:
        """Lay the prompt over the two replies."""
        with Vertical(id="pair"):
            yield TextView(id="prompt")
            with Container(id="replies"):
                yield TextView(id="left")
                yield TextView(id="right")
        yield Static("", id="nothing", markup=False)
        yield Static("", id="progress", markup=False)
        yield LineInput(id="comment", placeholder="Comment on this pair: enter saves, esc leaves")

    def on_mount(self) -> None:
        """Name the panes and put the comment away."""
        self.left.border_title = "Left"
        self.right.border_title = "Right"
        self.remark.cursor_blink = False
        self.remark.display = False

    def on_screen_resume(self) -> None:
        """Go on where the journal says: pairs may have come in, or been excluded, on other screens."""
        shown = self._shown
        if shown is None or not comparing.is_open(self.studio.store, shown.pair):
            self._show(comparing.next_pair(self.studio.store))
        self._count()

    def on_imports_ended(self) -> None:
        """Count what came in; where no pair was left there may be one now."""
        self.on_screen_resume()

    def action_judge(self, verdict: Verdict) -> None:
        """Write a verdict on the pair that is on the screen, then show the next one."""
        shown, seconds = self._shown, self._seconds_seen()
        if shown is None or seconds is None:
            return
        # One that was left by tab belongs to this pair, not to the next.
        self.save_comment()
        journal.judge(self.studio.store, shown.pair, verdict, rater=self.studio.project.rater, shown_at=self._shown_at)
        self._decisions += 1
        if self._progress is not None:
            self._progress.answered(verdict, seconds)
        self._show(comparing.next_pair(self.studio.store, after=shown.pair.id))
        self.set_status(f"{VERDICT_WORDS[verdict]}, saved - u undoes")

    def action_undo(self) -> None:
        """Take the latest verdict back and show its pair again."""
        self.save_comment()
        entry = journal.undo(self.studio.store, rater=self.studio.project.rater)
        if entry is None or entry.verdict is None:
            self.set_status("nothing to undo")
            return
        self._reload(comparing.show(self.studio.store, pairs.get(self.studio.store, entry.pair_id)))
        self.set_status(f"undone: {VERDICT_WORDS[entry.verdict]} - judge again")

    def action_redo(self) -> None:
        """Give back the verdict that was undone last."""
        self.save_comment()
        entry = journal.redo(self.studio.store, rater=self.studio.project.rater)
        if entry is None or entry.verdict is None:
            self.set_status("nothing to redo")
            return
        self._reload(comparing.next_pair(self.studio.store, after=entry.pair_id))
        self.set_status(f"redone: {VERDICT_WORDS[entry.verdict]}, saved - u undoes")

    def action_flag(self) -> None:
        """Mark the pair's example for a second look, or take the mark off."""
        if self._shown is None:
            return
        flagged = not self._shown.flagged
        examples.set_flagged(self.studio.store, self._shown.pair.example_id, flagged)
        self._shown = self._shown.with_flag(flagged)
        self._title_prompt(self._shown)
        self.set_status("flagged" if flagged else "flag taken off")

    def action_comment(self) -> None:
        """Open the line for a comment."""
        if self._shown is not None:
            self.remark.display = True
            self.remark.focus()

    @on(Input.Submitted, "#comment")
    def save_comment(self) -> None:
        """Write the comment down; an empty one is none."""
        text = self.remark.value.strip()
        if text and self._shown is not None:
            journal.comment(self.studio.store, self._shown.pair.id, text, rater=self.studio.project.rater)
            self.set_status("comment saved")
        if self.remark.display:
            self._close_comment()

    def action_back(self) -> None:
        """Leave the comment without saving it."""
        if self.remark.display:
            self._close_comment()

    def action_edit(self) -> None:
        """Edit the reply that has the focus into a third one."""
        shown = self._shown
        if shown is None:
            return
        if self.focused not in (self.left, self.right):
            self.set_status("tab to the better reply, then e edits it")
            return
        from screens.editor import ConversationEditor

        original = shown.left if self.focused is self.left else shown.right
        self.app.push_screen(ConversationEditor(original.messages), partial(self._keep_edit, original))

    def _keep_edit(self, original: Response, messages: list[Message] | None) -> None:
        if messages is None:
            return
        comparing.add_edited(self.studio.store, original, messages, rater=self.studio.project.rater)
        self._decisions += 1
        self._count()
        self.set_status("third reply saved; it waits as a pair")

    def _close_comment(self) -> None:
        self.remark.value = ""
        self.remark.display = False
        self.left.focus()

    def _seconds_seen(self) -> float | None:
        """Return how long the pair has been seen; None for a key that came before it was, or that repeats."""
        moment, before = time.monotonic(), self._last_key
        self._last_key = moment
        if self._painted is None or moment - max(self._painted, before) < QUIET_SECONDS:
            return None
        return moment - self._painted

    def _reload(self, shown: Shown | None) -> None:
        self._decisions += 1
        self._show(shown)
        self._count()

    def _count(self) -> None:
        """Read how far the labelling is in a thread: of a million pairs that takes a while."""
        count = partial(comparing.progress, rater=self.studio.project.rater)
        in_background(self, count, partial(self._counted, self._decisions), group="count")

    def _counted(self, decisions: int, progress: Progress) -> None:
        if decisions != self._decisions:
            # A decision came between; whether it was counted can't be told.
            self._count()
            return
        self._progress = progress
        self._show_progress()
        if self._shown is None:
            self.nothing.update(comparing.nothing_left(progress))

    def _show(self, shown: Shown | None) -> None:
        """Put a pair on the screen, or say that none is left; verdicts count only once it was painted."""
        self._shown, self._painted = shown, None
        with self.app.batch_update():
            self.query_one("#pair").display = shown is not None
            self.nothing.display = shown is None
            self._show_progress()
            if shown is not None:
                self._fill(shown)
            elif self._progress is not None:
                self.nothing.update(comparing.nothing_left(self._progress))
        self.call_after_refresh(self._note_painted, shown)

    def _fill(self, shown: Shown) -> None:
        self.prompt.show(conversation(_question_first(shown.prompt)))
        self.left.show(conversation(shown.left.messages))
        self.right.show(conversation(shown.right.messages))
        self._title_prompt(shown)
        if self.focused is None:
            self.left.focus()

    def _show_progress(self) -> None:
        self.counter.update("" if self._progress is None else str(self._progress), layout=False)

    def _title_prompt(self, shown: Shown) -> None:
        title = "Prompt, flagged" if shown.flagged else "Prompt"
        # Even the same title would paint the whole pane again.
        if title != self.prompt.border_title:
            self.prompt.border_title = title

    def _note_painted(self, shown: Shown | None) -> None:
        if shown is self._shown:
            self._painted, self._shown_at = time.monotonic(), now()


def _question_first(prompt: list[Message]) -> list[Message]:
    """Return a prompt with its system turns last: they repeat from pair to pair, and the pane is low."""
    return sorted(prompt, key=lambda message: message.get("role") == "system")
