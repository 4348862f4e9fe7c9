"""A pair on the screen: how it is looked at, and what a person remarks on it beside the verdict."""

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.getters import query_one
from textual.widgets import Input, Static

from screens.base import StudioScreen
from screens.compare_panes import FOLD_WORDS, LAYOUT_WORDS, PairPanes, ReplyView
from screens.compare_remarks import ReasonsLine, RemarksByPair
from screens.compare_text import whose
from screens.widgets.text_view import TextView
from screens.widgets.typing_order import LineInput
from store import examples, interface_state, journal, responses
from store.journal import Entry, Strength
from store.pairs import Verdict
from studio.labelling.shown import Shown
from studio.labelling.words import VERDICT_WORDS
from studio.text import clean_line

PLACE = "compare.place"
"""How the panes stand, in the interface's state."""

BEGUN = "compare.begun"
"""Comments and reasons that wait for their verdict."""


class PairScreen(StudioScreen):
    """Panes over a line that says how far one is; comments and reasons are written in its place."""

    AUTO_FOCUS = "#left"

    panes = query_one("#pair", PairPanes)
    prompt = query_one("#prompt", TextView)
    left = query_one("#left", ReplyView)
    right = query_one("#right", ReplyView)
    nothing = query_one("#nothing", Static)
    asked = query_one("#asked", Static)
    counter = query_one("#progress", Static)
    reasons = query_one("#reasons", ReasonsLine)
    remark = query_one("#comment", Input)

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None
        self._begun = RemarksByPair()
        self._revealed = ""
        """Whose the pair judged last were, while that is told."""

    @property
    def progress_words(self) -> str:
        """What the line says where nothing else is to be said."""
        return ""

    @property
    def offered_reasons(self) -> tuple[str, ...]:
        """The reasons that there are to choose from."""
        return ()

    @property
    def unsaved(self) -> str:
        """A comment or reasons that were begun on this pair; those of others wait for the next session."""
        if not self.is_mounted:
            return ""
        self._take_comment()
        begun = None if self._shown is None else self._begun.of(self._shown.pair.id)
        if begun and begun.comment.strip():
            return "The comment is not saved."
        return "The reasons are not saved; a verdict saves them." if begun else ""

    def compose_body(self) -> ComposeResult:
        """Lay the panes over the lines for what is asked, how far it is, and what is written."""
        yield PairPanes(id="pair")
        yield Static("", id="nothing", markup=False)
        yield Static("", id="asked", markup=False)
        yield Static("", id="progress", markup=False)
        yield ReasonsLine(id="reasons")
        yield LineInput(
            id="comment", placeholder="Comment on this pair: enter saves, esc puts it aside", select_on_focus=False
        )

    def on_mount(self) -> None:
        """Put the lines away that are opened by a key, and take over what the session before left."""
        self.remark.cursor_blink = False
        self.remark.display = self.reasons.display = self.asked.display = False
        store = self.studio.store
        self.panes.take_over(interface_state.recall(store, PLACE, {}))
        self._begun.take_over(interface_state.recall(store, BEGUN, {}))

    def remember(self) -> None:
        """Keep how the panes stand, and what was begun."""
        if not self.is_mounted:
            return
        self._take_comment()
        self._note(PLACE, self.panes.place)
        self._note(BEGUN, self._begun.place())

    def action_switch_pane(self) -> None:
        """Go to the other reply, or from a line or the prompt back to the replies."""
        if self.remark.display or self.reasons.display:
            self._close_lines()
        elif self._shown is not None:
            self.panes.go_on()

    def action_layout(self) -> None:
        """Lay the replies out in the next way."""
        self.panes.next_layout()
        self.set_status(f"replies: {LAYOUT_WORDS[self.panes.choice]}", LAYOUT_WORDS[self.panes.choice])

    def action_prompt(self) -> None:
        """Give the prompt less room, or more."""
        self.panes.next_fold()
        self.set_status(f"prompt {FOLD_WORDS[self.panes.fold]}")

    def action_differences(self) -> None:
        """Mark what only one of the replies says, or show them as they are."""
        self.panes.toggle_view("marked")

    def action_rendered(self) -> None:
        """Show Markdown and code rendered, or as they were written."""
        self.panes.toggle_view("rendered")

    def action_together(self) -> None:
        """Scroll the replies together, or alone."""
        self.panes.toggle_together()
        self.set_status("replies scroll together" if self.panes.together else "replies scroll alone")

    def action_whose(self) -> None:
        """Tell whose the pair judged last were; never that of the pair on the screen."""
        store = self.studio.store
        last = journal.latest_verdicts(store, rater=self.studio.project.rater, limit=1)
        if self._revealed or not last:
            self._revealed = "" if last else "No pair was judged yet."
        elif self._shown is not None and last[0].pair_id == self._shown.pair.id:
            self._revealed = "Judge this pair first; then w tells whose they were."
        elif last[0].left_id is not None and last[0].right_id is not None:
            left, right = responses.get(store, last[0].left_id), responses.get(store, last[0].right_id)
            # Where replies are ranked one of them comes back at once; files have one reply in several rows.
            if self._shown is not None and self._shown.says(left, right):
                self._revealed = "One of the replies judged last is here again; w tells once it is not."
            else:
                self._revealed = f"Judged last: left {whose(left)}, right {whose(right)} ({entry_words(last[0])})"
        self._show_line()

    def action_flag(self) -> None:
        """Mark the pair's example for a second look, or take the mark off."""
        if self._shown is None:
            return
        flagged = not self._shown.flagged
        examples.set_flagged(self.studio.store, self._shown.pair.example_id, flagged)
        self._shown = self._shown.with_flag(flagged)
        self.panes.note(self._shown)
        self.set_status("flagged" if flagged else "flag taken off")

    def action_comment(self) -> None:
        """Open the line for a comment, with what was begun of one."""
        if self._shown is not None:
            self._close_lines()
            self.remark.value = self._begun.of(self._shown.pair.id).comment
            self.remark.cursor_position = len(self.remark.value)
            self._open_line(self.remark)

    @on(Input.Submitted, "#comment")
    async def _take_enter(self) -> None:
        # As an action, so that a disk that is full is said and neither the comment nor the app is lost.
        await self.studio.run_action("save_comment", self)

    def action_save_comment(self) -> None:
        """Write the comment down; an empty one is none."""
        if self._shown is not None:
            self._take_comment()
            self._save_comment(self._shown)
        self._close_lines()

    def action_reasons(self) -> None:
        """Open the line with the reasons."""
        if self._shown is None:
            return
        if not self.offered_reasons:
            self.set_status("this queue has no reasons; o, then e, gives it some", "no reasons to choose from")
            return
        self._close_lines()
        self.reasons.show(self.offered_reasons, self._begun.of(self._shown.pair.id).reasons)
        self._open_line(self.reasons)

    @on(ReasonsLine.Changed)
    def _take_reasons(self, event: ReasonsLine.Changed) -> None:
        if self._shown is not None:
            self._begun.of(self._shown.pair.id).reasons = event.reasons

    @on(ReasonsLine.Closed)
    def _close_lines(self) -> None:
        """Put the lines for a comment and reasons away; what stands in them waits for the verdict."""
        self._take_comment()
        if not (self.remark.display or self.reasons.display):
            return
        had_focus = self.focused in (self.remark, self.reasons)
        self.remark.display = self.reasons.display = False
        self.counter.display = True
        self._show_line()
        self._note(BEGUN, self._begun.place())
        if had_focus:
            self.panes.focus_reply()

    def action_back(self) -> None:
        """Close the line that is open."""
        self._close_lines()

    def _open_line(self, line: Input | ReasonsLine) -> None:
        self.counter.display = False
        line.display = True
        line.focus()

    def _take_comment(self) -> None:
        if self.remark.display and self._shown is not None:
            self._begun.of(self._shown.pair.id).comment = self.remark.value

    def _save_comment(self, shown: Shown, more: str = "") -> None:
        begun = self._begun.of(shown.pair.id)
        text = "; ".join(part for part in (begun.comment.strip(), more) if part)
        if text:
            journal.comment(self.studio.store, shown.pair.id, text, rater=self.studio.project.rater)
            begun.comment = self.remark.value = ""
            self._note(BEGUN, self._begun.place())
            self.set_status("comment saved")

    def _note(self, name: str, value: dict[str, Any]) -> None:
        if value != interface_state.recall(self.studio.store, name, {}):
            self.studio.note_place(name, value)

    def _leave_pair(self) -> None:
        """Put aside what was begun on the pair, which stays with it."""
        self._close_lines()
        if self._shown is not None:
            self._save_comment(self._shown)
        self._revealed = ""

    def _show_line(self) -> None:
        """Say how far it is, or what waits for the verdict."""
        begun = "" if self._shown is None else str(self._begun.of(self._shown.pair.id))
        self.counter.update(clean_line(self._revealed or begun or self.progress_words), layout=False)


def entry_words(entry: Entry) -> str:
    """Return what was said, in a few words."""
    assert entry.verdict is not None
    words = verdict_words(entry.verdict, entry.strength)
    return f"{entry.criterion}: {words}" if entry.criterion else words


def verdict_words(verdict: Verdict, strength: Strength) -> str:
    """Return a verdict with its strength."""
    words = VERDICT_WORDS[verdict]
    return words.replace(" ", f" {strength} ", 1) if strength and verdict in ("left", "right") else words
