"""The chat template in use: where it is from, its traps, its text; and another in its place, for this project."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.dialogs import Confirm, leave
from screens.widgets.bars import KeyBar
from screens.widgets.safe_text_area import SafeTextArea
from screens.widgets.text_view import Span, TextView
from store.database import Store
from studio.errors import StudioError
from studio.project import Project

LEVELS = {"error": "ERROR", "warning": "warning", "info": "note"}


@dataclass(frozen=True)
class Shown:
    """What the window says of a template."""

    text: str
    spans: list[Span]


class ChatTemplateWindow(StudioModal[None]):
    """The template of the project's model; changes hold for previews, new runs and chats with base models."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.CHAT_TEMPLATE, *HELP_KEYS]

    view = query_one(TextView)

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None

    def compose(self) -> ComposeResult:
        """Lay the text over the keys."""
        with Vertical(classes="window tall"):
            yield Static("Chat template", classes="pane-title", markup=False)
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Look at it in a thread: the tokenizer takes a moment."""
        self.view.show("looking ...")
        self.view.focus()
        self._look()

    def _look(self) -> None:
        in_background(self, partial(_look, self.studio.project), self._show, failed=self._say)

    def _show(self, shown: Shown) -> None:
        self._shown = shown
        self.view.show(shown.spans)

    def _say(self, error: StudioError) -> None:
        # Another can be written all the same, or the model's own be used.
        self._show(Shown("", [Span(message_of(error))]))

    def action_edit(self) -> None:
        """Write a template for this project, beginning with the one in use."""
        if self._shown is not None:
            self.studio.push_screen(TemplateText(self._shown.text), self._take)

    def action_edit_outside(self) -> None:
        """Write it in $EDITOR."""
        from screens.external_editor import edit_outside

        if self._shown is not None:
            self._take(edit_outside(self.app, self._shown.text, suffix=".jinja"))

    def action_own(self) -> None:
        """Use the model's own template again, after a question."""
        if not self.studio.project.settings.chat_template:
            self.notify("The model's own template is in use.", markup=False)
            return
        question = "Use the model's own chat template again? The project's file stays where it is."
        self.studio.push_screen(Confirm(question, yes="Use it"), self._leave_override)

    def _take(self, text: str | None) -> None:
        from studio.chat_templates import set_override

        if text is None or self._shown is None or text == self._shown.text:
            return
        try:
            self.studio.project = set_override(self.studio.project, text)
        except StudioError as error:
            # What was written in an editor is not lost for a mistake in it.
            self.studio.push_screen(TemplateText(self._shown.text, text, message_of(error)), self._take)
        else:
            self._changed("The project's own chat template is in use now; runs that are done keep theirs.")

    def _leave_override(self, yes: bool | None) -> None:
        from studio.chat_templates import clear_override

        if not yes:
            return
        try:
            self.studio.project = clear_override(self.studio.project)
        except StudioError as error:
            self.studio.notify_error(error)
        else:
            self._changed("The model's own chat template is in use now.")

    def _changed(self, words: str) -> None:
        self.notify(words, markup=False)
        self._look()


class TemplateText(StudioModal[str]):
    """A template's text to edit; gives None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.TEMPLATE_TEXT, *HELP_KEYS]

    said = query_one("#said", Static)
    area = query_one(SafeTextArea)

    def __init__(self, text: str, draft: str | None = None, said: str = "") -> None:
        """Edit a text, or go on with a draft that something is to be said of."""
        super().__init__()
        self._before = text
        self._draft = draft
        self._said = said
        self._opened = text

    def compose(self) -> ComposeResult:
        """Lay the text over what is wrong with it."""
        with Vertical(classes="window tall"):
            yield Static("Chat template of this project (Jinja)", classes="pane-title", markup=False)
            text = self._before if self._draft is None else self._draft
            yield SafeTextArea(text, tab_behavior="focus", compact=True, show_line_numbers=True)
            yield Static(self._said, id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Write at once."""
        self.area.cursor_blink = False
        self.area.focus()
        if self._draft is None:
            # The editor makes line ends of other kinds into plain ones.
            self._opened = self.area.text

    @property
    def unsaved(self) -> str:
        """What would be lost."""
        return "The chat template in the editor is not saved." if self.area.text != self._opened else ""

    def action_submit(self) -> None:
        """Give the text, unless it is no template; one that was not touched as it came."""
        from studio.chat_templates import check

        text = self._before if self.area.text == self._opened else self.area.text
        try:
            check(text)
        except StudioError as error:
            self.said.update(message_of(error))
            return
        self.dismiss(text)

    def action_cancel(self) -> None:
        """Leave, after a question where something was changed."""
        leave(self)


def _look(project: Project, _: Store) -> Shown:
    from studio import models
    from studio.chat_templates import chosen, of_model, override_of
    from studio.rendering import load_tokenizer
    from studio.template_traps import traps

    model = models.resolve(project.settings.model)
    models.prepare(model, "tokenizer")
    template, own = chosen(project, model), of_model(model)
    if template is None:
        nothing = (
            f"{model.name} came without a chat template: it is a base model, made to continue texts. e writes one."
        )
        return Shown("", [Span(nothing)])
    found = traps(load_tokenizer(model.folder, template.text))
    spans = [Span(f"{model.name}, template from {template.origin}\n", "bold")]
    if override_of(project) is not None and own is not None:
        same = "It says the same as" if own.text == template.text else "It takes the place of"
        spans.append(Span(f"{same} {own.origin}.\n"))
    for trap in found:
        spans += [Span(f"\n{LEVELS[trap.level]}: {trap.name}\n", "bold"), Span(f"{trap.meaning}\n")]
    if not found:
        spans.append(Span("\nNone of the known traps was found in it.\n"))
    spans.append(Span(f"\n{template.text}\n"))
    return Shown(template.text, spans)
