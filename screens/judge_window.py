"""AI judge: how far a model agrees with one's verdicts, and the pairs on which it differs; none before one's own."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.ask_judge import AskJudge
from screens.background import in_background
from screens.base import message_of
from screens.jobs_window import JobsWindow
from screens.list_over_text import ListOverText
from screens.widgets.conversation import conversation
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store import examples, judgements, pairs, responses
from store.database import Store
from store.examples import prompt_of
from store.judgements import Answer, Second
from studio.ai_judge.report import JudgeReport, lines_of, read
from studio.errors import StudioError
from studio.text import clean_line

WORDS: dict[Answer, str] = {
    "first": "first",
    "second": "second",
    "tie": "tie",
    "both_bad": "both bad",
    "unclear": "unclear",
}
EMPTY = "No judge was asked yet. n asks one about the pairs that you have decided."
KEYS_LINE = "n: ask a judge  v: next judge  f6: jobs  tab: text  esc: close"


class Known(NamedTuple):
    """What is known of the judges."""

    report: JudgeReport | None = None
    pairs: Sequence[int] = ()
    """Those that the judge in sight and the person have both answered."""


class JudgeWindow(ListOverText[None]):
    """A judge's figures over the pairs that it and the person have answered, over what it said of one."""

    AUTO_FOCUS: ClassVar[str | None] = "RecordTable"
    BINDINGS: ClassVar[list[BindingType]] = keys.AI_JUDGE

    figures = query_one("#figures", Static)
    said = query_one("#said", Static)

    def __init__(self, task: str = "") -> None:
        super().__init__()
        self._queue_named = task
        """The queue that a new judge is asked about at first."""
        self._at = 0
        self._known = Known()

    def compose(self) -> ComposeResult:
        """Lay the figures over the pairs, and these over the text."""
        with Vertical(classes="window tall"):
            yield Static("Reading ...", id="figures", markup=False)
            columns = [Column("Pair", 8), Column("You", 9), Column("Judge", 12), Column("In the one order, the other")]
            yield RecordTable(columns, self._rows, empty="")
            yield TextView()
            yield Static(KEYS_LINE, id="said", markup=False, classes="status-line")

    def on_mount(self) -> None:
        """Show what is known."""
        self.action_read()

    def action_read(self) -> None:
        """Read the judges' answers again."""
        work = partial(_read, self.studio.project.rater, self._at)
        in_background(self, work, self._show, failed=self._failed, group="judge", exclusive=True)

    def action_next_judge(self) -> None:
        """Show another judge, where more than one was asked."""
        self._at += 1
        self.action_read()

    def action_ask(self) -> None:
        """Ask a model about the pairs that one has decided."""
        self.studio.push_screen(AskJudge(self._queue_named), self._asked)

    def action_jobs(self) -> None:
        """Show the jobs."""
        self.studio.push_screen(JobsWindow(), lambda _: self.action_read())

    def _asked(self, job_id: int | None) -> None:
        if job_id is not None:
            self.action_jobs()

    def _show(self, known: Known) -> None:
        self._known = known
        self.figures.update(self._words())
        self.table.show(known.pairs, cursor_id=self.table.cursor_id)
        if not known.pairs:
            self.text.show("")

    def _words(self) -> str:
        report = self._known.report
        if report is None:
            return EMPTY
        more = f" ({self._place + 1} of {len(report.judges)})" if len(report.judges) > 1 else ""
        first, *rest = lines_of(report.judges[self._place])
        return "\n".join(map(clean_line, [f"{first}{more}", *rest]))

    @property
    def _place(self) -> int:
        return self._at % len(self._known.report.judges) if self._known.report else 0

    @property
    def _judge(self) -> str:
        return self._known.report.judges[self._place].judge if self._known.report else ""

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        found = judgements.seconds(self.studio.store, self.studio.project.rater, self._judge, ids)
        return {pair_id: _row(second) for pair_id, second in found.items()}

    @on(RecordTable.Highlighted)
    def _show_pair(self, event: RecordTable.Highlighted) -> None:
        if event.row_id is not None:
            second = judgements.seconds(self.studio.store, self.studio.project.rater, self._judge, [event.row_id]).get(
                event.row_id
            )
            self.text.show(_spans(self.studio.store, second) if second else "")

    def _failed(self, error: StudioError) -> None:
        self.said.update(message_of(error))


def _read(rater: str, at: int, store: Store) -> Known:
    report = read(store, rater)
    if report is None:
        return Known()
    judge = report.judges[at % len(report.judges)].judge
    return Known(report, judgements.decided(store, rater, judge))


def _row(second: Second) -> Row:
    judgement = second.judgement
    same = judgement.consistent
    what = "-" if same is None else ("as you" if same == second.person else f"not: {WORDS[same]}")
    orders = f"{WORDS[judgement.first_shown_left]}, {WORDS[judgement.first_shown_right]}"
    return Row((str(judgement.pair_id), WORDS[second.person], what, orders), dim=same is None)


def _spans(store: Store, second: Second) -> list[Span]:
    """Return the pair, and what the judge said of it in both orders, word by word."""
    pair = pairs.get(store, second.judgement.pair_id)
    asked = examples.get(store, pair.example_id).messages
    spans = [Span("What was asked\n", "bold underline"), *conversation(prompt_of(asked) or asked)]
    for title, response_id in (("First response", pair.first_id), ("Second response", pair.second_id)):
        spans += [Span(f"\n\n{title}\n", "bold underline"), *conversation(responses.get(store, response_id).messages)]
    shown = (("first response as A", "second as A"), second.replies)
    for which, reply in zip(*shown, strict=True):
        spans += [Span(f"\n\nThe judge, with the {which}\n", "bold underline"), Span(reply)]
    return spans
