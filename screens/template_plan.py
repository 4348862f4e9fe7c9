"""What applying a template would change: the counts, the edits that it meets, the records that it fails on."""

import time
from functools import partial
from threading import Event
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static
from textual.worker import get_current_worker

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal
from screens.template_preview import both_sides, preview_spans
from screens.widgets.bars import KeyBar
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store import examples
from store.database import Store
from studio.errors import StudioError
from studio.settings import TemplateSettings
from studio.templating import applying
from studio.templating.applying import Applied, Plan, Progress
from studio.templating.previewing import preview
from studio.text import clean, clean_line

SECONDS_BETWEEN_WORDS = 0.5
"""Every word about progress is painted: on a slow line they must not queue up."""


class PlanWindow(StudioModal[Applied]):
    """The plan over a list of what needs a look; applies it, and gives what was done."""

    CSS_PATH = "template.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.TEMPLATE_PLAN, *HELP_KEYS]

    counts = query_one("#counts", Static)
    table = query_one(RecordTable)
    text = query_one(TextView)
    said = query_one("#said", Static)

    def __init__(self, template: TemplateSettings, query: str) -> None:
        super().__init__()
        self._template = template
        self._query = query
        self._plan: Plan | None = None
        self._over: set[int] = set()
        self._stop = Event()
        self._told = 0.0
        self._busy = True

    def compose(self) -> ComposeResult:
        """Lay the counts over the list over the two sides of what is under the cursor."""
        columns = [Column("Choice", 10), Column("Row", 26), Column("Why")]
        with Vertical(classes="window tall"):
            title = clean_line(f"Apply {self._template.name} to {self._query or 'all records'}")
            yield Static(title, classes="pane-title", markup=False)
            yield Static("", id="counts", markup=False)
            yield RecordTable(columns, self._rows)
            yield TextView()
            yield Static("", id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Make the plan in a thread."""
        self.table.display = self.text.display = False
        self.table.focus()
        self.said.update("looking at what would change ... (esc stops)")

        def work(store: Store) -> Plan:
            return applying.plan(
                store, self._template, self._query, on_progress=self._progress, cancelled=self._stopper()
            )

        in_background(self, work, self._planned, failed=self._failed, group="plan")

    def _stopper(self) -> "partial[bool]":
        """Return what tells a thread to stop: the key, or the end of the app."""
        worker = get_current_worker()
        return partial(lambda: self._stop.is_set() or worker.is_cancelled)

    def _progress(self, at: Progress) -> None:
        moment = time.monotonic()
        if moment - self._told >= SECONDS_BETWEEN_WORDS:
            self._told = moment
            self.app.call_later(self.said.update, f"{at} ... (esc stops)")

    def _planned(self, plan: Plan) -> None:
        if plan.stopped:
            self.dismiss(None)
            return
        self._plan, self._busy = plan, False
        number = len(plan.conflicts) + len(plan.failures)
        self.table.display = self.text.display = number > 0
        self.table.show(range(number))
        self.table.focus()
        self._say_counts()

    def _say_counts(self) -> None:
        assert self._plan is not None
        self.counts.update("\n".join(self._plan.described()))
        changed = self._plan.changed + len(self._over)
        over = f", {len(self._over):,} of them over edits" if self._over else ""
        parts = [f"{changed:,} examples get a new revision{over}"] if changed else []
        parts += [f"{self._plan.new:,} are new"] if self._plan.new else []
        self.said.update(
            f"F2 applies it: {'; '.join(parts)}. Ids and splits stay." if parts else "Nothing would change."
        )

    # The list: edits that differ, then records that fail

    def _rows(self, positions: list[int]) -> dict[int, Row]:
        assert self._plan is not None
        rows = {}
        for position in positions:
            example_id = self._conflict_at(position)
            if example_id is not None:
                choice = "template" if example_id in self._over else "keep edit"
                rows[position] = Row(
                    (choice, f"example {example_id}", "edited by hand; the template says another thing")
                )
            else:
                failure = self._plan.failures[position - len(self._plan.conflicts)]
                rows[position] = Row(("fails", failure.place, failure.reason), dim=True)
        return rows

    def _conflict_at(self, position: int) -> int | None:
        conflicts = self._plan.conflicts if self._plan else []
        return conflicts[position] if position < len(conflicts) else None

    @on(RecordTable.Highlighted)
    def _look(self) -> None:
        here = self.table.cursor_id
        if here is None or self._plan is None:
            self.text.show("")
            return
        work = partial(self._sides, here)
        in_background(self, work, self.text.show, group="sides", exclusive=True)

    def _sides(self, position: int, store: Store) -> list[Span]:
        assert self._plan is not None
        example_id = self._conflict_at(position)
        if example_id is None:
            failure = self._plan.failures[position - len(self._plan.conflicts)]
            return preview_spans(preview(store, self._template, failure.record_id))
        example = examples.get(store, example_id)
        assert example.record_id is not None
        made = preview(store, self._template, example.record_id)
        return both_sides(example.messages, made.messages, made.effect.reason)

    @on(RecordTable.Opened)
    def action_switch_pane(self) -> None:
        """Read the two sides, or go back to the list."""
        (self.table if self.text.has_focus else self.text).focus()

    def action_choose(self) -> None:
        """Keep the edit under the cursor, or take what the template makes; then go to the next."""
        here = self.table.cursor_id
        example_id = None if here is None else self._conflict_at(here)
        if example_id is None:
            return
        self._over ^= {example_id}
        self.table.refresh_rows()
        self.table.action_move(1)
        self._say_counts()

    def action_choose_all(self) -> None:
        """Take what the template makes for all, or keep all edits."""
        if self._plan and self._plan.conflicts:
            self._over = set() if len(self._over) == len(self._plan.conflicts) else set(self._plan.conflicts)
            self.table.refresh_rows()
            self._say_counts()

    # Applying

    def action_apply(self) -> None:
        """Do it, in a thread."""
        if self._plan is None or self._busy:
            return
        self._busy = True
        self.said.update("applying ... (esc stops; what is done stays, and can be brought back)")
        project, over = self.studio.project, frozenset(self._over)

        def work(store: Store) -> Applied:
            return applying.apply(
                project,
                store,
                self._template,
                self._query,
                over_edits=over,
                on_progress=self._progress,
                cancelled=self._stopper(),
            )

        in_background(self, work, self._applied, failed=self._failed, group="apply")

    def _applied(self, done: Applied) -> None:
        made = f", {done.made:,} made" if done.made else ""
        edits = f", edits kept: {done.kept:,}" if done.kept else ""
        ending = "Stopped" if done.stopped else "Applied"
        words = f"{ending}: {done.changed:,} examples changed{made}{edits}."
        self.studio.notify(f"{words} The versions (F10) bring back what they said.", markup=False)
        self.dismiss(done)

    def _failed(self, error: StudioError) -> None:
        self._busy = False
        self.said.update(clean(str(error)))

    def action_cancel(self) -> None:
        """Leave the text, then the window; what runs is stopped at the end of its batch."""
        if self.text.has_focus:
            self.table.focus()
        elif self._busy:
            self._stop.set()
            self.said.update("stopping ...")
        else:
            self.dismiss(None)
