"""What the model sees of chosen examples: as trained, as a batch, and beside another model or template."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal, get_args

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.getters import query_one
from textual.widgets import Static
from textual.worker import get_current_worker

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.choose import ChooseLine
from screens.model_text import batch_spans, compare, difference, rows_spans
from screens.paths import PathLine, typed_path
from screens.widgets.bars import KeyBar
from screens.widgets.text_view import Span, TextView
from store import examples
from store.database import Store
from studio.as_trained import SHOWN, rows_as_trained
from studio.errors import StudioError
from studio.lenses import lenses, look_through
from studio.preview import Preview
from studio.project import Project
from studio.text import clean, clean_line
from studio.training.plan.batch import Batch, Request, read_batch
from studio.training.recipe import Method

MOST_EXAMPLES = 20
"""So many are laid out at once."""

View = Literal["trained", "batch", "compared"]
VIEWS: tuple[View, ...] = get_args(View)
TITLES: dict[View, str] = {"trained": "As trained", "batch": "The batch", "compared": "Beside another model"}


@dataclass(frozen=True)
class Page:
    """What the window shows: one text, or two under what is to be said of them."""

    first: list[Span]
    second: list[Span] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True)
class Asked:
    """Everything that decides what is shown."""

    examples: list[int]
    at: int
    """Which of them is compared."""
    with_ids: bool
    method: Method
    first_of_run: bool
    packing: bool
    other: str
    batches: dict[Request, Batch]
    """Those that were built already: each takes seconds."""


class ModelView(StudioModal[None]):
    """Examples as the model sees them."""

    CSS_PATH = "model_view.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.MODEL_VIEW, *HELP_KEYS]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]

    heading = query_one("#heading", Static)
    first = query_one("#first", TextView)
    second = query_one("#second", TextView)
    summary = query_one("#summary", Static)

    def __init__(self, example_ids: list[int]) -> None:
        super().__init__()
        self._chosen = example_ids
        self._view: View = "trained"
        self._method: Method = SHOWN[0]
        self._with_ids = self._packing = False
        self._first_of_run = len(example_ids) == 1
        self._other = ""
        self._at = 0
        self._asked = 0
        self._batches: dict[Request, Batch] = {}

    def compose(self) -> ComposeResult:
        """Lay one text, or two that are compared, over the keys."""
        with Vertical(classes="window"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            yield Static("", id="summary", markup=False)
            with Container(id="sides"):
                yield TextView(id="first")
                yield TextView(id="second")
            yield KeyBar()

    def on_mount(self) -> None:
        """Render at once."""
        self.first.focus()
        self._draw()

    def _draw(self) -> None:
        self._asked += 1
        self._say_heading()
        self.set_class(self._view == "compared", "-compared")
        if self._view == "compared" and not self._other:
            self._take(self._asked, Page([Span("Choose what to compare with: o.")]))
            return
        work = {"trained": _trained, "batch": _batch, "compared": _compared}[self._view]
        self._take(self._asked, Page([Span(_WAITING[self._view])]))
        asked = Asked(
            examples=self._chosen[:MOST_EXAMPLES],
            at=self._at,
            with_ids=self._with_ids,
            method=self._method,
            first_of_run=self._first_of_run,
            packing=self._packing,
            other=self._other,
            batches=self._batches,
        )
        call: Callable[[Store], Page] = partial(work, self.studio.project, asked)
        done, failed = partial(self._take, self._asked), partial(self._fail, self._asked)
        in_background(self, call, done, failed=failed, group="model-view", exclusive=True)

    def _take(self, number: int, page: Page) -> None:
        if number == self._asked and self.is_mounted:
            self.summary.update(clean(page.summary))
            self.first.show(page.first)
            self.second.show(page.second)

    def _fail(self, number: int, error: StudioError) -> None:
        self._take(number, Page([Span(message_of(error))]))

    def _say_heading(self) -> None:
        views = "".join(f"[{TITLES[v]}]" if v == self._view else f" {TITLES[v]} " for v in VIEWS)
        number = len(self._chosen)
        what = f"example {self._chosen[0]}" if number == 1 else f"{number:,} examples"
        if number > MOST_EXAMPLES:
            what += f", the first {MOST_EXAMPLES} shown"
        self.heading.update(clean_line(f"{views}  {what}, {self.studio.project.settings.model}"))

    # What the keys do

    def action_next_view(self) -> None:
        """Show them as trained, as a batch, or beside another model."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        self._draw()
        if self._view == "compared" and not self._other:
            self.action_other()

    def action_next_example(self, step: int) -> None:
        """Compare the renderings of another of the examples."""
        self._at = (self._at + step) % len(self._chosen[:MOST_EXAMPLES])
        self._view = "compared"
        self._draw()

    def action_ids(self) -> None:
        """Show each token with its id, or without."""
        self._with_ids = not self._with_ids
        self._draw()

    def action_batch(self) -> None:
        """Show these examples as one batch; where they are shown so, the first batch of a run."""
        self._first_of_run = self._first_of_run if self._view != "batch" else not self._first_of_run
        self._show_batch()

    def action_packing(self) -> None:
        """Show the batch packed, or padded."""
        self._packing = not self._packing
        self._method = "sft"
        self._show_batch()

    def action_method(self) -> None:
        """Show the batch of another method."""
        self._method = SHOWN[(SHOWN.index(self._method) + 1) % len(SHOWN)]
        self._packing = False
        self._show_batch()

    def _show_batch(self) -> None:
        self._view = "batch"
        self._draw()

    def action_other(self) -> None:
        """Choose the model, the chat template or the template version to compare with."""
        known = lenses(self.studio.project, self.studio.store)

        def typed(name: str | None) -> None:
            if name:
                self._compare_with(name)

        def chosen(position: int | None) -> None:
            if position is None:
                return
            if position < len(known):
                self._compare_with(known[position])
            else:
                self.studio.push_screen(OtherModel(), typed)

        lines = [clean_line(name) for name in known]
        if not lines:
            self.studio.push_screen(OtherModel(), typed)
            return
        self.studio.push_screen(ChooseLine("Compare with", [*lines, "a folder or a file ..."]), chosen)

    def _compare_with(self, name: str) -> None:
        self._other = name
        self._view = "compared"
        self._draw()

    def action_chat_template(self) -> None:
        """Look at the chat template; what it makes of the examples is shown anew afterwards."""
        from screens.chat_template_window import ChatTemplateWindow

        def looked(_: None) -> None:
            self._batches = {}
            self._draw()

        self.studio.push_screen(ChatTemplateWindow(), looked)

    def action_switch_pane(self) -> None:
        """Go from one of the two that are compared to the other."""
        (self.second if self.first.has_focus and self._view == "compared" else self.first).focus()

    def action_prepare(self) -> None:
        """Prepare the model's tokenizer, once."""
        preview = Preview(self.studio.project)
        self._take(self._asked, Page([Span("preparing the tokenizer ...")]))
        in_background(self, lambda _: preview.prepare(lambda _: None), lambda _: self._draw())


