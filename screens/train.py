"""Train: the runs, how they go, and what can be done with them."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.getters import query_one

from screens import keys
from screens.background import in_background
from screens.base import StudioScreen
from screens.dialogs import Confirm
from screens.widgets.plot import Plot
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store.database import Store
from store.runs import ACTIVE, Run
from studio.errors import StudioError
from studio.project import Project
from studio.training.overview import Overview, RunDetail, RunLine, overview

if TYPE_CHECKING:
    from screens.new_run import NewRun

POLL_SECONDS = 1.0
PLOTS = 4
LIST_HEIGHT = 8
"""Lines that the list takes at most; it scrolls beyond."""

NO_RUNS = "No runs yet. n starts one, on the judged pairs or on the examples."


class TrainScreen(StudioScreen):
    """The list of runs over the one under the cursor."""

    AREA = "train"
    AUTO_FOCUS = "#runs"
    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.TRAIN

    table = query_one("#runs", RecordTable)
    facts = query_one("#facts", TextView)

    def __init__(self) -> None:
        super().__init__()
        self._overview = Overview([], None)
        self._selected: str | None = None
        self._looking = False

    def compose_body(self) -> ComposeResult:
        """Lay the list over the run's facts and curves."""
        columns = [Column("Run", 9), Column("State", 9), Column("Progress"), Column("Tokens proven", 18)]
        yield RecordTable(columns, self._rows, empty=NO_RUNS, id="runs")
        with Container(id="run"):
            yield TextView(id="facts")
            with Vertical(id="plots"):
                for number in range(PLOTS):
                    yield Plot(id=f"plot-{number}")

    def on_mount(self) -> None:
        """Look at the runs now and each second."""
        self.set_interval(POLL_SECONDS, self._look)

    def on_screen_resume(self) -> None:
        """Look at once."""
        self._look()

    def on_record_table_highlighted(self, event: RecordTable.Highlighted) -> None:
        """Show the run under the cursor."""
        run = self._run_at(event.row_id)
        if run is not None and run.id != self._selected:
            self._selected = run.id
            self._look()

    def on_record_table_opened(self) -> None:
        """Show the log."""
        self.action_logs()

    def action_new_run(self) -> None:
        """Ask what to train, then start it."""
        from screens.new_run import NewRun, NewRunForm

        def start(wanted: NewRun | None) -> None:
            if wanted is not None:
                self.set_status(f"starting {wanted.method} ...")
                in_background(self, partial(_start, self.studio.project, wanted, self._say), self._started)

        self.app.push_screen(NewRunForm(self._run_at(self.table.cursor_id)), start)

    def action_stop(self) -> None:
        """Stop the run, after a question."""
        run = self._run_at(self.table.cursor_id)
        if run is None or run.status not in ACTIVE:
            self.set_status("this run is not going on")
            return

        def stop(yes: bool | None) -> None:
            if yes:
                in_background(self, partial(_stop, self.studio.project, run.id), self._done)

        question = f"Stop {run.id} at the end of its step? A checkpoint is kept; r goes on from it."
        self.app.push_screen(Confirm(question, yes="Stop it"), stop)

    def action_resume(self) -> None:
        """Go on with a stopped or failed run."""
        run = self._run_at(self.table.cursor_id)
        if run is not None:
            in_background(self, partial(_resume, self.studio.project, run.id), self._done)

    def action_logs(self) -> None:
        """Show what the trainer printed."""
        from screens.run_log import RunLog

        run = self._run_at(self.table.cursor_id)
        if run is not None:
            self.app.push_screen(RunLog(run.id))

    def action_parity(self) -> None:
        """Prove now that llama.cpp reads the run's texts as training did."""
        run = self._run_at(self.table.cursor_id)
        if run is not None:
            self.set_status(f"comparing the tokens of {run.id} ...")
            in_background(self, partial(_check, self.studio.project, run.id), self._done)

    async def action_chat(self) -> None:
        """Talk to the run beside its base model."""
        run = self._run_at(self.table.cursor_id)
        if run is not None:
            from screens.chat import ChatScreen

            screen = await self.studio.show_area("chat")
            assert isinstance(screen, ChatScreen)
            screen.choose(run.id)

    def _rows(self, positions: list[int]) -> dict[int, Row]:
        lines = self._overview.lines
        return {i: _row(lines[i]) for i in positions if i < len(lines)}

    def _run_at(self, position: int | None) -> Run | None:
        lines = self._overview.lines
        return lines[position].run if position is not None and position < len(lines) else None

    def _look(self) -> None:
        if self._looking or not self.is_current:
            return
        self._looking = True
        work = partial(_overview, self.studio.project, self._selected, self._overview.lines)
        in_background(self, work, self._looked, failed=self._look_failed, group="look")

    def _looked(self, found: Overview) -> None:
        self._looking = False
        for run in found.died:
            self.notify_error(StudioError(f"{run.id} failed: {run.error}", "r resumes it, enter shows its log."))
        before, self._overview = self._overview, found
        if found.lines != before.lines:
            self._say_ended(before)
            self._show_lines(before)
        if found.detail is not None and found.detail != before.detail:
            self._selected = self._selected or found.detail.run_id
            same = before.detail is not None and before.detail.run_id == found.detail.run_id
            self._show_detail(found.detail, keep_place=same)
        if found.detail is not None and self._selected != found.detail.run_id:
            # The cursor went on while the thread looked.
            self._look()

    def _look_failed(self, error: StudioError) -> None:
        self._looking = False
        self.set_status(error.message)

    def _say_ended(self, before: Overview) -> None:
        active = {line.run.id for line in before.lines if line.run.status in ACTIVE}
        for line in self._overview.lines:
            if line.run.id in active and line.run.status not in ACTIVE:
                self.set_status(f"{line.run.id} is {line.run.status}")

    def _show_lines(self, before: Overview) -> None:
        ids = [line.run.id for line in self._overview.lines]
        if ids == [line.run.id for line in before.lines]:
            self.table.refresh_rows()
            return
        at = ids.index(self._selected) if self._selected in ids else 0
        self.table.styles.height = max(3, min(len(ids) + 1, LIST_HEIGHT))
        self.table.show(range(len(ids)), cursor_id=at)

    def _show_detail(self, detail: RunDetail, *, keep_place: bool) -> None:
        self.facts.show(_facts(detail), keep_place=keep_place)
        for number in range(PLOTS):
            title, points = detail.curves[number] if number < len(detail.curves) else ("", [])
            self.query_one(f"#plot-{number}", Plot).show(title, points)

    def _say(self, text: str) -> None:
        self.call_later(self.set_status, text)

    def _started(self, run_id: str) -> None:
        self._selected = run_id
        self._done(f"{run_id} started")

    def _done(self, text: str) -> None:
        self.set_status(text)
        self._look()


