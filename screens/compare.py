"""Compare: two replies to one prompt, blind; one key judges, saves, and shows the next pair."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.base import StudioScreen
from screens.compare_answers import Answers
from screens.compare_asked import AskedPair
from screens.compare_begun import BegunRemarks
from screens.compare_lines import RemarkLines
from screens.compare_panes import FOLD_WORDS, LAYOUT_WORDS, PairPanes
from screens.compare_remarks import ReasonsLine, Remarks
from screens.compare_walk import Walk
from screens.compare_whose import whose_words
from store import examples, interface_state
from store.examples import Message
from store.journal import Entry, Strength
from store.pairs import Verdict
from store.responses import Response
from studio.labelling.shown import Shown
from studio.labelling.tasks import Task
from studio.text import clean

PLACE = "compare.place"
"""How the panes stand, in the interface's state."""


class CompareScreen(StudioScreen):
    """The labelling loop: the panes, or what is said in their place, over what is asked and the lines."""

    AREA = "compare"
    AUTO_FOCUS = "#left"
    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.COMPARE

    panes = query_one(PairPanes)
    nothing = query_one("#nothing", Static)
    question = query_one("#question", Static)
    lines = query_one(RemarkLines)

    def __init__(self) -> None:
        super().__init__()
        self._begun = BegunRemarks(self)
        self._walk = Walk(self, self._begun, self._show)
        self._answers = Answers(self, self._walk, self._begun)
        self._seen: AskedPair | None = None
        """The pair that the panes show."""
        self._revealed = ""
        """Whose the pair judged last were, while that is told."""

    @property
    def shown(self) -> Shown | None:
        """The pair in sight."""
        return self._walk.asked.shown if self._walk.asked else None

    @property
    def instructions(self) -> str:
        """What the task asks for."""
        task = self._walk.task
        said = [task.instructions] if task.instructions else []
        if task.strength:
            said.append("How much better is asked too: h and l say slightly, H and L clearly.")
        return "\n".join([task.name, *said]) if said else ""

    @property
    def unsaved(self) -> str:
        """A comment or reasons that were begun on this pair; those of others wait for the next session."""
        if not self.is_mounted:
            return ""
        self.lines.take()
        if self._waiting.comment.strip():
            return "The comment is not saved."
        return "The reasons are not saved; a verdict saves them." if self._waiting else ""

    def compose_body(self) -> ComposeResult:
        """Lay the parts one over the other."""
        yield PairPanes(id="pair")
        yield Static("", id="nothing", markup=False)
        yield Static("", id="question", markup=False)
        yield RemarkLines()

    def on_mount(self) -> None:
        """Take over what the session before left."""
        self.question.display = False
        self.panes.take_over(interface_state.recall(self.studio.store, PLACE, {}))
        self._begun.take_over()

    def remember(self) -> None:
        """Keep how the panes stand, and what was begun."""
        if self.is_mounted:
            self.lines.take()
            self.studio.note_place(PLACE, self.panes.place)
            self._begun.keep()

    def on_screen_resume(self) -> None:
        """Go on where the journal says."""
        self.lines.take()
        self._walk.resume()

    def on_imports_ended(self) -> None:
        """Count what came in; where no pair was left there may be one now."""
        self.on_screen_resume()

    def was_painted(self) -> None:
        """Note when a pair was painted: from then on it can be read, and keys count."""
        asked = self._walk.asked
        if asked and asked.was_painted():
            self.call_later(self._walk.read_ahead, asked)

    def action_begin(self) -> None:
        """Go from the page of the first use to the first pair."""
        self._walk.begin()

    def action_judge(self, verdict: Verdict, strength: Strength = "") -> None:
        """Write a verdict, or the answer to a criterion, on the pair that is on the screen, then show what is next."""
        if self._walk.held:
            self._walk.begin()
            return
        self._close_lines()
        self._answers.judge(verdict, strength)

    def action_undo(self) -> None:
        """Take the latest answer back and ask for it again."""
        self._close_lines()
        self._answers.undo()

    def action_redo(self) -> None:
        """Give back the answer that was undone last."""
        self._close_lines()
        self._answers.redo()

    def action_edit(self) -> None:
        """Edit the reply that has the focus into a better one than both."""
        asked, side = self._walk.asked, self.panes.focused
        if asked is None:
            return
        if side is None:
            self.set_status("tab to the better reply, then e edits it")
            return
        self._edit(asked, asked.shown.left if side == "left" else asked.shown.right)

    def action_back(self) -> None:
        """Close the line that is open, or leave a pair that was judged before as it is."""
        if self.lines.is_open:
            self._close_lines()
        else:
            self._answers.leave_as_it_was()

    def action_switch_pane(self) -> None:
        """Go to the other reply, or from a line or the prompt back to the replies."""
        if self.lines.is_open:
            self._close_lines()
        elif self.shown:
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
        words = whose_words(self.studio.store, self.studio.project.rater, self.shown)
        self._revealed = "" if self._revealed else words
        self._show_line()

    def action_flag(self) -> None:
        """Mark the pair's example for a second look, or take the mark off."""
        if asked := self._walk.asked:
            flagged = not asked.shown.flagged
            examples.set_flagged(self.studio.store, asked.shown.pair.example_id, flagged)
            self._walk.show_flag(asked, flagged)
            self.set_status("flagged" if flagged else "flag taken off")

    def action_comment(self) -> None:
        """Open the line for a comment, with what was begun of one."""
        if self.shown:
            self._close_lines()
            self.lines.open_comment(self._waiting)

    @on(Input.Submitted, "#comment")
    async def _take_enter(self) -> None:
        # As an action, so that a disk that is full is said and neither the comment nor the app is lost.
        await self.studio.run_action("save_comment", self)

    def action_save_comment(self) -> None:
        """Write the comment down; an empty one is none."""
        self.lines.take()
        self._walk.leave_pair()
        self.lines.comment.value = ""
        self._close_lines()

    def action_reasons(self) -> None:
        """Open the line with the reasons."""
        offered = self._walk.task.reasons
        if self.shown is None:
            return
        if not offered:
            self.set_status("this queue has no reasons; o, then e, gives it some", "no reasons to choose from")
            return
        self._close_lines()
        self.lines.open_reasons(self._waiting, offered)

    def action_tasks(self) -> None:
        """Choose the queue, make one, or change one."""
        from screens.task_window import TaskWindow

        self.studio.push_screen(TaskWindow(self._walk.task), self._walk.take_task)

    def action_history(self) -> None:
        """List every verdict; one of them can be judged anew."""
        from screens.verdict_history import VerdictHistory

        self.studio.push_screen(VerdictHistory(self.shown), self.judge_anew)

    def action_report(self) -> None:
        """Show what the verdicts say, and how far they can be relied on."""
        from screens.labelling_report import LabellingReportWindow

        self.studio.push_screen(LabellingReportWindow())

    def action_new_replies(self) -> None:
        """Ask models for replies to compare, or see how far they are."""
        from screens.generate_window import open_candidates

        open_candidates(self.studio)

    def action_ai_judge(self) -> None:
        """Show how far a model agrees with the verdicts given so far."""
        from screens.judge_window import JudgeWindow

        task = self._walk.task
        self.studio.push_screen(JudgeWindow(task.name if self._is_named(task) else ""))

    @property
    def _waiting(self) -> Remarks:
        return self._begun.of(self.shown.pair.id) if self.shown else Remarks()

    def judge_anew(self, entry: Entry | None) -> None:
        """Show the pair of a verdict again, if one was chosen."""
        if entry is not None:
            self._close_lines()
            self._answers.judge_anew(entry)

    def _edit(self, asked: AskedPair, original: Response, draft: list[Message] | None = None) -> None:
        from screens.editor import ConversationEditor

        editor = ConversationEditor(original.messages, draft=draft, title="Make it better than both; f2 saves")
        self.app.push_screen(editor, partial(self._keep_edit, asked, original))

    def _keep_edit(self, asked: AskedPair, original: Response, messages: list[Message] | None) -> None:
        if messages is not None:
            again = partial(self._edit, asked, original, messages)
            self.save(partial(self._answers.keep_better, asked, original, messages), again)
            self._answers.go_on_from_better(asked, original)

    def _show(self) -> None:
        """Show what is asked now, or why nothing is; verdicts count only once it was painted."""
        asked, task = self._walk.asked, self._walk.task
        with self.app.batch_update():
            self.panes.display = asked is not None
            self.nothing.display = asked is None
            self.question.display = asked is not None and bool(task.criteria)
            if asked is not self._seen:
                self._revealed = ""
                self.lines.close()
            if asked is None:
                self.nothing.update(clean(self._walk.page))
            else:
                self._show_asked(asked, task)
            self._seen = asked
            self._show_line()

    def _show_asked(self, asked: AskedPair, task: Task) -> None:
        question = asked.question(task.criteria)
        if question != self.question.content:
            self.question.update(question, layout=False)
        if asked is self._seen:
            self.panes.note(asked.shown)
        else:
            self.panes.queue_name = task.name if self._is_named(task) else ""
            self.panes.show(asked.shown)

    def _show_line(self) -> None:
        """Say whose the last ones were, what waits for the verdict, or how far the task is."""
        self.lines.say(self._revealed or str(self._waiting) or self._walk.how_far(self.size.width - 2))

    def _is_named(self, task: Task) -> bool:
        return task in self.studio.project.settings.tasks

    @on(ReasonsLine.Closed)
    def _close_lines(self) -> None:
        """Put the lines for a comment and reasons away; what stands in them waits for the verdict."""
        if not self.lines.is_open:
            return
        had_focus = self.lines.has_focus_within
        self.lines.take()
        self.lines.close()
        self._show_line()
        self._begun.keep()
        if had_focus:
            self.panes.focus_reply()
