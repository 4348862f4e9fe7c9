"""Findings: what the checks found in the data, why it matters, and keys to see, exclude and mend the rows."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.dialogs import Confirm
from screens.finding_text import Places, finding_detail, finding_row, report_words
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from store import record_places
from store.database import Store
from studio.errors import StudioError
from studio.text import clean_line

if TYPE_CHECKING:
    from studio.lint.report import CheckFindings, LintReport, Sample

MANY_ROWS = 100
"""Of more it is asked first."""

AREAS = {"record": "data", "example": "examples"}
KEYS_WORDS = "enter: rows  x: exclude  R: let in  f: fix  U: unfix  r: run  esc: leave"

Act = Callable[[Store], int]


class Asked(NamedTuple):
    """What a list is to show."""

    area: str
    query: str


class FindingsWindow(StudioModal[Asked]):
    """The findings over what the one under the cursor means; gives what to show of it."""

    AUTO_FOCUS: ClassVar[str | None] = "#findings"
    BINDINGS: ClassVar[list[BindingType]] = keys.FINDINGS

    heading = query_one("#heading", Static)
    findings = query_one("#findings", RecordTable)
    text = query_one(TextView)
    said = query_one("#said", Static)

    def __init__(self) -> None:
        super().__init__()
        self._report: LintReport | None = None
        self._places: Places = {}
        self._acting = False

    def compose(self) -> ComposeResult:
        """Lay the findings over the detail."""
        with Vertical(classes="window tall"):
            yield Static(" Findings", id="heading", classes="pane-title", markup=False)
            columns = [Column("Level", 7), Column("Finding", 24), Column("In use", 15), Column("What it is")]
            yield RecordTable(columns, self._rows, empty="Reading what is known ...", id="findings")
            yield TextView()
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        """Show what is known, and follow a run that is going on."""
        self.studio.lint_run.moved.subscribe(self, self._run_moved)
        self._say()
        self._read()

    # The report

    def _read(self, words: str = "") -> None:
        """Read the report anew, and then say something."""

        def read(store: Store) -> "tuple[LintReport | None, Places]":
            # With the checks and what they need; imported here, where nobody waits for a key.
            from studio.lint.report import read_report

            report = read_report(store)
            return report, _places(store, report)

        in_background(self, read, partial(self._show, words), group="report", exclusive=True)

    def _show(self, words: str, read: "tuple[LintReport | None, Places]") -> None:
        if not self.is_attached:
            return
        here = None if self._found is None else self._found.check.name
        self._report, self._places = read
        self.heading.update(f" {report_words(self._report)}")
        names = [] if self._report is None else [found.check.name for found in self._report.findings]
        nothing = "Nothing was found." if self._report else "Press r to run the checks; c stops them."
        self.findings.show(range(len(names)), cursor_id=names.index(here) if here in names else None, empty=nothing)
        self._say(words)

    @property
    def _found(self) -> "CheckFindings | None":
        here = self.findings.cursor_id
        return None if here is None or self._report is None else self._report.findings[here]

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        return {} if self._report is None else {n: finding_row(self._report.findings[n]) for n in ids}

    @on(RecordTable.Highlighted, "#findings")
    def _show_detail(self) -> None:
        found = self._found
        self.text.show(finding_detail(found, self._places) if found else "")

    def _say(self, words: str = "") -> None:
        run = self.studio.lint_run
        self.said.update(clean_line(f"{run.words}    c: stop" if run.running else words or KEYS_WORDS))

    def _run_moved(self, ended: bool) -> None:
        if ended:
            self._read()
        else:
            self._say()

    # What the keys do

    @on(RecordTable.Opened, "#findings")
    def _show_rows(self) -> None:
        found = self._found
        if found is None:
            return
        if found.rows:
            self.dismiss(Asked(AREAS[found.check.kind], f"finding:{found.check.name}"))
        else:
            self._say("This is about all rows together; there are none to show.")

    def action_run(self) -> None:
        """Run the checks in the background."""
        self.studio.lint_run.start()
        self._say()

    def action_stop(self) -> None:
        """Stop the run; what was looked at is kept."""
        self.studio.lint_run.cancel()

    def action_exclude(self) -> None:
        """Exclude all rows of the finding; R lets them in again."""
        from studio.lint import acting

        found = self._found
        if found is not None and not found.kept:
            self._say("There is no row left to exclude.")
        elif found is not None:
            act = partial(acting.exclude, check=found.check.name)
            self._do("Exclude", found.kept, act, "excluded; R lets them in again")

    def action_restore(self) -> None:
        """Let in again what was excluded because of the finding."""
        from studio.lint import acting

        found = self._found
        if found is not None:
            act = partial(acting.restore, check=found.check.name)
            self._do("Let in again", 0, act, "let in again")

    def action_fix(self) -> None:
        """Mend all rows of the finding, each in a new revision; U takes that back."""
        from studio.lint import acting

        found = self._fixable()
        if found is not None:
            act = partial(acting.fix, self.studio.project, check=found.check.name)
            self._do("Mend", found.rows, act, "mended, each in a new revision; U takes it back, r runs the checks")

    def action_unfix(self) -> None:
        """Take the fix back where nobody edited since."""
        from studio.lint import acting

        found = self._fixable()
        if found is not None:
            act = partial(acting.unfix, check=found.check.name)
            self._do("Take the fix back", 0, act, "as they were before; r runs the checks")

    def _fixable(self) -> "CheckFindings | None":
        found = self._found
        if found is not None and not found.check.fix:
            self._say(f"{found.check.name} has no fix; exclude its rows or edit them.")
            return None
        return found

    def _do(self, does: str, rows: int, act: Act, done: str) -> None:
        """Change rows in the background; of many it is asked first."""
        found = self._found
        if found is None or self._acting:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._acting = True
                self._say(f"{does}: {found.check.name} ...")
                in_background(self, act, lambda number: self._acted(f"{number:,} {done}"), failed=self._not_acted)

        if rows > MANY_ROWS:
            self.studio.push_screen(Confirm(f"{does} {rows:,} {found.check.kind}s?", yes=does), answered)
        else:
            answered(True)

    def _acted(self, words: str) -> None:
        self._acting = False
        self._read(words)

    def _not_acted(self, error: StudioError) -> None:
        self._acting = False
        self._read(message_of(error))

    def action_cancel(self) -> None:
        """Leave the detail, then the window; a run goes on."""
        if self.findings.has_focus:
            self.dismiss(None)
        else:
            self.findings.focus()


def _places(store: Store, report: "LintReport | None") -> Places:
    """Return the place in its file of each sample that has one."""
    places: dict[Sample, str] = {}
    for found in report.findings if report else ():
        known = record_places.places(store, found.check.kind, [sample.row_id for sample in found.samples])
        places |= {s: f"{known[s.row_id][0]}:{known[s.row_id][1]}" for s in found.samples if s.row_id in known}
    return places
