"""The form for a new run: method, model, recipe; says what it would train on and what is wrong before it starts."""

from dataclasses import dataclass
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
from screens.base import StudioModal
from screens.widgets.typing_order import LineInput
from store.runs import Run
from studio.errors import StudioError
from studio.text import clean, clean_line
from studio.training.preflight import Preflight, preflight
from studio.training.recipe import METHODS, Method, make_recipe, settings

FIELDS = ("epochs", "learning_rate", "batch_size", "max_length", "lora_rank", "lora_alpha", "beta", "seed")
"""The settings with a line of their own; all others go into the last line."""

DPO_ONLY = frozenset({"beta"})

EXPLANATIONS = {
    "model": "smollm2, a Hugging Face folder, or a GGUF file.",
    "parent": "A finished run whose adapter this one goes on from; empty for a fresh adapter.",
    "more": "Any other setting, such as loss=ipo device=cpu gradient_checkpointing=true.",
}


@dataclass(frozen=True)
class NewRun:
    """What to start."""

    method: Method
    model: str
    overrides: list[str]
    parent: str | None


class NewRunForm(StudioModal[NewRun]):
    """Asks for a run; gives None when it was left."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.FORM

    heading = query_one("#heading", Static)
    rows = query_one("#rows-that-count", Static)
    problem = query_one("#problem", Static)
    explanation = query_one("#explanation", Static)

    def __init__(self, run: Run | None, method: Method = "dpo") -> None:
        super().__init__()
        self._go_on_from = run.id if run and run.status == "done" and run.method == "sft" else ""
        self._method: Method = method
        self._checked: dict[str, Preflight] = {}

    def compose(self) -> ComposeResult:
        """Lay the fields under what they decide."""
        with Vertical(classes="window"):
            yield Static("", id="heading", markup=False, classes="pane-title")
            yield Static("", id="rows-that-count", markup=False)
            yield from self._field("model", self.studio.project.settings.model)
            yield from self._field("parent", self._go_on_from)
            for name in FIELDS:
                yield from self._field(name, self._preset[name])
            yield from self._field("more", "")
            yield Static("", id="explanation", markup=False)
            yield Static("", id="problem", markup=False)
            yield Static("enter: start    f3: other method    tab: next field    esc: leave", markup=False)

    def on_mount(self) -> None:
        """Say what the form would do as it stands."""
        self._show_method()
        self.query_one("#epochs", Input).focus()

    def action_next_method(self) -> None:
        """Change the method; fields that were not touched take its preset."""
        before = self._preset
        self._method = METHODS[(METHODS.index(self._method) + 1) % len(METHODS)]
        for name in FIELDS:
            field = self.query_one(f"#{name}", Input)
            if field.value == before[name]:
                field.value = self._preset[name]
        self._show_method()

    @on(Input.Changed)
    def check(self) -> None:
        """Say at once what is wrong with the recipe."""
        self.problem.update(clean("\n".join(self._problems())))

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Start, unless something stands in the way."""
        if self._problems() or self._method not in self._checked:
            self.check()
            return
        model = self._value("model") or self.studio.project.settings.model
        self.dismiss(NewRun(self._method, model, self._overrides(), self._value("parent") or None))

    def on_descendant_focus(self) -> None:
        """Explain the field."""
        field = self.focused
        if field is not None and field.id:
            explained = EXPLANATIONS | {each.name: each.explanation for each in settings(self._method)}
            self.explanation.update(explained.get(field.id, ""))

    def _field(self, name: str, value: str) -> ComposeResult:
        with Horizontal(classes="field", id=f"row-{name}"):
            yield Static(name.replace("_", " "), classes="label", markup=False)
            field = LineInput(value, id=name, select_on_focus=False)
            field.cursor_blink = False
            yield field

    @property
    def _preset(self) -> dict[str, str]:
        return {name: f"{getattr(make_recipe(self._method, []), name):g}" for name in FIELDS}

    def _show_method(self) -> None:
        self.heading.update("New run: " + "  ".join(f"[{m}]" if m == self._method else f" {m} " for m in METHODS))
        for name in DPO_ONLY:
            self.query_one(f"#row-{name}").display = self._method == "dpo"
        self._show_rows()
        if self._method not in self._checked:
            work = partial(preflight, self.studio.project, method=self._method)
            in_background(self, work, partial(self._keep_rows, self._method), failed=self._failed)
        self.check()

    def _keep_rows(self, method: Method, found: Preflight) -> None:
        self._checked[method] = found
        self._show_rows()
        self.check()

    def _failed(self, error: StudioError) -> None:
        self.rows.update(clean_line(str(error)))

    def _show_rows(self) -> None:
        found = self._checked.get(self._method)
        self.rows.update("counting the rows ..." if found is None else clean_line(found.sentence))

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _overrides(self) -> list[str]:
        """Return what differs from the preset, as `KEY=VALUE`."""
        preset = self._preset
        names = [name for name in FIELDS if self._method == "dpo" or name not in DPO_ONLY]
        changed = [f"{name}={self._value(name)}" for name in names if self._value(name) != preset[name]]
        return changed + self._value("more").split()

    def _problems(self) -> list[str]:
        found = self._checked.get(self._method)
        problems = list(found.problems) if found else []
        try:
            make_recipe(self._method, self._overrides())
        except StudioError as error:
            problems.insert(0, str(error))
        return problems
