"""Editing how records become examples: a template's texts beside what they make of a real record."""

from array import array
from collections.abc import Callable, Sequence

from textual import on
from textual.timer import Timer
from textual.worker import get_current_worker

from screens.background import in_background
from screens.choose import ChooseLine
from screens.dialogs import Confirm
from screens.template_draft import TemplateDraft
from screens.template_preview import preview_spans
from screens.template_scope import neighbour, scopes
from screens.template_texts import TemplateTexts
from screens.template_window import TemplateWindow
from store import records
from store.database import Store
from studio.errors import StudioError
from studio.settings import TemplateSettings
from studio.templates import compile_template
from studio.templating import versions
from studio.templating.applying import ids_of
from studio.templating.previewing import Preview, next_failing, preview
from studio.templating.ready import Ready
from studio.templating.saving import save_in_settings
from studio.templating.sources import ready_for
from studio.text import clean, clean_line

PREVIEW_DELAY = 0.2
"""Seconds without a key before the preview is made anew."""


class TemplateEditor(TemplateWindow):
    """Tries the texts on records while they are written, and saves and applies them."""

    def __init__(self, template: TemplateSettings | None, record_id: int, query: str = "") -> None:
        super().__init__(template)
        self._query = query
        self._ids: Sequence[int] = array("q", [record_id])
        self._record_id = record_id
        self._debounce: Timer | None = None

    def on_mount(self) -> None:
        """Of a project without a template, begin with one made for the record's source."""
        in_background(self, lambda store: ids_of(store, self._query), self._take_ids, group="records")
        if self._is_new:
            self._find_ready(self._begin)

    def _begin(self, found: list[Ready]) -> None:
        if found and not self.unsaved:
            self._saved = TemplateDraft(found[0].template).template
            self.texts.use(found[0].template)

    def _take_ids(self, ids: "array[int]") -> None:
        if ids:
            self._ids = ids

    @on(TemplateTexts.Changed)
    def _follow(self) -> None:
        self._say_title()
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(PREVIEW_DELAY, self._preview)

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
