"""The form that asks an AI judge: which model, about which pairs, and how many."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.job_form import JobForm, Then
from screens.widgets.form_field import form_field
from store.database import Store
from studio.ai_judge.request import JudgeRequest, plan
from studio.errors import StudioError
from studio.jobs import launch
from studio.project import Project
from studio.text import clean

HINTS = {
    "model": "a run, a model, a GGUF file, or endpoint:MODEL",
    "task": "a queue's name, for its instructions; empty: all pairs",
    "at_most": "pairs, by chance; empty: all that you have decided",
}
KEYS_LINE = "f2: ask    f4: models    tab: next field    esc: leave"


class AskJudge(JobForm[JudgeRequest]):
    """Gives the job's number once a judge is being asked."""

    AFTER = "Each pair is asked about in both orders. Your verdicts stay yours: nothing is written into them."
    BINDINGS: ClassVar[list[BindingType]] = keys.ASK_JUDGE

    model = query_one("#model", Input)

    def __init__(self, task: str = "") -> None:
        super().__init__(_begin)
        self._queue_named = task

    def compose(self) -> ComposeResult:
        """Lay the fields over what they come to."""
        first = {"model": self.studio.project.settings.model, "task": self._queue_named}
        with Vertical(classes="window"):
            yield Static("Ask an AI judge about the pairs that you have decided", classes="pane-title", markup=False)
            for name, hint in HINTS.items():
                yield form_field(name, first.get(name, ""), hint)
            yield Static(self.AFTER, id="problem", markup=False)
            yield Static(KEYS_LINE, markup=False, classes="status-line")

    def on_mount(self) -> None:
        """Begin with the model."""
        self.model.focus()

    def action_choose_model(self) -> None:
        """Choose a model from a list."""
        self.choose_from_models("Which model judges", self._take_model)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Count the pairs, ask before anything leaves the machine, then start."""
        self.work("counting the pairs ...", self._plan)

    def _plan(self, store: Store) -> Then:
        model, task, at_most = (self.query_one(f"#{name}", Input).value.strip() for name in HINTS)
        if at_most and (not at_most.isdecimal() or not int(at_most)):
            raise StudioError(f"at most must be a whole number from 1 on, not {at_most!r}.")
        request = plan(self.studio.project, store, model=model, task=task, limit=int(at_most) if at_most else None)
        return partial(self.start, request, clean(request.leaving(self.studio.project)))

    def _take_model(self, ref: str) -> None:
        self.model.value = ref


def _begin(project: Project, store: Store, request: JudgeRequest) -> int:
    return launch.start(project, store, "judge", request.as_json())
