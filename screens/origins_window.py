"""The training examples nearest to a reply: where its words may come from."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

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
from store import examples, responses, runs
from store.database import Store
from store.errors import MissingRowError
from studio.errors import StudioError
from studio.retrieval.origins import Origin, origins, run_of
from studio.text import clean_line

if TYPE_CHECKING:
    from screens.app import StudioApp

LOOKING = "Looking for the examples ..."
NOTHING = "No example has telling words of this reply."
MOST_LINES = 8
WORD_FOR_WORD = "bold underline"


class OriginsWindow(ListOverText[None]):
    """The nearest examples over the text of the one under the cursor; enter goes to it in Examples."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.ORIGINS, *HELP_KEYS]

    title_line = query_one("#shown", Static)

    def __init__(self, text: str, model: str | None = None) -> None:
        """Take a reply, and whose it is: of a run only what that run was given is looked at, at first."""
        super().__init__()
        self._said = text
        self._model = model
        self._run: str | None = None
        self._of_all = False
        self._found: dict[int, Origin] = {}

    def compose(self) -> ComposeResult:
        """Lay the list over the text."""
        columns = [Column("Near", 5), Column("Where", 28), Column("Split", 10), Column("What they share")]
        with Vertical(classes="window tall"):
            yield Static("", id="shown", classes="pane-title", markup=False)
            yield RecordTable(columns, self._rows, empty=LOOKING)
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Look in a thread."""
        self._run = run_of(self.studio.store, self._model) if self._model else None
        self.table.focus()
        self._look()

    def action_scope(self) -> None:
        """Look among all examples of the project, or only among those of the run."""
        if self._run is not None:
            self._of_all = not self._of_all
            self._look()

    def _look(self) -> None:
        run = None if self._of_all else self._run
        whose = f"examples that {run} was given" if run else "all examples of the project"
        self.title_line.update(clean_line(f"Nearest in words to the reply, of {whose}"))
        work = partial(_look, self._said, run)
        in_background(self, work, self._show, failed=self._failed, group="origins", exclusive=True)

    def _show(self, found: list[Origin]) -> None:
        self._found = {origin.example_id: origin for origin in found}
        self.table.styles.height = min(max(len(found), 2), MOST_LINES, self.size.height // 3) + 1
        self.table.show(list(self._found), empty=NOTHING)
        if not found:
            self.text.show("")

    def _failed(self, error: StudioError) -> None:
        self.table.show([], empty="It could not be looked for.")
        self.text.show(str(error))

    def _rows(self, ids: list[int]) -> dict[int, Row]:
        return {number: _row(self._found[number]) for number in ids if number in self._found}

    @on(RecordTable.Highlighted)
    def _read(self) -> None:
        number = self.table.cursor_id
        if number in self._found:
            self.text.show(list(_spans(self.studio.store, self._found[number], self._run)))

    @on(RecordTable.Opened)
    def _open(self, event: RecordTable.Opened) -> None:
        # By the app, because this window is gone by then.
        self.studio.call_later(_show_example, self.studio, event.row_id)
        self.dismiss()


async def _show_example(app: "StudioApp", example_id: int) -> None:
    from screens.examples import ExamplesScreen

    screen = await app.show_area("examples")
    if isinstance(screen, ExamplesScreen):
        screen.go_to(example_id)


def _look(text: str, run: str | None, store: Store) -> list[Origin]:
    return origins(store, text, run=run)


def _row(origin: Origin) -> Row:
    shared = f'"{origin.shared}"' if origin.shared else origin.excerpt
    return Row((f"{origin.score:.0%}", origin.place, origin.split, f"{origin.part}: {shared}"))


def _spans(store: Store, origin: Origin, run: str | None) -> Iterator[Span]:
    record = f", record {origin.record}" if origin.record is not None else ""
    yield Span(f"Example {origin.example_id}, {origin.place}{record}, {origin.split} split\n", "bold")
    what = "word for word, underlined" if origin.shared else "in words"
    yield Span(f"Nearest in its {origin.part}, {what}; that is no proof of a cause:\n", "italic")
    yield from _marked([Span(f"{origin.excerpt}\n\n")], origin.shared)
    yield from _marked(conversation(examples.get(store, origin.example_id).messages), origin.shared)
    for response in responses.of_example(store, origin.example_id):
        yield Span(f"\nanswer of {response.author or response.origin}:", "bold")
        yield from _marked([Span(f" {message.get('content') or ''}") for message in response.messages], origin.shared)
    if run is not None and (changed := _edited_since(store, origin, run)):
        yield Span(f"\n\n{changed}", "italic")


def _marked(spans: list[Span], shared: str) -> Iterator[Span]:
    """Yield spans with the shared words underlined."""
    for span in spans:
        before, found, after = span.text.partition(shared) if shared else (span.text, "", "")
        yield Span(before, span.style)
        if found:
            yield Span(found, WORD_FOR_WORD)
            yield Span(after, span.style)


def _edited_since(store: Store, origin: Origin, run: str) -> str:
    """Return what to say where the text is no longer the one that the run was given."""
    try:
        began = runs.get(store, run).created_at
    except MissingRowError:
        return ""
    newest = examples.revisions(store, origin.example_id)[-1].created_at
    return f"It was edited after {run} began; revisions show what it was." if newest > began else ""
