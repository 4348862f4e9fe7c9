"""Vary: new prompts from the chosen ones; which ways, by which model; said before it is begun."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.job_form import JobForm, Then
from screens.jobs_window import JobsWindow
from screens.widgets.form_field import form_field
from screens.widgets.table import Column, RecordTable, Row
from store import jobs
from store.database import Store
from studio.errors import StudioError
from studio.jobs import launch
from studio.project import Project
from studio.synthetic.methods import MEANINGS, METHODS
from studio.synthetic.request import MOST_SOURCES, VaryRequest, plan
from studio.text import clean

if TYPE_CHECKING:
    from screens.app import StudioApp

FIELDS = {"model": "", "each": "1", "at_most": str(MOST_SOURCES), "seed": "1"}
"""Names of the fields, with what they say at first; the model is the project's."""

KEYS_LINE = "space: choose  tab: fields  f2: start  f4: models  f6: jobs  esc: leave"


class VaryWindow(JobForm[VaryRequest]):
    """Asks how to vary the chosen examples; gives the job's number once it was started."""

    AFTER = "What is made is a draft in the split of its source; nothing uses it until somebody approves it."
    BINDINGS: ClassVar[list[BindingType]] = keys.VARY

    ways = query_one(RecordTable)
    model = query_one("#model", Input)

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(_begin)
        self._ids = ids

    def compose(self) -> ComposeResult:
        """Lay the ways over the fields."""
        number = len(self._ids)
        with Vertical(classes="window"):
            title = f"Vary {number:,} {'example' if number == 1 else 'examples'}"
            yield Static(title, id="heading", classes="pane-title", markup=False)
            yield RecordTable([Column("Way", 14), Column("What it makes of a prompt")], _rows)
            for name, value in FIELDS.items():
                yield form_field(name, self.studio.project.settings.model if name == "model" else value)
            yield Static(self.AFTER, id="problem", markup=False)
            yield Static(KEYS_LINE, markup=False, classes="status-line")

    def on_mount(self) -> None:
        """Begin with the ways."""
        self.ways.styles.height = len(METHODS) + 1
        self.ways.show(range(len(METHODS)), cursor_id=0)
        self.ways.focus()

    @on(Input.Submitted)
    @on(RecordTable.Opened)
    def action_submit(self) -> None:
        """Start with the ways that are chosen, or with the one under the cursor."""
        self.work("choosing the examples ...", self._plan)

    def action_choose_model(self) -> None:
        """Choose a model from a list."""
        self.choose_from_models("By which model", self._take_model)

    def action_jobs(self) -> None:
        """Show the jobs."""
        self.app.push_screen(JobsWindow())

    def _take_model(self, ref: str) -> None:
        self.model.value = ref

    def _plan(self, store: Store) -> Then:
        chosen = sorted(self.ways.selected) or [self.ways.cursor_id or 0]
        request = plan(
            self.studio.project,
            store,
            [METHODS[position] for position in chosen],
            model=self.model.value.strip(),
            ids=self._ids,
            limit=self._number("at_most"),
            n=self._number("each"),
            seed=self._number("seed"),
        )
        return partial(self.start, request, clean(request.leaving(self.studio.project)))

    def _number(self, name: str) -> int:
        text = self.query_one(f"#{name}", Input).value.strip()
        if not text.isdecimal() or not int(text):
            raise StudioError(f"{name.replace('_', ' ')} must be a whole number from 1 on, not {text!r}.")
        return int(text)


def _begin(project: Project, store: Store, request: VaryRequest) -> int:
    return launch.start(project, store, "prompts", request.as_json())


def _rows(positions: list[int]) -> dict[int, Row]:
    return {position: Row((METHODS[position], MEANINGS[METHODS[position]])) for position in positions}


def open_vary(app: "StudioApp", ids: Sequence[int], ended: Callable[[], object]) -> None:
    """Ask how to vary examples; where a job goes on already, show the jobs instead.

    Args:
        app: the app.
        ids: the examples.
        ended: called once the window with the jobs is left: something may have been made.
    """

    def shown(_: None) -> None:
        ended()

    def started(job_id: int | None) -> None:
        if job_id is not None:
            app.push_screen(JobsWindow(), shown)

    if jobs.running(app.store):
        app.push_screen(JobsWindow(), shown)
    else:
        app.push_screen(VaryWindow(ids), started)
