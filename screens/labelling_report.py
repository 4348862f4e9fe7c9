"""How it goes: what the verdicts say, and how far they can be relied on."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static
from textual.worker import get_current_worker

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.widgets.bars import KeyBar
from screens.widgets.text_view import Span, TextView
from store import tallies
from store.database import Store
from store.interruption import until
from studio.errors import StudioError
from studio.labelling.report import LabellingReport, report
from studio.labelling.report_words import Section, sections
from studio.labelling.tasks import tasks_of
from studio.text import clean_line

NOTHING = "There are no pairs to compare yet.\n\nImport a file with two responses a prompt (Data, key 1)."


class Asked(NamedTuple):
    """Whose verdicts are counted, in which task; all where the name is empty."""

    task: str = ""
    rater: str = ""


class Counted(NamedTuple):
    """What was found, with all that can be asked for."""

    report: LabellingReport
    tasks: Sequence[str]


class LabellingReportWindow(StudioModal[None]):
    """The report as a text; counted in a thread, for it may have a million verdicts to count."""

    AUTO_FOCUS: ClassVar[str | None] = "TextView"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.LABELLING_REPORT, *HELP_KEYS]

    heading = query_one("#heading", Static)
    text = query_one(TextView)

    def __init__(self) -> None:
        super().__init__()
        self._asked = Asked()
        self._counted: Counted | None = None

    def compose(self) -> ComposeResult:
        """Lay the report under whose it is."""
        with Vertical(classes="window tall"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin with one's own verdicts; without any, everybody's are counted."""
        self._asked = Asked(rater=self.studio.project.rater)
        self.action_read()

    def action_read(self) -> None:
        """Count again."""
        self._title("counting ...")
        project = self.studio.project
        named = [task.name for task in tasks_of(project)]
        work = partial(_count, self._asked, project.rater, project.settings.lint, named)
        in_background(self, work, self._show, failed=self._failed, group="report", exclusive=True)

    def action_next_task(self) -> None:
        """Count the next task, after the last one all of them."""
        if self._counted is not None:
            self._asked = self._asked._replace(task=_next(self._asked.task, self._counted.tasks))
            self.action_read()

    def action_next_rater(self) -> None:
        """Count the next person, after the last one everybody."""
        if self._counted is not None:
            self._asked = self._asked._replace(rater=_next(self._asked.rater, self._counted.report.raters))
            self.action_read()

    def _show(self, counted: Counted | None) -> None:
        if counted is None or not self.is_attached:
            return
        self._counted = counted
        # Who has given no verdict is shown what others gave.
        self._asked = Asked(counted.report.task, counted.report.rater)
        self._title("")
        found = sections(counted.report, self.studio.project.rater)
        self.text.show(list(_spans(found)) if counted.report.pairs else NOTHING)

    def _title(self, state: str) -> None:
        me = self.studio.project.rater
        person = "everybody" if not self._asked.rater else "you" if self._asked.rater == me else self._asked.rater
        task = f"queue {self._asked.task}" if self._asked.task else "all queues"
        self.heading.update(clean_line(" ".join(filter(None, (f"How it goes: {person}, {task}", state)))))

    def _failed(self, error: StudioError) -> None:
        self._title("")
        self.text.show(message_of(error))


def _count(asked: Asked, me: str, lint: Mapping[str, Any], named: list[str], store: Store) -> Counted | None:
    """Count, unless nobody waits for it any more."""
    worker = get_current_worker()
    with until(store, lambda: worker.is_cancelled):
        rater = asked.rater if asked.rater != me or me in tallies.raters(store) else ""
        tasks = list(dict.fromkeys([*named, *tallies.tasks(store)]))
        return Counted(report(store, task=asked.task, rater=rater, lint=lint, reader=me), tasks)
    return None


def _next(now: str, known: Sequence[str]) -> str:
    """Return the name after one, the first after none, none after the last."""
    return known[known.index(now) + 1] if now in known[:-1] else "" if now else next(iter(known), "")


def _spans(found: Sequence[Section]) -> Iterator[Span]:
    for number, (title, lines) in enumerate(found):
        yield Span(f"{'' if not number else chr(10)}{title}\n", "bold underline")
        for name, figure, meaning in lines:
            yield Span(f"{name}: " if figure else name, "bold")
            yield Span(f"{figure}\n")
            for sentence in filter(None, meaning.split("\n")):
                yield Span(f"- {sentence}\n")
