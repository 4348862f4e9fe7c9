"""Saying what the columns of an unknown file mean, with the example that a row would become beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.base import StudioModal, message_of
from screens.choose import ChooseLine
from screens.mapping_draft import Draft, Subject
from screens.paths import PathLine, shortest, typed_path
from screens.widgets.bars import KeyBar
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView
from studio import mapping
from studio.errors import StudioError
from studio.file_look import FileLook
from studio.mapping import Mapping
from studio.project import Project
from studio.text import clean_line


@dataclass(frozen=True)
class HowToRead:
    """How a person wants a file to be read."""

    mapping: Mapping | None = None
    """None: by its shape."""
    plain: bool = False
    """As records without examples."""


class MappingWindow(StudioModal[HowToRead]):
    """The columns of a file with their meanings over a preview; gives None when it was left."""

    CSS_PATH = "mapping.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.MAPPING

    table = query_one("#columns", RecordTable)
    preview = query_one("#preview", TextView)
    said = query_one("#said", Static)
    row_title = query_one("#row-title", Static)

    def __init__(self, project: Project, look: FileLook) -> None:
        super().__init__()
        self._draft = Draft(project, look)
        self._row = 0

    def compose(self) -> ComposeResult:
        """Lay the list over what is in the way, and over the preview."""
        columns = [Column("Column", 20), Column("Means", 11), Column("Kind", 6), Column("Lacks", 5), Column("Samples")]
        with Vertical(classes="window tall"):
            yield Static(self._title(), classes="pane-title", markup=False)
            yield RecordTable(columns, self._lines, empty="no columns", id="columns")
            yield Static("", id="said", markup=False)
            yield Static("", id="row-title", classes="pane-title", markup=False)
            yield TextView(id="preview")
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the list."""
        self._show()
        self.table.focus()

    def action_cycle(self, step: int) -> None:
        """Give what is under the cursor another meaning."""
        if subject := self._here():
            self._draft.cycle(subject, step)
            self._show(subject)

    def action_clear(self) -> None:
        """Take the meaning of what is under the cursor away."""
        if subject := self._here():
            self._give(subject, "")

    def action_next_row(self, step: int) -> None:
        """Preview another row of the sample."""
        self._row = (self._row + step) % len(self._draft.look.sample)
        self._show_preview()

    def action_take(self) -> None:
        """Give the mapping, unless something is in the way."""
        is_ready, words = self._draft.state()
        if not is_ready:
            self.said.update(clean_line(words))
            return
        said = self._draft.mapping
        self.dismiss(HowToRead(said if said.columns or said.verdicts else None))

    def action_plain(self) -> None:
        """Keep the rows as records."""
        self.dismiss(HowToRead(plain=True))

    def action_save(self) -> None:
        """Ask for a file to keep the mapping in."""
        said = self._draft.mapping
        if not (said.columns or said.verdicts):
            self.said.update("Nothing is said yet that could be kept.")
            return
        place = self.studio.project.folder / f"{self._draft.look.path.name.split('.')[0]}.mapping.toml"
        self.studio.push_screen(AskPath("Save the mapping as", shortest(place)), self._save)

    def action_load(self) -> None:
        """Ask for a mapping that was kept."""
        place = f"{shortest(self.studio.project.folder)}/"
        self.studio.push_screen(AskPath("Use the mapping in", "" if place == "./" else place), self._load)

    def action_switch_pane(self) -> None:
        """Go to the preview or back."""
        (self.table if self.preview.has_focus else self.preview).focus()

    @on(RecordTable.Opened)
    def _choose(self, event: RecordTable.Opened) -> None:
        subject = self._draft.subjects[event.row_id]
        names = ["", *subject.meanings]
        width = max(map(len, names))
        lines = ["nothing", *(f"{name:<{width}}  {words}" for name, words in subject.meanings.items())]

        def chosen(position: int | None) -> None:
            if position is not None:
                self._give(subject, names[position])

        title = f"{'The column' if subject.column else 'The verdict code'} {clean_line(subject.name)[:60]} is"
        self.studio.push_screen(ChooseLine(title, lines, names.index(self._draft.meaning(subject))), chosen)

    def _save(self, text: str | None) -> None:
        if not text:
            return
        path = typed_path(text)
        try:
            mapping.save(self._draft.mapping, path)
        except StudioError as error:
            self.said.update(clean_line(str(error)))
        else:
            self.said.update(clean_line(f"Saved: {path}. `studio import --map {path}` uses it too."))

    def _load(self, text: str | None) -> None:
        if not text:
            return
        try:
            self._draft.use(mapping.load(typed_path(text)))
        except StudioError as error:
            self.said.update(clean_line(message_of(error)))
        else:
            self._show()

    def _here(self) -> Subject | None:
        position = self.table.cursor_id
        return None if position is None else self._draft.subjects[position]

    def _give(self, subject: Subject, meaning: str) -> None:
        self._draft.give(subject, meaning)
        self._show(subject)

    def _show(self, here: Subject | None = None) -> None:
        """Show the list, the cursor where it was, although a verdict column brings its codes along."""
        subjects = self._draft.subjects
        self.table.show(range(len(subjects)), cursor_id=subjects.index(here) if here in subjects else None)
        self.said.update(clean_line(self._draft.state()[1]))
        self._show_preview()

    def _show_preview(self) -> None:
        of_all = len(self._draft.look.sample)
        self.row_title.update(f"What row {self._row + 1} of the first {of_all} becomes (n: the next one, tab: read it)")
        self.preview.show(self._draft.preview(self._row))

    def _lines(self, positions: list[int]) -> dict[int, Row]:
        subjects = self._draft.subjects
        return {position: self._draft.line(subjects[position]) for position in positions if position < len(subjects)}

    def _title(self) -> str:
        look = self._draft.look
        shape = f"looks like {look.format.name}" if look.format else "of no known shape"
        how = "read by the project's template" if look.by_template else shape
        return clean_line(f"{look.path.name}: {look.layout.container}, {how}")


class AskPath(StudioModal[str]):
    """A line for the path of a file; gives None when it was left."""

    def __init__(self, title: str, path: str) -> None:
        super().__init__()
        self._title = title
        self._path = path

    def compose(self) -> ComposeResult:
        """Lay the line under the question."""
        with Vertical(classes="window"):
            yield Static(f"{self._title} (enter: do it, tab: complete, esc: leave)", classes="pane-title", markup=False)
            yield PathLine(self._path)

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(PathLine).focus()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        self.dismiss(str(Path(event.value.strip())) if event.value.strip() else None)
