"""Quantised forms of a run: what each costs, what it answers otherwise, made and tested behind the screen."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import message_of
from screens.dialogs import Confirm
from screens.list_over_text import ListOverText
from screens.widgets.bars import KeyBar
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store.database import Store
from studio.errors import StudioError
from studio.inference.quantising import launch, state
from studio.inference.quantising.launch import Wanted
from studio.inference.quantising.places import MARK, place_of
from studio.inference.quantising.report import Regression, Report, read_all
from studio.inference.quantising.state import State
from studio.inference.quantising.types import FULL, TYPES, USUAL
from studio.inference.quantising.verdict import judge, recommend, sentence, short
from studio.inference.quantising.words import before, check_lines, fallback_lines, measured_on, passed, speed
from studio.project import Project
from studio.sizes import size_in_words
from studio.text import clean, clean_line

POLL_SECONDS = 1.0
NAMES = tuple(TYPES)
"""A row's id is its type's place here."""

COLUMNS = [
    Column("Type", 9),
    Column("Size", 9),
    Column("Verdict", 10),
    Column("Mean KL", 8),
    Column("Same top", 8),
    Column("Perplexity", 10),
    Column("Speed", 12),
    Column("Checks", 16),
    Column("Worst KL", 8),
]

ASKED_SHOWN = 400
"""Characters of a question; what is to be compared are the answers."""

NOTHING_MADE = "Nothing was made yet. n makes and tests the type under the cursor, or those marked with space."


class Known(NamedTuple):
    """What is known of a run's quantised forms."""

    state: State | None = None
    reports: tuple[Report, ...] = ()

    def report(self, type_: str) -> Report | None:
        """What is known of a type; of 16-bit floats what the tests said of them by the way."""
        found = next((report for report in self.reports if report.type == type_), None)
        return before(self.reports) or found if type_ == FULL else found


