"""The form that asks an AI judge: which model, about which pairs, and how many."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

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
from screens.widgets.typing_order import LineInput
from store.database import Store
from studio.ai_judge.request import JudgeRequest, plan
from studio.errors import StudioError
from studio.inference.choices import choices
from studio.jobs import launch
from studio.text import clean, clean_line

HINTS = {
    "model": "a run, a model, a GGUF file, or endpoint:MODEL",
    "task": "a queue's name, for its instructions; empty: all pairs",
    "at_most": "pairs, by chance; empty: all that you have decided",
}
AFTER = "Each pair is asked about in both orders. Your verdicts stay yours: nothing is written into them."
KEYS_LINE = "f2: ask    f4: models    tab: next field    esc: leave"

Then = Callable[[], object]


class AskJudge(StudioModal[int]):
    """Gives the job's number once a judge is being asked."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.ASK_JUDGE

    model = query_one("#model", Input)
    said = query_one("#problem", Static)

    def __init__(self, task: str = "") -> None:
        super().__init__()
        self._queue_named = task
        self._busy = False

    def compose(self) -> ComposeResult:
        """Lay the fields over what they come to."""
        first = {"model": self.studio.project.settings.model, "task": self._queue_named}
        with Vertical(classes="window"):
            yield Static("Ask an AI judge about the pairs that you have decided", classes="pane-title", markup=False)
            for name, hint in HINTS.items():
                with Horizontal(classes="field"):
                    yield Static(name.replace("_", " "), classes="label", markup=False)
                    field = LineInput(first.get(name, ""), id=name, placeholder=hint, select_on_focus=False)
                    field.cursor_blink = False
                    yield field
            yield Static(AFTER, id="problem", markup=False)
            yield Static(KEYS_LINE, markup=False, classes="status-line")

    def on_mount(self) -> None:
        """Begin with the model."""
        self.model.focus()

    def action_choose_model(self) -> None:
        """Choose a model from a list."""
        found = choices(self.studio.project, self.studio.store)

        def take(position: int | None) -> None:
            if position is not None:
                self.model.value = found[position].ref

        self.app.push_screen(ChooseLine("Which model judges", [clean_line(each.words) for each in found]), take)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Count the pairs, ask before anything leaves the machine, then start."""
        self._work("counting the pairs ...", self._plan)

    def _plan(self, store: Store) -> Then:
        model, task, at_most = (self.query_one(f"#{name}", Input).value.strip() for name in HINTS)
        if at_most and (not at_most.isdecimal() or not int(at_most)):
            raise StudioError(f"at most must be a whole number from 1 on, not {at_most!r}.")
        request = plan(self.studio.project, store, model=model, task=task, limit=int(at_most) if at_most else None)
        return partial(self._planned, request, clean(request.leaving(self.studio.project)))

    def _planned(self, request: JudgeRequest, leaves: str) -> None:
        if leaves:
            self.app.push_screen(Confirm(f"{leaves}\n\nSend it?", yes="Send it"), partial(self._agreed, request))
        else:
            self._start(request)

    def _agreed(self, request: JudgeRequest, yes: bool | None) -> None:
        if yes:
            self._start(replace(request, send=True))

    def _start(self, request: JudgeRequest) -> None:
        project = self.studio.project

        def start(store: Store) -> Then:
            return partial(self.dismiss, launch.start(project, store, "judge", request.as_json()))

        self._work("starting ...", start)

    def _work(self, words: str, work: Callable[[Store], Then]) -> None:
        """Do something in the background, and then here what it gives."""
        if not self._busy:
            self._busy = True
            self.said.update(words)
            in_background(self, work, self._done, failed=self._failed, group="ask")

    def _done(self, then: Then) -> None:
        self._busy = False
        self.said.update(AFTER)
        then()

    def _failed(self, error: StudioError) -> None:
        self._busy = False
        self.said.update(message_of(error))
