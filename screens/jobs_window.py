"""The jobs of models: how far they are, what came of them; stopped and gone on with."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import message_of
from screens.list_over_text import ListOverText
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from store.database import Store
from store.jobs import Job, Standing
from studio.errors import StudioError
from studio.jobs import launch, outcome, watch
from studio.project import Project
from studio.text import clean_line

POLL_SECONDS = 1.0
LOG_LINES = 20
KEYS_LINE = "s: stop    r: go on    tab: text    esc: close, a job goes on"
EMPTY = "No job yet. n in Compare asks models for replies."


class Detail(NamedTuple):
    """All that is shown of one job."""

    job: Job
    log: list[str]


class JobsWindow(ListOverText[None]):
    """All jobs, newest first, over what came of the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = keys.JOBS

    said = query_one("#said", Static)

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[int, Standing] = {}
        self._details: dict[int, Detail] = {}
        self._shown: Detail | None = None

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
        self.set_interval(POLL_SECONDS, self._look_again)

    def on_record_table_highlighted(self) -> None:
        """Show what came of the job under the cursor."""
        self._show_detail()
        if self.table.cursor_id not in self._details:
            self._look()

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
    def _job(self) -> Standing | None:
        return self._jobs.get(self.table.cursor_id) if self.table.cursor_id is not None else None

    def _look(self) -> None:
        job_id = self.table.cursor_id
        known = None if job_id is None else self._details.get(job_id)
        work = partial(_read, self.studio.project, job_id, known)
        self._looking = in_background(self, work, self._looked, failed=self._failed, group="jobs", exclusive=True)

    def _look_again(self) -> None:
        # A look that takes longer than the time between two is not broken off by the next one.
        if self._looking.is_finished:
            self._look()

    def _looked(self, found: tuple[list[Standing], Detail | None]) -> None:
        jobs, detail = found
        before, self._jobs = self._jobs, {job.id: job for job in jobs}
        if detail is not None:
            self._details[detail.job.id] = detail
        if before.keys() != self._jobs.keys():
            self.table.show(list(self._jobs), cursor_id=self.table.cursor_id)
        elif before != self._jobs:
            self.table.refresh_rows()
        if any(job.state != "running" and before[job.id].state == "running" for job in jobs if job.id in before):
            self.said.update(KEYS_LINE)
        self._show_detail()

    def _show_detail(self) -> None:
        job = self._job
        detail = self._details.get(job.id) if job else None
        if detail is None or self._shown == detail:
            return
        same = self._shown is not None and self._shown.job.id == detail.job.id
        self._shown = detail
        self.text.show("\n".join(lines_of(detail.job) + detail.log), keep_place=same)

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
    return [begun, *outcome.asked(job), watch.describe(job.standing), *outcome.lines(job)]


def _read(
    project: Project, job_id: int | None, known: Detail | None, store: Store
) -> tuple[list[Standing], Detail | None]:
    """Read how all jobs stand, and the one under the cursor in full where it has come further than what is known."""
    found = watch.standings(store)
    if job_id is None:
        return found, None
    job = known.job if known and known.job.standing in found else watch.job_named(store, job_id)
    return found, Detail(job, watch.log_tail(project, job_id, LOG_LINES))
