"""Examples: what the model will learn from, as messages, as text and as tokens; approved, edited, left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, get_args

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Static

from screens import keys
from screens.base import message_of
from screens.edited_examples import EditedExamples
from screens.example_text import (
    VIEWS,
    Completion,
    ExampleView,
    characters_of,
    completions_of,
    conversation_of,
    example_row,
    long_row,
    messages_spans,
    state_words,
)
from screens.token_text import RenderedView, counts_words, seen_spans
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store import examples, findings, journal, records, responses, synthetic, tags
from store.database import Store
from store.examples import Example, Split
from store.records import Record
from store.synthetic import Origin
from studio.errors import StudioError
from studio.preview import Preview
from studio.text import clean_line

LONGEST_IN_LIST = 200_000
"""Characters of its record; of an example from a longer one the list says only that."""


LONGEST_RENDERED = 1_000_000
"""Characters; more would keep the tokenizer, and the screen with it, for many seconds."""


class ExamplesScreen(EditedExamples):
    """The examples, beside (or over) the one under the cursor."""

    AREA = "examples"
    KIND = "example"
    NOUN = "examples"
    EMPTY = "No examples yet. Import data on the Data screen (1, then i)."
    MARKS = "a approved, r rejected, f flagged, x excluded, # tagged, n with a note"
    CSS_PATH = "examples.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.EXAMPLES

    state = query_one("#state", Static)

    @dataclass
    class Drawn(Message):
        """A rendering is done, or could not be done; `number` says which one was asked for."""

        number: int
        spans: list[Span]
        counts: str

    @dataclass
    class Preparing(Message):
        """How far the tokenizer's preparation is; `ready` at its end."""

        words: str
        ready: bool = False

    def __init__(self) -> None:
        super().__init__()
        self._view: ExampleView = VIEWS[0]
        self._record: Record | None = None
        self._remarks: list[tuple[str, str]] = []
        self._findings: list[tuple[str, str]] = []
        self._origin: Origin | None = None
        self._tags: list[str] = []
        self._asked = 0
        self._preparing = False
        self._with_ids = False

    def compose_list(self) -> RecordTable:
        """Lay the columns out."""
        columns = [Column("", 5), Column("Id", 7), Column("Split", 10), Column("Replies", 7), Column("Asked")]
        return RecordTable(columns, self._rows, id="list")

    def compose_detail(self) -> ComposeResult:
        """Lay what is known of the example over its text."""
        with Container(id="reading"):
            yield Static("", id="state", classes="status-line", markup=False)
            yield TextView(id="detail")

    def everything(self) -> range:
        """Return the ids of all examples."""
        return examples.span(self.studio.store)

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        store = self.studio.store
        long = examples.from_long_records(store, ids, LONGEST_IN_LIST)
        replies = responses.counts(store, ids)
        tagged = tags.of_many(store, "example", ids)
        found = examples.get_many(store, [number for number in ids if number not in long])
        rows = {n: example_row(example, replies.get(n, 0), n in tagged) for n, example in found.items()}
        return rows | {n: long_row(*of_long, replies.get(n, 0), n in tagged) for n, of_long in long.items()}

    @on(RecordTable.Highlighted, "#list")
    def _follow(self, event: RecordTable.Highlighted) -> None:
        self.say_count()
        self._completion = 0
        self._take(event.row_id)
        self.draw_at_rest(self._draw)

    def read_again(self) -> None:
        """Show the example under the cursor as it is now."""
        self._take(self.table.cursor_id)
        self._draw(keep_place=True)

    @on(RecordTable.Opened, "#list")
    def _open(self) -> None:
        self.action_switch_pane()

    def _take(self, example_id: int | None) -> None:
        """Take up an example and all that belongs to it: what the keys act on."""
        if example_id is None:
            self._example = None
            self._completions = []
            return
        store = self.studio.store
        self._example = examples.get(store, example_id)
        record_id = self._example.record_id
        # Its marks and its place in its file are wanted, not its text, which may be long.
        self._record = None if record_id is None else records.glimpse_many(store, [record_id], 0)[record_id]
        self._tags = tags.of_many(store, "example", [example_id]).get(example_id, [])
        verdicts = journal.current_verdicts_of(store, example_id)
        self._completions = completions_of(self._example, responses.of_example(store, example_id), verdicts)
        self._remarks = journal.remarks(store, example_id)
        self._findings = findings.details_of(store, "example", example_id)
        self._origin = synthetic.origins(store, [example_id]).get(example_id)

    # The example

    def _draw(self, *, keep_place: bool = False) -> None:
        self.drawn()
        self._asked += 1
        example = self._example
        if example is None:
            self.state.update("")
            self.detail.show("")
            return
        self._say_state()
        if self._view == "messages":
            spans = messages_spans(example, self.shown_completion, self._remarks, self._findings, self._origin)
            self.detail.show(spans, keep_place=keep_place)
        elif (size := characters_of(example, self.shown_completion)) > LONGEST_RENDERED:
            self.detail.show(f"{size:,} characters are too many to be laid out as {self._view}; v shows the messages.")
        else:
            self._render_text(self._asked, self._view, example, self.shown_completion)

    def _say_state(self, counts: str = "") -> None:
        if self._example is not None:
            completion = self.shown_completion
            shown = completion.label if completion and self._view != "messages" and len(self._completions) > 1 else ""
            state = state_words(self._example, self._record, self._tags)
            parts = [part for part in (self._view, counts, state, shown) if part]
            self.state.update(clean_line(" " + "  |  ".join(parts)))

    @work(thread=True, exclusive=True, group="render")
    def _render_text(self, number: int, view: RenderedView, example: Example, completion: Completion | None) -> None:
        try:
            seen = Preview(self.studio.project).render(conversation_of(example, completion), example.tools)
        except StudioError as error:
            self.post_message(self.Drawn(number, [Span(message_of(error))], ""))
            return
        spans = seen_spans(seen, view, with_ids=self._with_ids)
        self.post_message(self.Drawn(number, spans, counts_words(seen)))

    @on(Drawn)
    def _show_drawn(self, drawn: Drawn) -> None:
        if drawn.number == self._asked:
            self._say_state(drawn.counts)
            self.detail.show(drawn.spans)

    def action_prepare(self) -> None:
        """Prepare the model's tokenizer, once."""
        if not self._preparing:
            self._preparing = True
            self._prepare(Preview(self.studio.project))

    @work(thread=True, group="prepare")
    def _prepare(self, preview: Preview) -> None:
        try:
            preview.prepare(self._say_preparing)
        except StudioError as error:
            self.post_message(self.Preparing(message_of(error), ready=True))
        else:
            self.post_message(self.Preparing("", ready=True))

    def _say_preparing(self, words: str) -> None:
        self.post_message(self.Preparing(words))

    @on(Preparing)
    def _show_preparing(self, event: Preparing) -> None:
        self._preparing = not event.ready
        if event.words:
            self.detail.show(event.words)
        else:
            self._draw()

    # Keys

    def action_view(self) -> None:
        """Show messages, text, or tokens."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        self._draw()

    def action_ids(self) -> None:
        """Show each token with its id, or without."""
        self._with_ids = not self._with_ids
        self._view = "tokens"
        self._draw(keep_place=True)

    def action_model_view(self) -> None:
        """Show what the model will see of the chosen examples: as trained, as a batch, beside another model."""
        from screens.model_view import ModelView

        if ids := self.chosen_ids():
            self.studio.push_screen(ModelView(ids), lambda _: self.read_again())

    def action_next_response(self, step: int) -> None:
        """Show another answer to the same prompt."""
        if self._completions:
            self._completion = (self._completion + step) % len(self._completions)
            self._draw()

    def action_flag(self) -> None:
        """Flag the chosen examples, or take the flags off when all have one."""
        self.toggle(("Flag", "Take the flags off"), lambda example: example.flagged, examples.set_flagged)

    def action_exclude(self) -> None:
        """Exclude the chosen examples, or let them in when all are out."""
        self.toggle(("Exclude", "Let in"), lambda example: example.excluded, examples.set_excluded)

    def notes(self, ids: Sequence[int]) -> list[str]:
        """Return the notes of a few examples."""
        return [example.note for example in examples.get_many(self.studio.store, list(ids)).values()]

    def set_note(self, store: Store, row_id: int, note: str) -> None:
        """Keep a note on an example."""
        examples.set_note(store, row_id, note)

    def action_candidates(self) -> None:
        """Ask models for replies to the chosen examples' prompts."""
        from screens.generate_window import open_candidates

        open_candidates(self.studio, self.chosen_ids())

    def action_vary(self) -> None:
        """Make new prompts from the chosen examples."""
        from screens.vary_window import open_vary

        if ids := self.chosen_ids():
            open_vary(self.studio, ids, self.reload)

    async def action_record(self) -> None:
        """Show the record that the example was made from."""
        if self._record is None:
            self.notify("This example was made here; there is no record behind it.", markup=False)
            return
        from screens.data import DataScreen

        record_id = self._record.id
        screen = await self.studio.show_area("data")
        if isinstance(screen, DataScreen):
            screen.go_to(record_id)

    def action_next_split(self) -> None:
        """Show the next split; after the last one, all."""
        self.show_next("split", list(get_args(Split)))