def _row(line: RunLine) -> Row:
    share = "" if line.share is None or line.run.status not in ACTIVE else f"{line.share:.0%} "
    return Row((line.run.id, line.run.status, f"{share}{line.progress}", line.badge), dim=line.run.status == "failed")


def _facts(detail: RunDetail) -> list[Span]:
    return [
        Span("\n".join(detail.facts)),
        Span("\n\nThe log's end\n", "bold"),
        Span("\n".join(detail.log) or "nothing printed yet"),
        Span("\n\nThe recipe\n", "bold"),
        Span("\n".join(detail.recipe)),
    ]


def _overview(project: Project, selected: str | None, known: list[RunLine], store: Store) -> Overview:
    return overview(project, store, selected, log_lines=8, known=known)


def _start(project: Project, wanted: "NewRun", say: Callable[[str], None], store: Store) -> str:
    from studio.training.launch import start_run

    return start_run(
        project,
        store,
        wanted.method,
        model=wanted.model,
        overrides=wanted.overrides,
        parent=wanted.parent,
        on_progress=say,
    )


def _stop(project: Project, run_id: str, store: Store) -> str:
    from studio.training.launch import stop_run

    stop_run(project, store, run_id)
    return f"{run_id} is stopping"


def _resume(project: Project, run_id: str, store: Store) -> str:
    from studio.training.launch import resume_run

    resume_run(project, store, run_id)
    return f"{run_id} goes on"


def _check(project: Project, run_id: str, store: Store) -> str:
    from studio.inference.parity import check_run

    return f"{run_id}: {check_run(project, store, run_id).sentence}"
