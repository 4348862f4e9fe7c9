"""The window on a template: its texts beside what they make; adding, removing and walking through them."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import HELP_KEYS, StudioModal
from screens.choose import ChooseLine
from screens.dialogs import leave
from screens.template_draft import ADDABLE, TemplateDraft
from screens.template_texts import TemplateTexts
from screens.widgets.bars import KeyBar
from screens.widgets.text_view import TextView
from studio.settings import FewShot, TemplateSettings, TurnTemplate
from studio.templating.previewing import Preview
from studio.templating.sources import insertable
from studio.text import clean_line

MOST_SHOWN = 60
"""Characters of a field's value in the list of fields."""

_NO_TEMPLATE = TemplateSettings(turns=(TurnTemplate("user", ""),))


class TemplateWindow(StudioModal[None], inherit_bindings=False):
    """One text of the template in the editor, the others named above it, a record's example beside or below."""

    CSS_PATH = "template.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.TEMPLATE, *HELP_KEYS]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]

    title_line = query_one("#title", Static)
    texts = query_one(TemplateTexts)
    record_title = query_one("#record-title", Static)
    preview = query_one("#preview", TextView)
    said = query_one("#said", Static)

    def __init__(self, template: TemplateSettings | None) -> None:
        super().__init__()
        self._first = template or _NO_TEMPLATE
        self._saved = TemplateDraft(self._first).template
        self._is_new = template is None
        self._shown: Preview | None = None

    def compose(self) -> ComposeResult:
        """Lay the texts over, or beside, what they make."""
        with Vertical(classes="window tall"):
            yield Static("", id="title", classes="pane-title", markup=False)
            with Container(id="panes"):
                yield TemplateTexts(self._first)
                with Vertical(id="showing"):
                    yield Static("", id="record-title", classes="pane-title", markup=False)
                    yield TextView(id="preview")
            yield Static("", id="said", markup=False)
            yield KeyBar()

    @property
    def unsaved(self) -> str:
        """What would be lost."""
        return "The template in the editor is not saved." if self._template != self._saved else ""

    @property
    def _template(self) -> TemplateSettings:
        return self.texts.draft.template

    def action_next_part(self, step: int) -> None:
        """Go to another text of the template."""
        self.texts.go(step)

    def action_role(self) -> None:
        """Let another speak this turn."""
        if not self.texts.next_role():
            self.said.update("Only a turn has a role; F3 goes to the next text.")

    def action_add(self) -> None:
        """Choose what to add."""
        kinds = self.texts.draft.addable(self.texts.at)

        def chosen(position: int | None) -> None:
            if position is None:
                return
            if kinds[position] == "few-shot":
                self._ask_few_shot()
            else:
                self.texts.add_part(kinds[position])

        self.studio.push_screen(ChooseLine("Add", [f"{kind}: {ADDABLE[kind]}" for kind in kinds]), chosen)

    def _ask_few_shot(self) -> None:
        from screens.template_few_shot import FewShotWindow

        def chosen(few_shot: FewShot | None) -> None:
            if few_shot is not None:
                self.texts.add_part("few-shot", few_shot)

        self.studio.push_screen(FewShotWindow(), chosen)

    def action_remove(self) -> None:
        """Remove this text."""
        if not self.texts.remove_part():
            self.said.update("A template needs a name and a turn.")

    def action_insert(self) -> None:
        """Choose a field of the record, and put it where the cursor is."""
        fields = self._shown.record.fields if self._shown else None
        if not fields:
            self.said.update("This record has no fields.")
            return
        found = insertable(fields)
        width = min(max(len(name) for name, _ in found), 40)
        lines = [clean_line(f"{name:<{width}}  {sample[:MOST_SHOWN]}") for name, sample in found]

        def chosen(position: int | None) -> None:
            if position is not None:
                is_field = self.texts.part.role in ("messages", "prompt")
                name = found[position][0]
                self.texts.insert(name.removeprefix("{{ ").removesuffix(" }}") if is_field else name)

        self.studio.push_screen(ChooseLine("Insert a field", lines), chosen)

    def _say_title(self) -> None:
        state = "not saved" if self.unsaved else "new" if self._is_new else "saved"
        self.title_line.update(clean_line(f"Template {self._template.name} ({state}): how records become examples"))

    def action_cancel(self) -> None:
        """Leave the preview, then the window; after a question where something was changed."""
        if self.preview.has_focus:
            self.texts.area.focus()
        else:
            leave(self)
