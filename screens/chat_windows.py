"""The windows in which a chat is held otherwise: system prompt and sampling."""

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.base import StudioModal
from screens.dialogs import leave
from screens.widgets.form_field import form_field
from screens.widgets.safe_text_area import SafeTextArea
from studio.chatting.settings import ChatSettings, with_sampling
from studio.text import clean

LEAST = {"context": 64, "alternatives": 0}
MOST = {"context": 1_048_576, "alternatives": 20}


class SystemPrompt(StudioModal[str]):
    """The system prompt to edit; gives None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = keys.SYSTEM_PROMPT

    area = query_one(SafeTextArea)

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
        self.area.cursor_blink = False
        self.area.focus()
        self._shown = self.area.text

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now."""
        return "" if self.area.text == self._shown else "The system prompt is not kept."

    def action_submit(self) -> None:
        """Give the text; one that was not touched as it came, down to its line ends."""
        text = self.area.text
        self.dismiss(self._before if text == self._shown else text.strip())

    def action_cancel(self) -> None:
        """Leave, after a question where something was changed."""
        leave(self)


class SamplingForm(StudioModal[ChatSettings]):
    """How tokens are chosen and for how many there is room, to change; gives None when they were left."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.FORM

    problem = query_one("#problem", Static)

    def __init__(self, settings: ChatSettings) -> None:
        super().__init__()
        self._settings = settings

    def compose(self) -> ComposeResult:
        """Lay a line a setting."""
        with Vertical(classes="window form"):
            yield Static("Sampling; temperature 0 takes the likeliest token", markup=False, classes="pane-title")
            with Vertical(id="fields"):
                for name, value in vars(self._settings.sampling).items():
                    yield form_field(name, f"{value:g}" if isinstance(value, float) else str(value))
                yield form_field("context", str(self._settings.context), "tokens of prompt and reply together")
                yield form_field("alternatives", str(self._settings.alternatives), "kept of each token, 0 for none")
            yield Static("", id="problem", markup=False)
            yield Static("enter: take them    tab: next    esc: leave them", markup=False)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Give the settings, unless one does not fit."""
        written = {one.id or "": one.value.strip() for one in self.query(Input)}
        numbers = {name: written.pop(name) for name in LEAST}
        try:
            sampling = with_sampling(self._settings.sampling, written)
            context, alternatives = (_count(name, text) for name, text in numbers.items())
        except ValueError as error:
            self.problem.update(clean(str(error)))
            return
        if context <= sampling.max_tokens:
            self.problem.update("context must be more than max_tokens: it holds the prompt too")
            return
        self.dismiss(replace(self._settings, sampling=sampling, context=context, alternatives=alternatives))


def _count(name: str, text: str) -> int:
    """Return a whole number.

    Raises:
        ValueError: it is none, or too small; the message says which.
    """
    least, most = LEAST[name], MOST[name]
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, not {text!r}") from None
    if not least <= number <= most:
        raise ValueError(f"{name} must be between {least:,} and {most:,}")
    return number
