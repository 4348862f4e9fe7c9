"""Train: the runs, how they go, and what can be done with them."""

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.events import Resize
from textual.getters import query_one

from screens import keys
from screens.background import in_background
from screens.base import StudioScreen
from screens.curve_keys import CurveKeys
from screens.curves_in_sight import MOST_RUNS, Sight, charts_of, lettered
from screens.run_actions import RunActions
from screens.run_list import RunList
from screens.train_look import Looked, Wanted, look
from screens.train_text import columns, facts, going_on
from screens.widgets.curves import Curves
from screens.widgets.table import RecordTable
from screens.widgets.text_view import TextView
from store import interface_state
from store.runs import ACTIVE, Run
from studio.errors import StudioError
from studio.training.history.overview import Overview, RunDetail

POLL_SECONDS = 1.0
VIEWS = ("", "-facts", "-curves")
"""Facts beside curves, or one of them; a narrow screen has no room for both."""

NO_RUNS = "No runs yet. n starts one, on the judged pairs or on the examples."
NO_CURVES = "Nothing measured yet."


class TrainScreen(CurveKeys, StudioScreen):
    """The list of runs over the one under the cursor."""

    AREA = "train"
    AUTO_FOCUS = "#runs"
    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.TRAIN
    MARKS = "A, B, C ... the letter of the run's curve"

    table = query_one("#runs", RecordTable)
    facts = query_one("#facts", TextView)
    curves = query_one("#curves", Curves)
    now = query_one("#now", TextView)

    def __init__(self) -> None:
        super().__init__()
        self._actions = RunActions(self, self._done, self._started)
        self._looked = Looked()
        self._list = RunList(self)
        self._looking = False
        self._asked: Wanted | None = None
        """What the last look was for."""

    def compose_body(self) -> ComposeResult:
        """Lay the list over what goes on, the run's facts and its curves."""
        yield RecordTable(columns(0, named=False), self._list.rows, empty=NO_RUNS, id="runs")
        yield TextView(id="now")
        with Container(id="run"):
            yield TextView(id="facts")
            yield Curves(id="curves")

    def on_mount(self) -> None:
        """Look at the runs now and each second."""
        self.now.can_focus = False
        store = self.studio.store
        names = tuple(interface_state.recall(store, "train.curves") or ())
        self.sight = Sight(interface_state.recall(store, "train.smoothing") or 0.0, names=names)
        self.set_interval(POLL_SECONDS, self.look)

    @on(Resize)
    def _fit(self) -> None:
        self._list.lay_out()

    def on_screen_resume(self) -> None:
        """Look at once."""
        self.look()

    def on_record_table_highlighted(self) -> None:
        """Show the run under the cursor."""
        run = self.run_here
        if run is not None and run.id != self._list.selected:
            self._list.selected = run.id
            if self.table.selected:
                self.table.refresh_rows()
            self.look()

    def on_record_table_selection_changed(self) -> None:
        """Draw the curves of the selected runs over each other."""
        # What was said of those selected before does not hold any more.
        self.set_status("")
        self.table.refresh_rows()
        self.look()

    def on_record_table_opened(self) -> None:
        """Show the log."""
        self.action_logs()

    # What is done with them

    def action_new_run(self) -> None:
        """Ask what to train, then start it."""
        self._actions.new_run(self.run_here)

    def action_stop(self) -> None:
        """Stop the run, or take it out of the queue, after a question."""
        if run := self.run_here:
            self._actions.stop(run)

    def action_resume(self) -> None:
        """Go on with a stopped or failed run."""
        if run := self.run_here:
            self._actions.resume(run)

    def action_put_first(self) -> None:
        """Let a waiting run be the next one to train."""
        if run := self.run_here:
            self._actions.put_first(run)

    def action_parity(self) -> None:
        """Show the evidence that llama.cpp runs what was trained."""
        if run := self.run_here:
            self._actions.show_evidence(run)

    def action_delete(self) -> None:
        """Delete the run with its files, after a question that says how large they are."""
        if run := self.run_here:
            self._actions.delete(run)

    def action_edit(self) -> None:
        """Give the run a name, tags and a note."""
        if run := self.run_here:
            self._actions.edit(run.id)

    def _started(self, run_id: str) -> None:
        # The cursor goes to it as soon as it is in the list, where it may be by now.
        self._list.selected = run_id
        self._list.go_to(run_id)

    def _done(self, text: str) -> None:
        if text:
            self.set_status(text)
        self.look()

    # What is shown of them

    def action_logs(self) -> None:
        """Show what the trainer printed."""
        from screens.run_log import RunLog

        # Of two enters in one piece the second finds the log open.
        if self.run_here is not None and self.is_active:
            self.app.push_screen(RunLog(self.run_here.id))

    def action_answers(self) -> None:
        """Show what the run answered to held-out prompts while it learnt."""
        from screens.run_answers import RunAnswers

        if self.run_here is not None:
            self.app.push_screen(RunAnswers(self.run_here.id))

    def action_compare(self) -> None:
        """Show the selected runs side by side, one beside that under the cursor, or that beside its parent."""
        from screens.run_compare import MOST_COMPARED, RunCompare

        run = self.run_here
        # The first `space` of two has moved the cursor on to a run that nobody chose.
        ids = marked if len(marked := self._list.marked) > 1 else list(self._list.overlaid())
        if len(ids) < 2 and run is not None:
            ids = [run.parent_id, run.id] if run.parent_id else []
        if len(ids) < 2:
            self.set_status("select two runs (space)")
        elif len(ids) > MOST_COMPARED:
            self.set_status(f"{MOST_COMPARED} runs at most can be compared")
        else:
            self.app.push_screen(RunCompare(ids, self.sight))

    def action_tree(self) -> None:
        """Show which run went on from which; the chosen one is gone to."""
        from screens.choose import ChooseLine
        from studio.training.history.lineage import tree

        found = tree(self.studio.store)
        ids = [branch.run.id for branch in found]
        if not ids:
            return

        def go(position: int | None) -> None:
            if position is not None:
                self._list.go_to(ids[position])

        at = ids.index(self._list.selected) if self._list.selected in ids else 0
        self.app.push_screen(ChooseLine("Which run went on from which", list(map(str, found)), at), go)

    async def action_chat(self) -> None:
        """Talk to the run beside its base model; say why not before Train is left."""
        from studio.inference.chat import check_can_chat

        if run := self.run_here:
            check_can_chat(self.studio.project, run)
            await self._chat_with(run.id)

    def action_quantise(self) -> None:
        """Make the run smaller, and see what that costs."""
        from screens.quantise_window import QuantiseWindow

        if self.run_here is not None:
            self.app.push_screen(QuantiseWindow(self.run_here.id), self._chat_with)

    async def _chat_with(self, ref: str | None) -> None:
        if ref is not None:
            from screens.chat import ChatScreen

            screen = await self.studio.show_area("chat")
            assert isinstance(screen, ChatScreen)
            screen.choose(ref)

    # How it is shown

    def action_view(self) -> None:
        """Show facts and curves, or only one of them."""
        at = next((place for place, view in enumerate(VIEWS) if view and self.has_class(view)), 0)
        self.remove_class(*filter(None, VIEWS))
        # Where there is no room for both, facts alone are what is shown at first.
        at = (at or int(self.has_class("-narrow"))) + 1
        if view := VIEWS[at % len(VIEWS)]:
            self.add_class(view)
        if view == "-curves":
            # Keys must not go to facts that nobody sees.
            self.table.focus()

    def action_switch_pane(self) -> None:
        """Go from the list to the facts or back; where only curves are shown there is nothing to go to."""
        (self.table if self.facts.has_focus or self.has_class("-curves") else self.facts).focus()

    def action_back(self) -> None:
        """Go back to the list, then to all steps, then to one run's curves."""
        if self.facts.has_focus:
            self.table.focus()
        elif self.sight.depth:
            self.see(replace(self.sight, depth=0, end=1.0))
        elif self.table.selected:
            self.table.select([])
            self.on_record_table_selection_changed()

    def see(self, sight: Sight) -> None:
        """Draw the curves so, in the next session too."""
        self.sight = sight
        self.studio.note_place("train.smoothing", sight.smoothing)
        self.studio.note_place("train.curves", list(sight.names))
        self._draw()
        self.look()

    def measured(self) -> dict[str, str]:
        """Return what can be drawn."""
        return {curve.name: curve.title for curves in self._looked.curves.values() for curve in curves}

    # Looking

    @property
    def run_here(self) -> Run | None:
        """The run under the cursor."""
        return self._list.here

    def _wanted(self) -> Wanted:
        return Wanted(self._list.selected, self._list.overlaid()[:MOST_RUNS], self.sight)

    def look(self) -> None:
        """Look at the runs, unless that goes on already."""
        if self._looking or not self.is_current:
            return
        self._looking = True
        self._asked = self._wanted()
        work = partial(look, self.studio.project, self._asked, self._looked)
        in_background(self, work, self._take, failed=self._look_failed, group="look")

    def _take(self, found: Looked) -> None:
        self._looking = False
        for run in found.overview.died:
            self.notify_error(StudioError(f"{run.id} failed: {run.error}", "r resumes it, enter shows its log."))
        before, self._looked = self._looked, found
        lines = found.overview.lines
        if lines != before.overview.lines:
            self._say_ended(before.overview)
            self._list.show(lines)
        detail = found.overview.detail
        if detail != before.overview.detail:
            self._show_detail(detail, before.overview.detail)
        self._draw()
        if self._asked != self._wanted():
            # The cursor went on while the thread looked.
            self.look()

    def _look_failed(self, error: StudioError) -> None:
        self._looking = False
        self.set_status(error.message)

    def _say_ended(self, before: Overview) -> None:
        active = {line.run.id for line in before.lines if line.run.status in ACTIVE}
        for line in self._looked.overview.lines:
            if line.run.id in active and line.run.status not in ACTIVE:
                self.set_status(f"{line.run.id} {'has' if line.run.status == 'failed' else 'is'} {line.run.status}")

    def _show_detail(self, detail: RunDetail | None, before: RunDetail | None) -> None:
        same = before is not None and detail is not None and before.run_id == detail.run_id
        self.facts.show(list(facts(detail)) if detail else "", keep_place=same)
        words = going_on(detail)
        self.set_class(bool(words), "-going-on")
        self.now.show(words)

    def _draw(self) -> None:
        curves, sight = self._looked.curves, self.sight
        charts = charts_of(curves, sight.names)
        remark = sight.remark if charts else NO_CURVES if curves else ""
        legend = lettered(list(curves))
        self.curves.show(charts, self._looked.steps, legend=legend, smoothing=sight.smoothing, remark=remark)
