"""Findings: what the checks found in the data, why it matters, and keys to see, exclude and mend the rows."""

from collections.abc import Callable, Mapping, Sequence
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
from screens.base import StudioModal
from screens.dialogs import Confirm
from screens.finding_text import Places, finding_detail, finding_row, keys_words, report_words
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from store import record_places
from store.database import Store
from studio.errors import StudioError
from studio.text import clean_line

if TYPE_CHECKING:
    from studio.lint.acting import Done
    from studio.lint.report import CheckFindings, LintReport, Sample

MANY_ROWS = 100
"""Of more it is asked first."""

AREAS = {"record": "data", "example": "examples"}
NO_ROWS = "This is about all rows together: there is none of its own."

Act = Callable[[Store], int]


class Asked(NamedTuple):
    """What a list is to show."""

    area: str
    query: str


class Known(NamedTuple):
    """What is known without running anything."""

    report: "LintReport | None" = None
    found: "Sequence[CheckFindings]" = ()
    """What was found, and what is found no more but was acted on: that can be taken back."""
    places: Places = {}
    done: "Mapping[str, Done]" = {}


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
        self._known = Known()
        self._acting = False
        self._said_of: str | None = None
        """The finding that was under the cursor when something was said."""

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
        in_background(self, _known, partial(self._show, words), group="report", exclusive=True)

    def _show(self, words: str, known: Known) -> None:
        if not self.is_attached:
            return
        here = self._check
        self._known = known
        self.heading.update(f" {report_words(known.report)}")
        names = [found.check.name for found in known.found]
        nothing = "Nothing was found." if known.report else "Press r to run the checks; c stops them."
        self.findings.show(range(len(names)), cursor_id=names.index(here) if here in names else None, empty=nothing)
        self._say(words)

    @property
    def _found(self) -> "CheckFindings | None":
        here = self.findings.cursor_id
        return None if here is None else self._known.found[here]

    @property
    def _check(self) -> str | None:
        return None if self._found is None else self._found.check.name

    @property
    def _done(self) -> "Done | None":
        return None if self._check is None else self._known.done.get(self._check)

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        return {n: finding_row(self._known.found[n]) for n in ids}

    @on(RecordTable.Highlighted, "#findings")
    def _show_detail(self) -> None:
        found = self._found
        self.text.show(finding_detail(found, self._known.places, self._done) if found else "")
        if self._check != self._said_of:
            self._say()

    def _say(self, words: str = "") -> None:
        self._said_of = self._check
        run = self.studio.lint_run
        going_on = f"{run.words}    c: stop" if run.running else keys_words(self._found, self._done)
        self.said.update(clean_line(words or going_on))

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
        name = found.check.name
        if found.rows:
            self.dismiss(Asked(AREAS[found.check.kind], f"finding:{name}"))
        elif self._done is not None:
            self.dismiss(Asked(AREAS[found.check.kind], f"tag:lint-{name} OR tag:mended-{name}"))
        else:
            self._say(NO_ROWS)

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
            self._say("There is no row left to exclude." if found.rows or self._done else NO_ROWS)
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
            self._do("Mend", found.rows, act, f"of {found.rows:,} mended; U takes it back, r runs the checks")

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
            instead = "; exclude its rows or edit them" if found.rows else ""
            self._say(f"{found.check.name} has no fix{instead}.")
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
        # A run that goes on would write over it at the foot of the window.
        self.studio.notify_error(error)
        self._read()

    def action_cancel(self) -> None:
        """Leave the detail, then the window; a run goes on."""
        if self.findings.has_focus:
            self.dismiss(None)
        else:
            self.findings.focus()


def _known(store: Store) -> Known:
    # With the checks and what they need; imported here, where nobody waits for a key.
    from studio.lint.acting import done
    from studio.lint.registry import check_of
    from studio.lint.report import CheckFindings, read_report

    report = read_report(store)
    if report is None:
        return Known()
    acted = done(store)
    names = {found.check.name for found in report.findings}
    gone = [CheckFindings(check_of(name), 0, 0, "It is found no more.", []) for name in acted if name not in names]
    return Known(report, [*report.findings, *gone], _places(store, report), acted)


def _places(store: Store, report: "LintReport") -> Places:
    """Return the place in its file of each sample that has one."""
    places: dict[Sample, str] = {}
    for found in report.findings:
        known = record_places.places(store, found.check.kind, [sample.row_id for sample in found.samples])
        places |= {s: f"{known[s.row_id][0]}:{known[s.row_id][1]}" for s in found.samples if s.row_id in known}
    return places
