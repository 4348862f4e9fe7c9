"""The versions of the project's templates: what each says differently, and taking back what one changed."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS
from screens.dialogs import Confirm
from screens.list_over_text import ListOverText
from screens.widgets.bars import KeyBar
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store.database import Store
from store.templates import examples_of_each
from studio.settings import TemplateSettings
from studio.templating import applying, versions
from studio.templating.versions import Version


class VersionsWindow(ListOverText[TemplateSettings]):
    """A list of versions over how the one under the cursor differs; gives the one that is opened."""

    CSS_PATH = "template.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.TEMPLATE_VERSIONS, *HELP_KEYS]

    said = query_one("#said", Static)

    def __init__(self, draft: TemplateSettings) -> None:
        super().__init__()
        self._draft = draft
        self._against_draft = True
        self._versions: list[Version] = []
        self._used: dict[int, int] = {}

    def compose(self) -> ComposeResult:
        """Lay the list over the difference."""
        columns = [Column("Version", 24), Column("Examples", 9), Column("When (UTC)")]
        with Vertical(classes="window tall"):
            yield Static("Enter goes on from a version; esc closes.", classes="pane-title", markup=False)
            yield RecordTable(columns, self._rows, empty="No version yet: F2 in the editor saves one.")
            yield Static("", id="said", markup=False)
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Show them, the newest first."""
        self._fill()
        self.table.focus()

    def _fill(self) -> None:
        self._versions = versions.of_project(self.studio.store)
        self.table.show(range(len(self._versions)), cursor_id=self.table.cursor_id)
        in_background(self, examples_of_each, self._take_used, group="used")

    def _take_used(self, used: dict[int, int]) -> None:
        self._used = used
        self.table.refresh_rows()

    def _rows(self, positions: list[int]) -> dict[int, Row]:
        rows = {}
        for position in positions:
            version = self._versions[position]
            used = f"{self._used.get(version.id, 0):,}"
            rows[position] = Row((f"{version.name}:{version.number}", used, version.created_at[:19]))
        return rows

    @property
    def _here(self) -> Version | None:
        return None if self.table.cursor_id is None else self._versions[self.table.cursor_id]

    @on(RecordTable.Highlighted)
    def action_show(self) -> None:
        """Show how the version under the cursor differs."""
        version = self._here
        if version is None:
            return
        older = [v for v in self._versions if v.name == version.name and v.number < version.number]
        if self._against_draft:
            words, lines = "From this version to the draft", versions.difference(version.template, self._draft)
        elif older:
            words, lines = f"From {older[0]} to it", versions.difference(older[0].template, version.template)
        else:
            words, lines = "The first of its name", versions.as_toml(version.template).splitlines()
        self.said.update(f"{words} (v: the other):" if lines else f"{words}: nothing differs (v: the other)")
        self.text.show([Span(f"{line}\n", "bold" if line[:1] in ("+", "-") else "") for line in lines])

    def action_next_view(self) -> None:
        """Change between the difference from the draft and from the version before."""
        self._against_draft = not self._against_draft
        self.action_show()

    @on(RecordTable.Opened)
    def _take(self, event: RecordTable.Opened) -> None:
        self.dismiss(self._versions[event.row_id].template)

    def action_take_back(self) -> None:
        """Bring the examples that this version changed back to what they said before, after a question."""
        version = self._here
        if version is None:
            return
        question = f"Bring the examples that {version} changed back to what they said before? Later edits stay."
        self.studio.push_screen(
            Confirm(question, yes="Bring back"), lambda yes: self._take_back(version) if yes else None
        )

    def _take_back(self, version: Version) -> None:
        def work(store: Store) -> int:
            from textual.worker import get_current_worker

            worker = get_current_worker()
            return applying.take_back(store, version.id, cancelled=lambda: worker.is_cancelled)

        def done(number: int) -> None:
            self.notify(f"{number:,} examples say again what they said before {version}.", markup=False)
            self._fill()

        self.said.update("bringing back ...")
        in_background(self, work, done, group="back")
