"""The windows of the chat: system prompt, sampling, and the prompt's tokens."""

from dataclasses import fields
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import StudioModal
from screens.token_text import LEGEND, tokens_of, tokens_spans
from screens.widgets.form_field import form_field
from screens.widgets.safe_text_area import SafeTextArea
from screens.widgets.text_view import Span, TextView
from store.database import Store
from store.examples import Message
from studio.errors import StudioError
from studio.inference.conversation import with_sampling
from studio.inference.engine import Sampling
from studio.project import Project
from studio.text import clean


class SystemPrompt(StudioModal[str]):
    """The system prompt to edit; gives None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = keys.SYSTEM_PROMPT

    def __init__(self, text: str) -> None:
        super().__init__()
        self._before = text
        self._shown = text

    def compose(self) -> ComposeResult:
        """Lay the text under what can be done."""
        with Vertical(classes="window tall"):
            yield Static("System prompt (f2: keep it, esc: leave it as it was)", markup=False, classes="pane-title")
            yield SafeTextArea(self._before, tab_behavior="focus", compact=True)

    def on_mount(self) -> None:
        """Write at once."""
        area = self.query_one(SafeTextArea)
        area.cursor_blink = False
        area.focus()
        self._shown = area.text

    def action_submit(self) -> None:
        """Give the text; one that was not touched as it came, down to its line ends."""
        text = self.query_one(SafeTextArea).text
        self.dismiss(self._before if text == self._shown else text.strip())


class SamplingForm(StudioModal[Sampling]):
    """The sampling settings to change; gives None when they were left."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.FORM

    problem = query_one("#problem", Static)

    def __init__(self, sampling: Sampling) -> None:
        super().__init__()
        self._sampling = sampling

    def compose(self) -> ComposeResult:
        """Lay a line a setting."""
        with Vertical(classes="window form"):
            yield Static("Sampling; temperature 0 takes the likeliest token", markup=False, classes="pane-title")
            for field in fields(Sampling):
                yield form_field(field.name, f"{getattr(self._sampling, field.name):g}")
            yield Static("", id="problem", markup=False)
            yield Static("enter: take them    tab: next    esc: leave them", markup=False)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Give the settings, unless one does not fit."""
        changes = {field.name: self.query_one(f"#{field.name}", Input).value.strip() for field in fields(Sampling)}
        try:
            self.dismiss(with_sampling(self._sampling, changes))
        except ValueError as error:
            self.problem.update(clean(str(error)))


class TokensWindow(StudioModal[None]):
    """A prompt as it is sent: the very ids, each with its text."""

    def __init__(self, model: str, messages: list[Message]) -> None:
        super().__init__()
        self._model = model
        self._messages = messages

    def compose(self) -> ComposeResult:
        """Lay the text in a window."""
        with Vertical(classes="window tall"):
            yield TextView()

    def on_mount(self) -> None:
        """Render in a thread."""
        view = self.query_one(TextView)
        view.show("rendering ...")
        view.focus()
        work = partial(_tokens, self.studio.project, self._model, self._messages)
        in_background(self, work, view.show, failed=self._failed)

    def _failed(self, error: StudioError) -> None:
        self.query_one(TextView).show(str(error))


def _tokens(project: Project, model: str, messages: list[Message], store: Store) -> list[Span]:
    from studio.inference.chat import resolve_chat_model
    from studio.rendering import render_prompt

    tokenizer = resolve_chat_model(project, store, model).load_tokenizer()
    rendering = render_prompt(tokenizer, messages)
    heading = Span(f"The prompt as {model} is given it\n\n", "bold")
    tokens = tokens_of(rendering, tokenizer.special_ids)
    return [heading, Span(f"{LEGEND}\n\n", "italic"), *tokens_spans(tokens, with_ids=True)]
