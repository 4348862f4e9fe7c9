"""Editing how records become examples: a template's texts beside what they make of a real record."""

from array import array
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.getters import query_one
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal
from screens.choose import ChooseLine
from screens.dialogs import Confirm
from screens.template_draft import ADDABLE, TemplateDraft
from screens.template_preview import preview_spans
from screens.template_scope import neighbour, scopes
from screens.template_texts import TemplateTexts
from screens.widgets.bars import KeyBar
from screens.widgets.text_view import TextView
from store import records
from store.database import Store
from studio.errors import StudioError
from studio.settings import FewShot, TemplateSettings, TurnTemplate
from studio.templates import compile_template
from studio.templating import versions
from studio.templating.applying import ids_of
from studio.templating.previewing import Preview, next_failing, preview
from studio.templating.ready import Ready
from studio.templating.saving import save_in_settings
from studio.templating.sources import insertable, ready_for
from studio.text import clean, clean_line

PREVIEW_DELAY = 0.2
"""Seconds without a key before the preview is made anew."""

MOST_SHOWN = 60
"""Characters of a field's value in the list of fields."""

_NO_TEMPLATE = TemplateSettings(turns=(TurnTemplate("user", ""),))


class TemplateEditor(StudioModal[None], inherit_bindings=False):
    """One text of the template in the editor, the others named above it, a record's example beside or below."""

    CSS_PATH = "template.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.TEMPLATE, *HELP_KEYS]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]

    title_line = query_one("#title", Static)
    texts = query_one(TemplateTexts)
    record_title = query_one("#record-title", Static)
    preview = query_one("#preview", TextView)
    said = query_one("#said", Static)

    def __init__(self, template: TemplateSettings | None, record_id: int, query: str = "") -> None:
        super().__init__()
        self._first = template or _NO_TEMPLATE
        self._saved = TemplateDraft(self._first).template
        self._is_new = template is None
        self._query = query
        self._ids: Sequence[int] = array("q", [record_id])
        self._record_id = record_id
        self._shown: Preview | None = None
        self._debounce: Timer | None = None

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

    def on_mount(self) -> None:
        """Of a project without a template, begin with one made for the record's source."""
        in_background(self, lambda store: ids_of(store, self._query), self._take_ids, group="records")
        if self._is_new:
            self._find_ready(lambda found: self.texts.use(found[0].template) if found else None)

    @property
    def unsaved(self) -> str:
        """What would be lost."""
        return "The template in the editor is not saved." if self._template != self._saved else ""

    @property
    def _template(self) -> TemplateSettings:
        return self.texts.draft.template

    def _take_ids(self, ids: "array[int]") -> None:
        if ids:
            self._ids = ids

    # The texts

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

    @on(TemplateTexts.Changed)
    def _follow(self) -> None:
        self._say_title()
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(PREVIEW_DELAY, self._preview)

    def _say_title(self) -> None:
        state = "not saved" if self.unsaved else "new" if self._is_new else "saved"
        self.title_line.update(clean_line(f"Template {self._template.name} ({state}): how records become examples"))

    # The record

    def action_next_record(self, step: int) -> None:
        """Preview another record."""
        self._go_to(neighbour(self._ids, self._record_id, step))

    def action_next_failing(self) -> None:
        """Look for the next record that the template fails on."""
        template, after, query = self._template, self._record_id, self._query
        self.said.update("looking for a record that it fails on ...")

        def look(store: Store) -> int | None:
            worker = get_current_worker()
            return next_failing(store, template, after, query, cancelled=lambda: worker.is_cancelled)

        in_background(self, look, self._found_failing, failed=self._say, group="failing", exclusive=True)

    def _found_failing(self, record_id: int | None) -> None:
        if record_id is None:
            self.said.update("It fails on no record.")
        else:
            self._go_to(record_id)

    def _go_to(self, record_id: int) -> None:
        self._record_id = record_id
        self._preview()

    def action_switch_pane(self) -> None:
        """Go to the preview or back."""
        (self.texts.area if self.preview.has_focus else self.preview).focus()

    def _preview(self) -> None:
        template, record_id = self._template, self._record_id
        in_background(
            self,
            lambda store: preview(store, template, record_id),
            lambda shown: self._show(shown) if (template, record_id) == self._wanted else None,
            failed=self._say,
            group="preview",
            exclusive=True,
        )

    @property
    def _wanted(self) -> tuple[TemplateSettings, int]:
        return self._template, self._record_id

    def _show(self, shown: Preview) -> None:
        self._shown = shown
        record = shown.record
        self.record_title.update(clean_line(f"{record.source}:{record.line} (ctrl+n: next, ctrl+o: before)"))
        self.preview.show(preview_spans(shown), keep_place=True)
        made = shown.effect
        draft = self.texts.draft
        at = draft.at(made.part) if made.part else None
        name = draft.label(at) if at is not None else made.part
        where = ", ".join(part for part in (name, str(made.place)) if part)
        self.said.update(clean(f"{where}: {made.reason}" if made.reason and where else made.reason))

    def _say(self, error: StudioError) -> None:
        self.said.update(clean(str(error)))

    # Versions

    def action_ready(self) -> None:
        """Choose one of the templates that are made for the record's source."""
        self._find_ready(self._choose_ready)

    def _find_ready(self, then: Callable[[list[Ready]], None]) -> None:
        record_id = self._record_id

        def find(store: Store) -> list[Ready]:
            return ready_for(store, records.get(store, record_id).source_id)

        in_background(self, find, then, failed=self._say, group="ready")

    def _choose_ready(self, found: list[Ready]) -> None:
        if not found:
            self.said.update("Nothing is known of rows like these; insert fields with ctrl+g.")
            return
        lines = [clean_line(f"{r.title} (as imported: {r.same:,} of {r.rows:,} rows)") for r in found]

        def chosen(position: int | None) -> None:
            if position is not None:
                self.texts.use(found[position].template)

        self.studio.push_screen(ChooseLine("Begin with", lines), chosen)

    def action_versions(self) -> None:
        """List the versions, each with what it says differently; enter goes on from one."""
        from screens.template_versions import VersionsWindow

        def chosen(template: TemplateSettings | None) -> None:
            if template is not None:
                self.texts.use(template)

        self.studio.push_screen(VersionsWindow(self._template), chosen)

    def action_save(self) -> None:
        """Save a version, and make it the project's template, after saying so."""
        template = self._template
        try:
            compile_template(template)
        except StudioError as error:
            self._say(error)
            return
        question = (
            f"Save {clean_line(template.name)}? studio.toml will say it in [template], so that files whose rows have "
            "its fields are imported by it. Examples that are here stay as they are until it is applied (F7)."
        )
        self.studio.push_screen(Confirm(question, yes="Save"), lambda yes: self._save(template) if yes else None)

    def _save(self, template: TemplateSettings) -> None:
        try:
            self.studio.project = save_in_settings(self.studio.project, template)
        except StudioError as error:
            self._say(error)
            return
        version = versions.save(self.studio.store, template)
        self._saved, self._is_new = template, False
        self._say_title()
        self.notify(f"Saved as {version}; studio.toml says it too.", markup=False)

    def action_apply(self) -> None:
        """Choose the records to apply it to, then look at what would change."""
        template = self._template
        try:
            compile_template(template)
        except StudioError as error:
            self._say(error)
            return
        choices = scopes(self._shown.record.source if self._shown else None, self._query)

        def chosen(position: int | None) -> None:
            if position is not None:
                self._plan(template, choices[position][1])

        self.studio.push_screen(ChooseLine("Apply it to", [words for words, _ in choices]), chosen)

    def _plan(self, template: TemplateSettings, query: str) -> None:
        from screens.template_plan import PlanWindow

        self.studio.push_screen(PlanWindow(template, query), lambda _: self._preview())

    def action_cancel(self) -> None:
        """Leave the preview, then the window; after a question where something was changed."""
        if self.preview.has_focus:
            self.texts.area.focus()
        elif not self.unsaved:
            self.dismiss(None)
        else:
            self.app.push_screen(Confirm(f"{self.unsaved} Leave without it?", yes="Leave"), self._leave_if)

    def _leave_if(self, yes: bool | None) -> None:
        if yes:
            self.dismiss(None)