class QuantiseWindow(ListOverText[str]):
    """The types over what is known of the one under the cursor; ends with a name to chat with, or nothing."""

    AUTO_FOCUS: ClassVar[str | None] = "RecordTable"
    BINDINGS: ClassVar[list[BindingType]] = keys.QUANTISE

    recommended = query_one("#recommended", Static)
    said = query_one("#said", Static)

    def __init__(self, ref: str) -> None:
        """Show the quantised forms of a run's id or a model's name."""
        super().__init__()
        self._ref = ref
        self._known = Known()
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """Lay the recommendation over the types, and these over the text."""
        with Vertical(classes="window tall"):
            yield Static(clean_line(f"Quantise and test: {self._ref}"), classes="pane-title", markup=False)
            yield Static("Reading ...", id="recommended", markup=False)
            yield RecordTable(COLUMNS, self._rows, empty="")
            yield TextView()
            yield Static("", id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Show what is known, and look again each second."""
        self._look()
        self.set_interval(POLL_SECONDS, self._look_again)

    def action_make(self) -> None:
        """Make and test the marked types, or the one under the cursor."""
        chosen = sorted(self.table.selected) or ([self.table.cursor_id] if self.table.cursor_id is not None else [])
        wanted = Wanted(tuple(NAMES[number] for number in chosen))
        self._say("starting ...")
        self.table.select([])
        project, ref = self.studio.project, self._ref
        self._work(lambda store: launch.start(project, store, ref, wanted))

    def action_stop(self) -> None:
        """Stop what is going on; what was finished stays."""
        if self._is_running:
            self._say("stopping ...")
            project, ref = self.studio.project, self._ref
            self._work(lambda store: launch.stop(place_of(project, store, ref)))
        else:
            self._say("Nothing is going on.")

    def action_delete(self) -> None:
        """Delete the file under the cursor, after a question."""
        report = self._report
        if report is None or not self._is_kept(report):
            self._say("There is no file of this type.")
            return
        question = f"Delete {self._ref} in {report.type}, {size_in_words(report.bytes)}? It can be made again."

        def answered(agreed: bool | None) -> None:
            if agreed:
                project, ref = self.studio.project, self._ref
                self._work(lambda store: launch.delete(place_of(project, store, ref), report.type))

        self.app.push_screen(Confirm(question, yes="Delete it"), answered)

    def action_chat(self) -> None:
        """Talk to the form under the cursor, beside the unquantised run."""
        report = self._report
        if report is not None and self._is_kept(report):
            self.dismiss(f"{self._ref}{MARK}{report.type}")
        else:
            self._say("There is no file of this type to chat with; n makes it.")

    @on(RecordTable.Highlighted)
    def show_type(self) -> None:
        """Show what is known of the type under the cursor."""
        self._show_detail()

    @on(RecordTable.Opened)
    def read_on(self) -> None:
        """Go to what is known of the type."""
        self.text.focus()

    @property
    def _is_running(self) -> bool:
        return self._known.state is not None and self._known.state.state == "running"

    @property
    def _type(self) -> str:
        return NAMES[self.table.cursor_id] if self.table.cursor_id is not None else ""

    @property
    def _report(self) -> Report | None:
        return self._known.report(self._type)

    def _is_kept(self, report: Report) -> bool:
        return any(each.type == report.type for each in self._known.reports)

    def _look(self) -> None:
        work = partial(_read, self.studio.project, self._ref)
        self._looking = in_background(self, work, self._looked, failed=self._failed, group="look", exclusive=True)

    def _look_again(self) -> None:
        # A look that takes longer than the time between two is not broken off by the next one.
        if self._looking.is_finished:
            self._look()

    def _looked(self, known: Known) -> None:
        before_this, self._known = self._known, known
        wanted = known.state.wanted if known.state else ()
        offered = {FULL, *USUAL, *wanted, *(report.type for report in known.reports)}
        ids = [number for number, name in enumerate(NAMES) if name in offered]
        if list(self.table.ids) != ids:
            first = self.table.cursor_id if self.table.ids else ids[1]
            self.table.show(ids, cursor_id=first)
        elif before_this != known:
            self.table.refresh_rows()
        self.recommended.update(clean(recommend(known.reports).why if known.reports else NOTHING_MADE))
        if before_this.state != known.state and known.state is not None:
            self._say(known.state.words)
        self._show_detail()

    def _show_detail(self) -> None:
        known = (self._type, self._report, self._known.state if self._is_running else None)
        if known != self._shown:
            is_same = isinstance(self._shown, tuple) and self._shown[0] == self._type
            self._shown = known
            self.text.show(detail(self._type, self._report), keep_place=is_same)

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        return {number: self._row(NAMES[number]) for number in ids}

    def _row(self, type_: str) -> Row:
        report, now = self._known.report(type_), self._known.state
        if now is not None and now.state == "running" and now.at == type_:
            return Row((type_, size_in_words(report.bytes) if report else None, f"{100 * now.done:.0f} % ..."))
        if report is None:
            is_waiting = self._is_running and now is not None and type_ in now.wanted
            return Row((type_, None, "waits" if is_waiting else "not made"), dim=True)
        size, verdict, test = size_in_words(report.bytes), judge(report).word, report.test
        if test is None:
            return Row((type_, size, verdict))
        same_top = f"{100 * test.same_top:.1f} %"
        figures = (f"{test.mean_kl:.4f}", same_top, short(test.perplexity), speed(test), passed(test) or None)
        return Row((type_, size, verdict, *figures, f"{test.worst_kl:.2f}"))

    def _work(self, work: Callable[[Store], object]) -> None:
        in_background(self, work, lambda _: self._look(), failed=self._failed, group="act")

    def _say(self, text: str) -> None:
        self.said.update(clean_line(text))

    def _failed(self, error: StudioError) -> None:
        self.said.update(message_of(error))


def detail(type_: str, report: Report | None) -> list[Span]:
    """Say all that is known of a type: the verdict, what fell back, the checks, and answers that changed most."""
    if not type_:
        return []
    found = [Span(f"{type_}: {TYPES[type_]}.\n\n")]
    if report is None:
        return found
    found.append(Span(f"{sentence(report)}\n\n", "bold"))
    test = report.test
    lines = [measured_on([report])] if test else []
    lines += fallback_lines(report) + (check_lines(test) if test else [])
    found += [Span(f"{line}\n") for line in lines]
    if test and test.regressions:
        found.append(Span("\nAnswers that changed most\n", "bold"))
        found += [span for one in test.regressions for span in _regression(one, type_)]
    return found


def _regression(one: Regression, type_: str) -> list[Span]:
    lost = f"; no longer passes {', '.join(one.lost)}" if one.lost else ""
    return [
        Span(f"\nexample {one.example}, mean KL {one.kl:.3f}{lost}\n", "bold"),
        Span(f"{_beginning(one.asked)}\n"),
        Span(f"\n{FULL}\n", "underline"),
        Span(f"{one.before}\n"),
        Span(f"\n{type_}\n", "underline"),
        Span(f"{one.after}\n"),
    ]


def _beginning(asked: str) -> str:
    return asked if len(asked) <= ASKED_SHOWN else f"{asked[:ASKED_SHOWN]} ..."


def _read(project: Project, ref: str, store: Store) -> Known:
    place = place_of(project, store, ref)
    return Known(state.read(place), tuple(read_all(place)))