class OtherModel(StudioModal[str]):
    """Asks for a model or a template by its path; gives None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = keys.FORM

    def compose(self) -> ComposeResult:
        """Lay the line under what it takes."""
        with Vertical(classes="window"):
            yield Static("Compare with a model's folder, a GGUF file, or a chat template (.jinja)", markup=False)
            yield PathLine()
            yield Static("enter: compare    tab: complete the path    esc: leave", markup=False)

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(PathLine).focus()

    def on_input_submitted(self) -> None:
        """Take what was typed."""
        self.action_submit()

    def action_submit(self) -> None:
        """Give the path; a bare name stays as it is."""
        text = self.query_one(PathLine).value.strip()
        self.dismiss(str(typed_path(text)) if "/" in text else text)


_WAITING: dict[View, str] = {
    "trained": "rendering ...",
    "batch": "A process with the trainer's libraries builds the batch; that takes some seconds ...",
    "compared": "rendering both ...",
}


def _trained(project: Project, asked: Asked, store: Store) -> Page:
    rows = rows_as_trained(Preview(project).tokenizer(), store, asked.examples)
    return Page(rows_spans(rows, with_ids=asked.with_ids))


def _batch(project: Project, asked: Asked, store: Store) -> Page:  # noqa: ARG001 (the process opens its own)
    tokenizer = Preview(project).tokenizer()
    examples_asked = () if asked.first_of_run else tuple(asked.examples)
    request = Request(asked.method, examples_asked, ("packing=true",) if asked.packing else ())
    batch = asked.batches.get(request) or read_batch(project.folder, request, lambda: get_current_worker().is_cancelled)
    if batch is None:
        return Page([])
    asked.batches[request] = batch
    return Page(batch_spans(batch, tokenizer, first=asked.first_of_run, with_ids=asked.with_ids))


def _compared(project: Project, asked: Asked, store: Store) -> Page:
    example = examples.get(store, asked.examples[asked.at])
    first = Preview(project).render(example.messages, example.tools)
    second = look_through(project, store, asked.other, example)
    left, right = compare(first, second, with_ids=asked.with_ids)
    titles = (Span(f"{name}\n\n", "bold underline") for name in (project.settings.model, asked.other))
    return Page([next(titles), *left], [next(titles), *right], f"Example {example.id}: {difference(first, second)}")
