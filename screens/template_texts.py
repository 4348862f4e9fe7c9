"""The texts of a template, one of them in the editor and the others named above it."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Static, TextArea

from screens.template_draft import DraftPart, TemplateDraft
from screens.widgets.safe_text_area import SafeTextArea
from studio.settings import FewShot, TemplateSettings
from studio.text import clean_line


class TemplateTexts(Vertical):
    """Edits a template text by text."""

    class Changed(Message):
        """The template says something else, or another of its texts is shown."""

    names = query_one("#parts", Static)
    area = query_one(SafeTextArea)

    def __init__(self, template: TemplateSettings) -> None:
        super().__init__()
        self.draft = TemplateDraft(template)
        self.at = self._first_turn()

    def compose(self) -> ComposeResult:
        """Lay the names over the text of one."""
        yield Static("", id="parts", markup=False)
        yield SafeTextArea(tab_behavior="focus", compact=True)

    def on_mount(self) -> None:
        """Begin in the first turn."""
        self.area.cursor_blink = False
        self._load()
        self.area.focus()

    @property
    def part(self) -> DraftPart:
        """The text that is shown."""
        return self.draft.parts[self.at]

    def use(self, template: TemplateSettings) -> None:
        """Go on from another template."""
        self.draft = TemplateDraft(template)
        self.at = self._first_turn()
        self._load()

    def go(self, step: int) -> None:
        """Go to another text."""
        self.at = (self.at + step) % len(self.draft.parts)
        self._load()

    def next_role(self) -> bool:
        """Let another speak this turn; tell whether it is one."""
        if not self.draft.next_role(self.at):
            return False
        self._say()
        return True

    def add_part(self, kind: str, few_shot: FewShot | None = None) -> None:
        """Add a text, and go to it."""
        self.at = self.draft.add(kind, self.at, few_shot)
        self._load()
        self.area.focus()

    def remove_part(self) -> bool:
        """Remove this text; tell whether the template can be without it."""
        if not self.draft.remove(self.at):
            return False
        self.at = min(self.at, len(self.draft.parts) - 1)
        self._load()
        return True

    def insert(self, text: str) -> None:
        """Put a text where the cursor is."""
        self.area.insert(text)
        self.area.focus()

    @on(TextArea.Changed)
    def _keep(self) -> None:
        if self.part.few_shot is None and self.part.text != self.area.text:
            self.part.text = self.area.text
            self._say()

    def _load(self) -> None:
        shown = self.part.few_shot
        self.area.read_only = shown is not None
        turns = () if shown is None else shown.turns
        self.area.load_text(self.part.text if shown is None else "\n".join(f"{t.role}: {t.content}" for t in turns))
        self._say()

    def _say(self) -> None:
        names = [clean_line(self.draft.label(at)) for at in range(len(self.draft.parts))]
        marked = [(f"[{n}]", "bold reverse") if at == self.at else f" {n} " for at, n in enumerate(names)]
        self.names.update(Content.assemble(*marked))
        self.post_message(self.Changed())

    def _first_turn(self) -> int:
        return next(at for at, part in enumerate(self.draft.parts) if part.kind == "turn")
