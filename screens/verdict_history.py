"""Every verdict that one gave, those that were taken back too; each can be looked at and judged anew."""

from array import array
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS
from screens.list_over_text import ListOverText
from screens.widgets.bars import KeyBar
from screens.widgets.conversation import conversation
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store import journal, pair_queues
from store.journal import Entry, Past
from studio.labelling.past import PastPair, Side, past_pair, state_words, when_words
from studio.labelling.shown import Shown
from studio.labelling.words import VERDICT_WORDS

EMPTY = "No verdict of yours yet; h, l, t or b on a pair gives one."


class VerdictHistory(ListOverText[Entry]):
    """A list of verdicts, the newest first, over the pair under the cursor; gives the one that is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.VERDICT_HISTORY, *HELP_KEYS]

    heading = query_one("#heading", Static)

    def __init__(self, in_sight: Shown | None) -> None:
        """Begin; whose the replies of the pair in sight are is not told here either."""
        super().__init__()
        self._in_sight = in_sight
        self._known: dict[int, Past] = {}
        self._reveals = False

    def compose(self) -> ComposeResult:
        """Lay the list over the pair."""
        columns = [Column("When", 16), Column("Verdict", 21), Column("Now", 20), Column("Queue", 12), Column("Remark")]
        with Vertical(classes="window tall"):
            yield Static("Your verdicts", id="heading", classes="pane-title", markup=False)
            yield RecordTable(columns, self._rows, empty="reading the journal ...")
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Read the journal in a thread: it may have a million lines."""
        rater = self.studio.project.rater
        in_background(self, partial(journal.verdict_ids, rater=rater), self._show_list)
        self.table.focus()

    def action_reveal(self) -> None:
        """Say whose the two replies are, or keep it to oneself again."""
        self._reveals = not self._reveals
        self._show()

    def _show_list(self, ids: "array[int]") -> None:
        noun = "verdict" if len(ids) == 1 else "verdicts"
        self.heading.update(f"Your {len(ids):,} {noun}, newest first; enter judges the pair anew, esc closes")
        # The list wants numbers that ascend, and the newest shall come first.
        self.table.show(array("q", (-number for number in reversed(ids))), empty=EMPTY)

    def _rows(self, numbers: list[int]) -> dict[int, Row]:
        found = journal.past(self.studio.store, [-number for number in numbers])
        self._known.update((past.entry.id, past) for past in found)
        return {-past.entry.id: _row(past) for past in found}

    @on(RecordTable.Highlighted)
    def _show(self) -> None:
        past = self._past(self.table.cursor_id)
        self.text.show([] if past is None else list(self._spans(past.entry)))

    def _spans(self, entry: Entry) -> Iterator[Span]:
        pair = past_pair(self.studio.store, entry)
        yield from conversation(pair.prompt)
        for side in pair.sides:
            title = f"\n\n{side.name}{': ' + side.said if side.said else ''} ({self._whose(entry, pair, side)})\n"
            yield Span(title, "bold reverse" if side.said else "bold")
            yield from conversation(side.messages)
        for remark in (_remark(entry).strip(), *pair.remarks):
            if remark:
                yield Span(f"\n\n{remark}", "italic")

    def _whose(self, entry: Entry, pair: PastPair, side: Side) -> str:
        if not self._reveals:
            return "w tells whose"
        shown = self._in_sight
        if shown and (shown.pair.id == entry.pair_id or shown.says(*(each.messages for each in pair.sides))):
            return "in sight in Compare: judge there first"
        return side.author

    @on(RecordTable.Opened)
    def _open(self, event: RecordTable.Opened) -> None:
        past = self._past(event.row_id)
        if past is None:
            return
        if pair_queues.in_use(self.studio.store, past.entry.pair_id) is None:
            self.notify("Its example is out of use (excluded, or not approved): nothing is judged there.", markup=False)
        else:
            self.dismiss(past.entry)

    def _past(self, row_id: int | None) -> Past | None:
        if row_id is None:
            return None
        if -row_id not in self._known:
            self._rows([row_id])
        return self._known.get(-row_id)


def _row(past: Past) -> Row:
    entry = past.entry
    assert entry.verdict is not None
    said = f"{entry.strength} {VERDICT_WORDS[entry.verdict]}".lstrip()
    cells = (when_words(entry), said, state_words(past), entry.task, _remark(entry))
    return Row(cells, dim=not past.stands)


def _remark(entry: Entry) -> str:
    return " ".join([*(f"[{reason}]" for reason in entry.reasons), entry.note])
