"""What a run would be, before it is started: rows, findings, memory, time, and its first batch as tokens."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static
from textual.worker import get_current_worker

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.dialogs import Confirm
from screens.model_text import batch_spans
from screens.widgets.bars import KeyBar
from screens.widgets.text_view import Span, TextView
from store.database import Store
from studio.errors import StudioError
from studio.project import Project
from studio.rendering import ChatTokenizer
from studio.text import clean_line
from studio.training import plan
from studio.training.plan import Plan
from studio.training.plan.batch import Batch, Request, read_batch, tokenizer_of

if TYPE_CHECKING:
    from screens.new_run import NewRun

View = Literal["plan", "batch"]
VIEWS: dict[View, str] = {"plan": "Plan", "batch": "First batch"}

WAITING = "A process counts rows and tokens and estimates the memory; that takes some seconds ..."
TIMING = "A few real steps are taken; that takes up to a minute. esc breaks it off ..."
BATCH = "A process with the trainer's libraries builds the first batch; that takes some seconds ..."
TO_DO = "t times a few steps, v shows the first batch, esc goes back to the form."


@dataclass(frozen=True)
class Planned:
    """What came of a look at the plan."""

    run: "NewRun"
    """With the changes that were taken to let it fit."""
    start: bool


class PlanWindow(StudioModal[Planned]):
    """The plan of a run that can be started from here."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.PLAN, *HELP_KEYS]

    heading = query_one("#heading", Static)
    view = query_one(TextView)

    def __init__(self, run: "NewRun", then: str = "") -> None:
        """Plan a run; `then` is a sentence on when it would begin."""
        super().__init__()
        self._asked = run
        self._then = then
        self._plan: Plan | None = None
        self._batch: tuple[Batch, ChatTokenizer] | None = None
        self._shows: View = "plan"
        self._with_ids = False
        self._said: dict[View, str] = {"plan": WAITING, "batch": BATCH}
        """What is being done, or what went wrong."""
        self._is_planning = True

    def compose(self) -> ComposeResult:
        """Lay the text over the keys."""
        with Vertical(classes="window tall"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Plan at once."""
        self.view.focus()
        self._make(timed=False)

    # What the keys do

    def action_submit(self) -> None:
        """Start the run; ask first where something spoils it."""
        if self._plan is None:
            self.notify(self._no_plan, markup=False)
        elif doubts := _doubts(self._plan):
            question = "\n".join([*doubts, "", "Start it all the same?"])
            self.app.push_screen(Confirm(question, yes="Start it"), self._agreed)
        else:
            self.dismiss(Planned(self._asked, start=True))

    def action_cancel(self) -> None:
        """Go back to the form, which takes over what was changed."""
        self.dismiss(Planned(self._asked, start=False))

    def action_time(self) -> None:
        """Take a few real steps."""
        self._make(timed=True)

    def action_fit(self) -> None:
        """Take the changes that let the run fit into the memory, and plan it so."""
        if self._plan is None or not self._plan.changes:
            self.notify(_nothing_to_change(self._plan) if self._plan else self._no_plan, markup=False)
            return
        self._asked = replace(self._asked, overrides=list(plan.fitted(self._plan)))
        self._batch = None
        self._make(timed=False)

    def action_next_view(self) -> None:
        """Show the plan, or the first batch."""
        self._shows = "batch" if self._shows == "plan" else "plan"
        if self._shows == "batch" and self._batch is None:
            self._said["batch"] = BATCH
            work = partial(_first_batch, self.studio.project, self._asked)
            kept, failed = partial(self._keep_batch, self._asked), partial(self._fail, "batch")
            in_background(self, work, kept, failed=failed, group="batch", exclusive=True)
        self._draw()

    def action_ids(self) -> None:
        """Show each token of the batch with its id, or without."""
        self._with_ids = not self._with_ids
        self._draw()

    # What is shown

    @property
    def _no_plan(self) -> str:
        """Why nothing can be done with the plan."""
        if self._is_planning:
            return "The plan is not there yet; esc goes back to the form."
        return "There is no plan, for the reason that stands here; esc goes back to the form."

    def _make(self, *, timed: bool) -> None:
        # Steps are timed of the run that is planned already; all else plans another.
        self._plan = self._plan if timed else None
        self._shows = "plan"
        self._said["plan"] = TIMING if timed else WAITING
        self._is_planning = True
        self._draw()
        work = partial(_make, self.studio.project, self._asked, self._said_by_thread, timed)
        failed = partial(self._fail, "plan")
        in_background(self, work, self._keep, failed=failed, group="plan", exclusive=True)

    def _said_by_thread(self, text: str) -> None:
        self.call_later(self._say, text)

    def _say(self, text: str) -> None:
        self._said["plan"] = f"{text} ..."
        self._draw()

    def _keep(self, found: Plan | None) -> None:
        if found is not None and found.overrides == tuple(self._asked.overrides):
            self._plan, self._said["plan"], self._is_planning = found, "", False
            self._draw()

    def _keep_batch(self, asked: "NewRun", found: tuple[Batch, ChatTokenizer] | None) -> None:
        # Another recipe may have been taken while it was built.
        if found is not None and asked == self._asked:
            self._batch = found
            self._draw()

    def _fail(self, view: View, error: StudioError) -> None:
        self._said[view] = message_of(error)
        if view == "plan":
            self._is_planning = False
        self._draw()

    def _agreed(self, yes: bool | None) -> None:
        if yes:
            self.dismiss(Planned(replace(self._asked, despite_findings=True), start=True))

    def _draw(self) -> None:
        run = self._asked
        views = "".join(f"[{words}]" if name == self._shows else f" {words} " for name, words in VIEWS.items())
        self.heading.update(clean_line(f"{views}  {' '.join([run.method, *run.overrides])}"))
        if self._shows == "plan":
            said = [Span(f"{words}\n\n", "italic")] if (words := self._said["plan"]) else []
            spans = said + (_plan_spans(self._plan, self._then) if self._plan else [])
        elif self._batch:
            batch, tokenizer = self._batch
            spans = batch_spans(batch, tokenizer, first=True, with_ids=self._with_ids)
        else:
            spans = [Span(self._said["batch"])]
        self.view.show(spans)


_TELLING = ("blocks:", "memory:", "change ", "time:")
"""How lines begin that a person looks for."""


def _plan_spans(found: Plan, then: str) -> list[Span]:
    lines = plan.lines(found)
    spans = [Span(f"{line}\n", "bold" if line.startswith(_TELLING) else "") for line in lines]
    fit = "f makes it fit, " if found.changes else ""
    return [*spans, Span(f"\n\nenter starts it, {fit}{TO_DO}{then}")]


def _doubts(found: Plan) -> list[str]:
    """Return why a run should not be started as it is."""
    doubts = [finding.sentence for finding in found.findings if finding.level == "blocks"]
    if found.memory is not None and not found.memory.fits:
        way_out = " After esc, f makes it fit." if found.changes else ""
        doubts.append(f"It does not fit: {found.memory.sentence}.{way_out}")
    return doubts


def _nothing_to_change(found: Plan) -> str:
    """Return why no change of the recipe is offered."""
    if found.memory is None:
        return "Whether it fits is not known, so there is nothing to change."
    if found.memory.fits:
        return "There is nothing to change: it fits as it is."
    return "It does not fit, and nothing is left to change that would help; a smaller model would."


def _make(project: Project, run: "NewRun", say: Callable[[str], None], timed: bool, store: Store) -> Plan | None:
    worker = get_current_worker()
    return plan.make(
        project,
        store,
        run.method,
        run.overrides,
        run.model or None,
        run.parent,
        lambda: worker.is_cancelled,
        timed=timed,
        on_progress=say,
    )


def _first_batch(project: Project, run: "NewRun", store: Store) -> tuple[Batch, ChatTokenizer] | None:
    worker = get_current_worker()
    request = Request(run.method, (), tuple(run.overrides), run.model or None, run.parent)
    batch = read_batch(project.folder, request, lambda: worker.is_cancelled)
    return (batch, tokenizer_of(project, store, request)) if batch else None
