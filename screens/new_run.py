"""The form for a new run: method, model, recipe; says what it would train on and what is wrong before it starts."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import DescendantFocus
from textual.getters import query_one
from textual.timer import Timer
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import StudioModal
from screens.choose import ChooseLine
from screens.dialogs import leave
from screens.recipe_draft import RecipeDraft, draft_of
from screens.recipe_form import FoldedGroup, RecipeForm, say
from screens.run_choices import Value, values
from screens.run_start import kept_of_parent, proposed, proposed_method, waiting
from screens.widgets.bars import KeyBar
from screens.widgets.form_field import form_field
from store import runs
from store.runs import Run
from store.snapshots import SnapshotKind
from studio.checks.settings import chosen
from studio.errors import StudioError
from studio.text import clean, clean_line
from studio.training.plan.preflight import Preflight, preflight
from studio.training.recipe import METHODS, METHODS_IN_WORDS, Method, kind_of

if TYPE_CHECKING:
    from screens.plan_window import Planned

LOOK_SECONDS = 0.3
"""How long a name that is typed rests before it is looked up."""

WAITING_SECONDS = 1.0
"""How often is looked whether another run goes on still."""

COUNTING = "counting the rows ..."

RowsKey = tuple[Method, SnapshotKind, str]
"""A method, the kind of its rows, and the teacher: what decides how many rows there are."""

EXPLANATIONS = {
    "model": "The base model: smollm2, a Hugging Face folder, or a GGUF file. f4 lists those that are known.",
    "parent": "A run whose adapter or whole model this one goes on from; empty for a fresh start. f4 lists them.",
}


@dataclass(frozen=True)
class NewRun:
    """What to start."""

    method: Method
    model: str
    overrides: list[str]
    parent: str | None
    despite_findings: bool = False
    """Whether somebody said that errors in the data are no reason to leave it."""


class NewRunForm(StudioModal[NewRun]):
    """Asks for a run; gives None when it was left."""

    CSS_PATH = "form.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-normal")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-long")]
    BINDINGS: ClassVar[list[BindingType]] = keys.NEW_RUN

    heading = query_one("#heading", Static)
    rows = query_one("#rows-that-count", Static)
    recipe = query_one("#recipe", RecipeForm)
    model = query_one("#model", Input)
    parent_run = query_one("#parent", Input)
    explanation = query_one("#explanation", Static)
    problem = query_one("#problem", Static)

    def __init__(self, run: Run | None, *, draft: NewRun | None = None) -> None:
        """Ask, or ask again; a run that has learnt answers is proposed as the one to go on from."""
        super().__init__()
        self._before = run
        self._again = draft
        self._draft = draft_of(draft.method, draft.overrides) if draft else RecipeDraft("dpo")
        self._counted: dict[RowsKey, Preflight] = {}
        self._wrong = ""
        """Why the run can't begin with this model or parent; empty where it can."""
        self._waits_for = ""
        self._miscounted = ""
        """Why the rows could not be counted."""
        self._later: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the fields under what they decide."""
        model, parent = (again.model, again.parent or "") if (again := self._again) else self._proposed
        if not again:
            self._draft.method = proposed_method(self.studio.store)
        with Vertical(classes="window tall"):
            yield Static("", id="heading", markup=False, classes="pane-title")
            yield Static("", id="rows-that-count", markup=False)
            with Vertical(id="fields"):
                yield form_field("model", model)
                yield form_field("parent", parent, "none: a fresh adapter")
                yield RecipeForm(self._draft)
            yield Static("", id="explanation", markup=False)
            yield Static("", id="problem", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Say what the form would do as it stands."""
        self._show_method()
        self._show_waiting()
        self.set_interval(WAITING_SECONDS, self._show_waiting)
        self._look()
        self.query_one("#epochs", Input).focus()

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now."""
        if not self.is_mounted:
            return ""
        is_set = self._again or self._draft.overrides or self._proposed != (self._value("model"), self._value("parent"))
        return "What was set is not kept." if is_set else ""

    # What the keys do

    def action_cancel(self) -> None:
        """Leave; ask first where something would be lost."""
        leave(self)

    def action_choose_method(self) -> None:
        """Choose the method from a list with what each is for."""

        async def take(position: int | None) -> None:
            if position is not None and METHODS[position] != self._draft.method:
                await self._change_method(METHODS[position])

        lines = [f"{method:<8} {words}" for method, words in METHODS_IN_WORDS.items()]
        self.app.push_screen(ChooseLine("Method", lines, METHODS.index(self._draft.method)), take)

    def action_choose(self) -> None:
        """Choose the value of the field from a list."""
        field = self.focused
        if isinstance(field, Input) and field.id:
            setting = self.recipe.setting(field.id)
            choices = self._draft.choices(setting) if setting else ()
            work = partial(values, field.id, choices, self.studio.project)
            in_background(self, work, partial(self._list, field), group="values", exclusive=True)

    def action_plan(self) -> None:
        """Show what the run would be, before it is one."""
        from screens.plan_window import PlanWindow

        if self._is_ready():
            self.app.push_screen(PlanWindow(self._asked, self._waits_for), self._planned)

    async def action_fold(self) -> None:
        """Show every setting, or only those that matter most."""
        await self.recipe.fold_all()

    def action_reset(self) -> None:
        """Give the field the value that it has by itself."""
        if self.focused is not None and self.focused.id and self.recipe.setting(self.focused.id):
            self.recipe.reset(self.focused.id)

    def action_write_out(self) -> None:
        """Write the same for another tool."""
        from screens.written_out import choose_tool

        if not self._draft.problems:
            choose_tool(self.app, self._asked)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Start, unless something stands in the way."""
        if self._is_ready():
            self.dismiss(self._asked)

    # What follows from what is written

    @on(Input.Changed, "#model,#parent")
    def _look_later(self) -> None:
        if self._later is not None:
            self._later.stop()
        self._later = self.set_timer(LOOK_SECONDS, self._look)

    @on(RecipeForm.Changed)
    def _recipe_changed(self) -> None:
        self.check()
        if self._key not in self._counted:
            self._look_later()

    def check(self) -> None:
        """Say at once what is wrong with the recipe."""
        self._show_rows()
        say(self.problem, clean("\n".join(self._problems())))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Explain the field."""
        name = event.widget.id or ""
        words = EXPLANATIONS.get(name, "")
        if setting := self.recipe.setting(name):
            choices = ", ".join(self._draft.choices(setting))
            words = f"{setting.explanation} One of {choices}; space goes on." if choices else setting.explanation
        elif isinstance(event.widget, FoldedGroup):
            words = "Settings that most runs leave as they are; enter shows them, f6 shows all."
        say(self.explanation, words)

    async def _change_method(self, method: Method) -> None:
        at = self.focused.id if self.focused is not None else None
        self._draft.method = method
        self._draft.rows = None
        await self.recipe.show_method()
        self._show_method()
        self._look()
        again = self.query(f"#{at}") if at else None
        (again.first() if again else self.query_one("#epochs")).focus()

    def _show_method(self) -> None:
        method = self._draft.method
        self.heading.update(f"New run: {method}, {METHODS_IN_WORDS[method]}")
        self._show_all()

    def _list(self, field: Input, found: list[Value]) -> None:
        def take(position: int | None) -> None:
            if position is not None:
                self._take(field, found[position])

        if not self.is_active:
            # Something else was opened meanwhile.
            return
        if found:
            at = next((i for i, each in enumerate(found) if each.text == field.value), 0)
            title = (field.id or "").replace("_", " ").capitalize()
            self.app.push_screen(ChooseLine(title, [clean_line(each.words) for each in found], at), take)
        else:
            self.explanation.update("There is no list for this field: write a value.")

    def _take(self, field: Input, value: Value) -> None:
        several = field.id == "checks" and value.text and field.value.strip()
        field.value = f"{field.value.strip()}, {value.text}" if several else value.text
        if field.id == "parent" and value.text:
            self.model.value = runs.get(self.studio.store, value.text).base_model

    async def _planned(self, planned: "Planned | None") -> None:
        if planned is None:
            return
        if planned.start:
            self.dismiss(planned.run)
        elif planned.run.overrides != self._draft.overrides:
            self._draft.take(planned.run.overrides)
            await self.recipe.show_method()
            self.check()
            self.query_one("#epochs", Input).focus()

    def _look(self) -> None:
        """Look up what the names mean, and count the rows, in threads."""
        self._later = None
        start = self._value("parent"), self._value("model")
        begin = partial(kept_of_parent, self.studio.project, *start, self._draft.recipe)
        taken, refused = partial(self._begin_with, start), partial(self._refuse, start)
        in_background(self, begin, taken, failed=refused, group="start", exclusive=True)
        if self._key not in self._counted:
            method, kind, teacher = self._key
            count = partial(preflight, self.studio.project, method=method, kind=kind, teacher=teacher)
            counted = partial(self._keep_rows, self._key)
            self._miscounted = ""
            in_background(self, count, counted, failed=self._failed, group="count", exclusive=True)

    def _begin_with(self, start: tuple[str, str], kept: dict[str, Any]) -> None:
        if start == (self._value("parent"), self._value("model")):
            self._wrong, self._draft.kept = "", kept
            self._show_all()

    def _refuse(self, start: tuple[str, str], error: StudioError) -> None:
        if start == (self._value("parent"), self._value("model")):
            self._wrong, self._draft.kept = str(error), {}
            self._show_all()

    def _keep_rows(self, key: RowsKey, found: Preflight) -> None:
        self._counted[key] = found
        self._show_all()

    def _show_all(self) -> None:
        self.check()
        self.recipe.show()

    def _show_rows(self) -> None:
        found = self._counted.get(self._key)
        self._draft.rows = found.train if found else None
        if found is None:
            say(self.rows, self._miscounted or COUNTING)
        else:
            sentence = found.sentence(self._draft.recipe.held_out_rows)
            say(self.rows, f"{clean_line(sentence)}.{self._waits_for}")

    def _failed(self, error: StudioError) -> None:
        self._miscounted = clean_line(str(error))
        self._show_rows()

    def _show_waiting(self) -> None:
        self._waits_for = waiting(self.studio.project, self.studio.store)
        self._show_rows()

    @property
    def _proposed(self) -> tuple[str, str]:
        return proposed(self.studio.project, self._before)

    @property
    def _key(self) -> RowsKey:
        """What decides the rows."""
        recipe = self._draft.recipe
        return recipe.method, kind_of(recipe), recipe.teacher if recipe.method == "distill" else ""

    @property
    def _asked(self) -> NewRun:
        draft = self._draft
        return NewRun(draft.method, self._value("model"), draft.overrides, self._value("parent") or None)

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _is_ready(self) -> bool:
        self.check()
        if self._key not in self._counted and not self._miscounted:
            self.notify("The rows are being counted; press it again when they are.", markup=False)
        return self._key in self._counted and not self._problems()

    def _problems(self) -> list[str]:
        found = self._counted.get(self._key)
        problems = [*self._draft.problems, *([self._wrong] if self._wrong else [])]
        if self._draft.method == "grpo":
            try:
                chosen(self.studio.project.settings.checks, self._draft.recipe.checks)
            except StudioError as error:
                problems.append(str(error))
        return problems + (list(found.problems) if found else [])
