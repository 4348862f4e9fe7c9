"""The jobs of models: how far they are, what came of them; stopped and gone on with."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from store.database import Store
from store.jobs import Job
from studio.errors import StudioError
from studio.jobs import launch, outcome, watch
from studio.project import Project
from studio.text import clean_line

POLL_SECONDS = 1.0
LOG_LINES = 20
KEYS_LINE = "s: stop    r: go on    tab: text    esc: close, a job goes on"
EMPTY = "No job yet. n in Compare asks models for replies."


class JobsWindow(StudioModal[None]):
    """All jobs, newest first, over what came of the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = keys.JOBS

    table = query_one(RecordTable)
    detail = query_one(TextView)
    said = query_one("#said", Static)

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[int, Job] = {}
        self._logs: dict[int, list[str]] = {}
        self._shown: tuple[Job, list[str]] | None = None

    def compose(self) -> ComposeResult:
        """Lay the list over what came of a job."""
        with Vertical(classes="window tall"):
            yield Static("Jobs of models", classes="pane-title", markup=False)
            columns = [Column("Job", 5), Column("Makes", 12), Column("State", 9), Column("How far")]
            yield RecordTable(columns, self._rows, empty=EMPTY)
            yield TextView()
            yield Static(KEYS_LINE, id="said", markup=False)

    def on_mount(self) -> None:
        """Show them, and look again each second."""
        self._look()
        self.table.focus()
        self.set_interval(POLL_SECONDS, self._look)

    def on_record_table_highlighted(self) -> None:
        """Show what came of the job under the cursor."""
        self._show_detail()

    def action_switch_pane(self) -> None:
        """Go to the other pane."""
        (self.detail if self.table.has_focus else self.table).focus()

    def action_stop(self) -> None:
        """Stop the job under the cursor; what it made is kept."""
        job = self._job
        if job is None or job.state != "running":
            self.said.update("This job is not going on.")
            return
        self.said.update("stopping; the reply that is being made is given up ...")
        self._work(partial(launch.stop, job_id=job.id))

    def action_resume(self) -> None:
        """Let the job under the cursor go on."""
        job = self._job
        if job is None or job.state in ("running", "done"):
            self.said.update("There is nothing to go on with.")
            return
        self.said.update("starting ...")
        project = self.studio.project
        self._work(lambda store: launch.resume(project, store, job.id))

    @property
    def _job(self) -> Job | None:
        return self._jobs.get(self.table.cursor_id) if self.table.cursor_id is not None else None

    def _look(self) -> None:
        project, before = self.studio.project, self._job
        work = partial(_read, project, before.id if before else None)
        in_background(self, work, self._looked, failed=self._failed, group="jobs", exclusive=True)

    def _looked(self, found: tuple[list[Job], int | None, list[str]]) -> None:
        jobs, shown, log = found
        before, self._jobs = self._jobs, {job.id: job for job in jobs}
        if shown is not None:
            self._logs[shown] = log
        if before.keys() != self._jobs.keys():
            self.table.show(list(self._jobs), cursor_id=self.table.cursor_id)
        elif before != self._jobs:
            self.table.refresh_rows()
        if any(job.state != "running" and before[job.id].state == "running" for job in jobs if job.id in before):
            self.said.update(KEYS_LINE)
        self._show_detail()

    def _show_detail(self) -> None:
        job = self._job
        log = self._logs.get(job.id, []) if job else []
        if job is None or self._shown == (job, log):
            return
        same = self._shown is not None and self._shown[0].id == job.id
        self._shown = (job, log)
        self.detail.show("\n".join(lines_of(job) + log), keep_place=same)

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        found = [self._jobs[one] for one in ids if one in self._jobs]
        return {
            job.id: Row((str(job.id), watch.KINDS[job.kind], job.state, clean_line(watch.describe(job))))
            for job in found
        }

    def _work(self, work: Callable[[Store], None]) -> None:
        in_background(self, work, lambda _: self._look(), failed=self._failed, group="act")

    def _failed(self, error: StudioError) -> None:
        self.said.update(message_of(error))


def lines_of(job: Job) -> list[str]:
    """Say what a job was asked for and what came of it."""
    begun = f"job {job.id}, begun {job.created_at[:16].replace('T', ' ')} UTC, {job.state}"
    return [begun, *outcome.asked(job), watch.describe(job), *outcome.lines(job)]


def _read(project: Project, shown: int | None, store: Store) -> tuple[list[Job], int | None, list[str]]:
    return watch.jobs(store), shown, watch.log_tail(project, shown, LOG_LINES) if shown is not None else []
