"""What a run answered to held-out prompts at each measurement, so that one sees it learn."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from screens import keys
from screens.list_over_text import ListOverText
from screens.widgets.difference import difference_spans
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from studio.text import clean_line
from studio.training.folder import RunFolder
from studio.training.watching import samples
from studio.training.watching.samples import Sample

POLL_SECONDS = 2.0
KEYS_WORDS = "v: whole, or what changed    tab: text    esc: close"
EMPTY = (
    "No answers: there are none before the first measurement, where the recipe's `samples` is 0, of a reward model, "
    "or where several processes share out the weights (FSDP, DeepSpeed)."
)


class RunAnswers(ListOverText[None]):
    """The prompts over what was answered to the one under the cursor, the newest answer first."""

    BINDINGS: ClassVar[list[BindingType]] = keys.RUN_ANSWERS

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._samples: list[Sample] = []
        self._shows_changes = False

    def compose(self) -> ComposeResult:
        """Lay the prompts over the answers."""
        columns = [Column("Example", 8), Column("Asked", 30), Column("Answered last")]
        with Vertical(classes="window tall"):
            title = clean_line(f"Answers of {self._run_id} to held-out prompts, the likeliest ones")
            yield Static(title, classes="pane-title", markup=False)
            yield RecordTable(columns, self._rows, empty=EMPTY)
            yield TextView()
            yield Static(KEYS_WORDS, markup=False)

    def on_mount(self) -> None:
        """Show them, and look for newer ones while the run goes on."""
        self._read()
        self.table.focus()
        self.set_interval(POLL_SECONDS, self._read)

    def on_record_table_highlighted(self) -> None:
        """Show the answers to the prompt under the cursor."""
        self._show(keep_place=False)

    def action_next_view(self) -> None:
        """Show each answer whole, or what changed from the one before."""
        self._shows_changes = not self._shows_changes
        self._show(keep_place=False)

    def _read(self) -> None:
        found = samples.read(RunFolder(self.studio.project.runs / self._run_id).samples)
        if found == self._samples:
            return
        before, self._samples = {sample.example for sample in self._samples}, found
        examples = list(dict.fromkeys(sample.example for sample in found))
        if before == set(examples):
            self.table.refresh_rows()
            self._show(keep_place=True)
        else:
            self.table.styles.height = min(len(examples) + 1, self.size.height // 3)
            self.table.show(examples, cursor_id=self.table.cursor_id)

    def _rows(self, examples: list[int]) -> dict[int, Row]:
        newest = {sample.example: sample for sample in self._samples}
        found = (newest[example] for example in examples if example in newest)
        return {each.example: Row((str(each.example), each.prompt, each.reply)) for each in found}

    def _show(self, *, keep_place: bool) -> None:
        mine = [sample for sample in self._samples if sample.example == self.table.cursor_id]
        self.text.show(list(self._spans(mine)), keep_place=keep_place)

    def _spans(self, mine: list[Sample]) -> Iterator[Span]:
        if not mine:
            return
        yield Span("Asked\n", "bold")
        yield Span(mine[-1].prompt)
        for place in reversed(range(len(mine))):
            sample = mine[place]
            yield Span(f"\n\n{_when(sample)}\n", "bold")
            if self._shows_changes and place:
                yield from difference_spans(mine[place - 1].reply, sample.reply)
            else:
                yield Span(sample.reply or "(nothing)")
                yield Span("" if sample.ended else " ... (cut here)", "italic")


def _when(sample: Sample) -> str:
    return f"Step {sample.step:,}" if sample.step else "Before the first step"
