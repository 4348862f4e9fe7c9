"""Vary: new prompts from the chosen ones; which ways, by which model; said before it is begun."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.choose import ChooseLine
from screens.dialogs import Confirm
from screens.jobs_window import JobsWindow
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.typing_order import LineInput
from store import jobs
from store.database import Store
from studio.errors import StudioError
from studio.inference.choices import choices
from studio.jobs import launch
from studio.project import Project
from studio.synthetic.methods import MEANINGS, METHODS
from studio.synthetic.request import MOST_SOURCES, VaryRequest, plan
from studio.text import clean, clean_line

if TYPE_CHECKING:
    from screens.app import StudioApp

FIELDS = {"model": "", "each": "1", "at_most": str(MOST_SOURCES), "seed": "1"}
"""Names of the fields, with what they say at first; the model is the project's."""

KEYS_LINE = "space: choose  tab: fields  f2: start  f4: models  f6: jobs  esc: leave"
AFTER = "What is made is a draft in the split of its source; nothing uses it until somebody approves it."

Then = Callable[[], object]


class VaryWindow(StudioModal[int]):
    """Asks how to vary the chosen examples; gives the job's number once it was started."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.VARY

    ways = query_one(RecordTable)
    model = query_one("#model", Input)
    said = query_one("#problem", Static)

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__()
        self._ids = ids
        self._busy = False

    def compose(self) -> ComposeResult:
        """Lay the ways over the fields."""
        number = len(self._ids)
        with Vertical(classes="window"):
            title = f"Vary {number:,} {'example' if number == 1 else 'examples'}"
            yield Static(title, id="heading", classes="pane-title", markup=False)
            yield RecordTable([Column("Way", 14), Column("What it makes of a prompt")], _rows)
            for name, value in FIELDS.items():
                with Horizontal(classes="field"):
                    yield Static(name.replace("_", " "), classes="label", markup=False)
                    first = self.studio.project.settings.model if name == "model" else value
                    field = LineInput(first, id=name, select_on_focus=False)
                    field.cursor_blink = False
                    yield field
            yield Static(AFTER, id="problem", markup=False)
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
        self._work("choosing the examples ...", partial(_plan, self.studio.project, self._wanted, self._planned))

    def action_choose_model(self) -> None:
        """Choose a model from a list."""
        found = choices(self.studio.project, self.studio.store)

        def take(position: int | None) -> None:
            if position is not None:
                self.model.value = found[position].ref

        self.app.push_screen(ChooseLine("By which model", [clean_line(each.words) for each in found]), take)

    def action_jobs(self) -> None:
        """Show the jobs."""
        self.app.push_screen(JobsWindow())

    def _wanted(self, store: Store) -> VaryRequest:
        chosen = sorted(self.ways.selected) or [self.ways.cursor_id or 0]
        return plan(
            self.studio.project,
            store,
            [METHODS[position] for position in chosen],
            model=self.model.value.strip(),
            ids=self._ids,
            limit=self._number("at_most"),
            n=self._number("each"),
            seed=self._number("seed"),
        )

    def _number(self, name: str) -> int:
        text = self.query_one(f"#{name}", Input).value.strip()
        if not text.isdecimal() or not int(text):
            raise StudioError(f"{name.replace('_', ' ')} must be a whole number from 1 on, not {text!r}.")
        return int(text)

    def _planned(self, request: VaryRequest, leaves: str) -> None:
        if leaves:
            self.app.push_screen(Confirm(f"{leaves}\n\nSend it?", yes="Send it"), partial(self._agreed, request))
        else:
            self._start(request)

    def _agreed(self, request: VaryRequest, yes: bool | None) -> None:
        if yes:
            self._start(replace(request, send=True))

    def _start(self, request: VaryRequest) -> None:
        project = self.studio.project

        def start(store: Store) -> Then:
            return partial(self.dismiss, launch.start(project, store, "prompts", request.as_json()))

        self._work("starting ...", start)

    def _work(self, words: str, work: Callable[[Store], Then]) -> None:
        """Do something in the background, and then here what it gives."""
        if not self._busy:
            self._busy = True
            self.said.update(words)
            in_background(self, work, self._done, failed=self._failed, group="vary")

    def _done(self, then: Then) -> None:
        self._busy = False
        self.said.update(AFTER)
        then()

    def _failed(self, error: StudioError) -> None:
        self._busy = False
        self.said.update(message_of(error))


def _plan(
    project: Project,
    wanted: Callable[[Store], VaryRequest],
    planned: Callable[[VaryRequest, str], object],
    store: Store,
) -> Then:
    request = wanted(store)
    return partial(planned, request, clean(request.leaving(project)))


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
