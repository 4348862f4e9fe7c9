"""The form for a queue of Compare: which pairs, in which order, and what is asked of each."""

from typing import Any, ClassVar, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input, Static

from screens import keys
from screens.base import StudioModal, message_of
from screens.dialogs import leave
from screens.widgets.form_field import form_field
from screens.widgets.safe_text_area import SafeTextArea
from studio.errors import StudioError
from studio.labelling.task_changes import checked
from studio.labelling.task_settings import Choice, Order, Task

EXPLANATIONS = {
    "name": "What the queue is called; every verdict keeps the name that it was given under.",
    "query": "Which examples: a query as in Examples, or the name of a saved one; empty for all.",
    "planned": "How many comparisons it is to have; 0 for as many as there are.",
    "repeats": "The share of pairs that come back unannounced, to see whether you agree with yourself.",
    "anchors": "How many pairs of earlier sessions come back in each session.",
    "criteria": "Asked of each pair before the verdict, one key each; parted by commas.",
    "reasons": "Yours to give with r and a digit, 9 at most; parted by commas.",
    "strength": "yes asks how much better: h l slightly, H L clearly.",
    "ranking": "yes puts all replies to a prompt in order, with as few comparisons as that takes.",
}
LISTS = ("criteria", "reasons")
SWITCHES = {"yes": True, "no": False}
ORDERS: tuple[Order, ...] = get_args(Order)
CHOICES: tuple[Choice, ...] = get_args(Choice)


class TaskForm(StudioModal[Task]):
    """Asks for a queue; gives None when it was left."""

    CSS_PATH = "form.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (22, "-long")]
    BINDINGS: ClassVar[list[BindingType]] = keys.TASK_FORM

    order = query_one("#order", Static)
    instructions = query_one(SafeTextArea)
    explanation = query_one("#explanation", Static)
    problem = query_one("#problem", Static)

    def __init__(self, task: Task, *, before: Task | None) -> None:
        """Begin with a task; `before` is the one that the result takes the place of."""
        super().__init__()
        self._start = task
        self._before = before
        self._order: Order = task.order
        self._pairs: Choice = task.pairs
        self._begun: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Lay the fields over the instructions."""
        title = f"Queue {self._before.name}" if self._before else "A new queue"
        with Vertical(classes="window"):
            yield Static(title, markup=False, classes="pane-title")
            yield Static("", id="order", markup=False)
            for name in EXPLANATIONS:
                yield form_field(name, _written(getattr(self._start, name)))
            yield Static("instructions, for ? while judging:", markup=False)
            yield SafeTextArea(self._start.instructions, tab_behavior="focus", compact=True)
            yield Static("", id="explanation", markup=False)
            yield Static("", id="problem", markup=False)
            yield Static("f2: keep    f3: order    f4: pairs    tab: next field    esc: leave", markup=False)

    def on_mount(self) -> None:
        """Begin with the name."""
        self.instructions.cursor_blink = False
        self._show_choices()
        self._begun = self._written()
        self.query_one("#name", Input).focus()

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now."""
        # What comes back because it could not be written differs from what it is to take the place of.
        is_kept = self._start == self._before or not self._start.name
        return "" if is_kept and self._written() == self._begun else "The queue is not kept."

    def action_cancel(self) -> None:
        """Leave; ask first where something would be lost."""
        leave(self)

    def action_next_order(self) -> None:
        """Take the next order of the pairs."""
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._show_choices()

    def action_next_pairs(self) -> None:
        """Take the next choice of pairs."""
        self._pairs = CHOICES[(CHOICES.index(self._pairs) + 1) % len(CHOICES)]
        self._show_choices()

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Give the queue, unless something stands in the way."""
        try:
            task = checked(self.studio.project, self._values(), before=self._before)
        except StudioError as error:
            self.problem.update(message_of(error))
        else:
            self.dismiss(task)

    def on_descendant_focus(self) -> None:
        """Explain the field."""
        self.explanation.update(EXPLANATIONS.get(self.focused.id or "", "") if self.focused else "")

    def _show_choices(self) -> None:
        self.order.update(f"Order (f3): {self._order}    Pairs (f4): {self._pairs}")

    def _written(self) -> dict[str, str]:
        fields = {name: self.query_one(f"#{name}", Input).value for name in EXPLANATIONS}
        return {**fields, "order": self._order, "pairs": self._pairs, "instructions": self.instructions.text}

    def _values(self) -> dict[str, Any]:
        written = self._written()
        # A text in the file may hold a comma, which a list in one line can't say.
        same = {name: list(getattr(self._start, name)) for name in LISTS if written[name] == self._begun[name]}
        return {name: _read(name, text.strip()) for name, text in written.items()} | same | {"seed": self._start.seed}


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _read(name: str, text: str) -> object:
    """Return a field as a settings file has it; what can't be read stays text, which the check names."""
    if name in LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if name in ("planned", "anchors"):
        return int(text) if text.isdecimal() else text
    if name == "repeats":
        try:
            return float(text)
        except ValueError:
            return text
    if name in ("strength", "ranking"):
        return SWITCHES.get(text.casefold(), text)
    return text
