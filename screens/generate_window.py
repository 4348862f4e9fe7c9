"""New replies: which models answer which prompts, how often, and which pairs come of it; said before it is begun."""

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

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
from store import jobs
from store.database import Store
from studio.errors import StudioError
from studio.generating import plan
from studio.generating.pairing import KINDS, PairKind
from studio.generating.speakers import check_model
from studio.generating.wanted import Wanted, describe, wanted
from studio.inference.engine import Sampling
from studio.project import Project
from studio.text import clean

if TYPE_CHECKING:
    from screens.app import StudioApp

FIELDS = {
    "models": "With spaces between: runs, models, GGUF files, endpoint:MODEL.",
    "n": "Replies of each model to a prompt at each temperature; empty: enough to compare two.",
    "temperatures": "One or more, with spaces between; at 0 a model always says the same.",
    "max_tokens": "The longest reply; those that are cut there are marked.",
    "query": "Which prompts, by a query; empty: those with fewer than two replies.",
    "limit": "At most so many prompts, the first ones; empty: all.",
    "seed": "Decides the seed of every reply; empty: by chance.",
}
NOTHING = "no prompt is meant (all have two replies, or none is found); a query names others"
KEYS_LINE = "f3: pairs  f4: models  f6: jobs  tab: next  esc: leave"


@dataclass(frozen=True)
class Asked:
    """What the form says; equal where it says the same."""

    values: tuple[str, ...]
    pairs: str


class GenerateForm(JobForm[Wanted]):
    """Asks what to make; gives the job's number once it was started."""

    BINDINGS: ClassVar[list[BindingType]] = keys.GENERATE

    heading = query_one("#heading", Static)
    explanation = query_one("#explanation", Static)
    models = query_one("#models", Input)

    def __init__(self, ids: Sequence[int] = ()) -> None:
        super().__init__(plan.begin)
        self._ids = ids
        """The examples meant; empty where a query says it."""
        self._seed = secrets.randbits(31)
        self._pairs: PairKind | Literal[""] = ""
        """The kind of pairs; empty as long as it follows from the models and temperatures."""
        self._looked: tuple[Asked, Wanted, str] | None = None

    def compose(self) -> ComposeResult:
        """Lay the fields over what they come to."""
        first = {
            "models": self.studio.project.settings.model,
            "temperatures": f"{Sampling.temperature:g}",
            "max_tokens": f"{Sampling.max_tokens}",
        }
        with Vertical(classes="window"):
            yield Static("", id="heading", markup=False, classes="pane-title")
            for name in FIELDS:
                yield form_field(name, first.get(name, ""))
            yield Static("", id="explanation", markup=False)
            yield Static("", id="problem", markup=False)
            yield Static(KEYS_LINE, markup=False, classes="status-line")

    def on_mount(self) -> None:
        """Say what the form comes to as it stands."""
        for name in ("query", "limit"):
            self.query_one(f"#row-{name}").display = not self._ids
        self._show_heading()
        self.models.focus()
        self.action_look()

    def on_descendant_focus(self) -> None:
        """Explain the field."""
        if self.focused is not None:
            self.explanation.update(FIELDS.get(self.focused.id or "", ""))

    def action_next_pairs(self) -> None:
        """Take the next choice of pairs."""
        kinds: list[PairKind | Literal[""]] = ["", *KINDS]
        self._pairs = kinds[(kinds.index(self._pairs) + 1) % len(kinds)]
        self._show_heading()

    def action_choose_model(self) -> None:
        """Choose a model from a list, and add it to the line."""
        self.choose_from_models("Add a model", self._add_model)

    def action_jobs(self) -> None:
        """Show the jobs instead."""
        self.app.push_screen(JobsWindow())

    def action_look(self) -> None:
        """Count the prompts and say what would be made."""
        self.work("counting the prompts ...", partial(self._look, self._asked, self.studio.project))

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Start what was looked at; look first where the form says something else by now."""
        if self._looked is None or self._looked[0] != self._asked:
            self.action_look()
            return
        _, request, leaves = self._looked
        if not request.examples:
            self.said.update(f"Not begun: {NOTHING}.")
        else:
            self.start(request, leaves)

    def _add_model(self, ref: str) -> None:
        self.models.value = f"{self.models.value} {shlex.quote(ref)}".strip()

    @property
    def _asked(self) -> Asked:
        return Asked(tuple(self.query_one(f"#{name}", Input).value.strip() for name in FIELDS), self._pairs)

    def _look(self, asked: Asked, project: Project, store: Store) -> Then:
        request = self._request(asked, store)
        for ref in request.models:
            check_model(project, store, ref)
        leaves = plan.statement(project, store, request)
        return partial(self._show_plan, asked, request, leaves)

    def _request(self, asked: Asked, store: Store) -> Wanted:
        value = dict(zip(FIELDS, asked.values, strict=True))
        limit = number_of("limit", value["limit"])
        meant = plan.chosen(store, [self._ids]) if self._ids else plan.prompts(store, value["query"])[:limit]
        seed = number_of("seed", value["seed"])
        return wanted(
            names_of(value["models"]),
            meant,
            n=number_of("n", value["n"]),
            temperatures=heats_of(value["temperatures"]),
            seed=self._seed if seed is None else seed,
            max_tokens=number_of("max tokens", value["max_tokens"]) or Sampling.max_tokens,
            pairs=asked.pairs or None,
        )

    def _show_plan(self, asked: Asked, request: Wanted, leaves: str) -> None:
        self._looked = (asked, request, leaves)
        start = "enter starts it" if request.examples else NOTHING
        out = ["Something leaves this machine; you are asked before."] if leaves else []
        self.said.update(clean("\n".join([*describe(request), *out, f"Not begun: {start}."])))

    def _show_heading(self) -> None:
        which = f"{len(self._ids):,} chosen" if self._ids else "prompts"
        pairs = KINDS[self._pairs] if self._pairs else "as it fits"
        self.heading.update(f"New replies to {which}. Pairs: {pairs}")


def number_of(name: str, text: str) -> int | None:
    """Return a whole number; None where nothing is written.

    Raises:
        StudioError: it is something else.
    """
    if text and not text.isdecimal():
        raise StudioError(f"{name} must be a whole number, not {text!r}.")
    return int(text) if text else None


def names_of(text: str) -> tuple[str, ...]:
    """Return names that are written with spaces between; one that holds a space stands in quotes.

    Raises:
        StudioError: a quote is not closed.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError:
        raise StudioError(f"models: a quote is not closed in {text!r}.") from None


def heats_of(text: str) -> tuple[float, ...]:
    """Return temperatures that are written with spaces or commas between.

    Raises:
        StudioError: one is no number.
    """
    try:
        return tuple(map(float, text.replace(",", " ").split()))
    except ValueError:
        raise StudioError(f"temperatures must be numbers, not {text!r}.") from None


def open_candidates(app: "StudioApp", ids: Sequence[int] = ()) -> None:
    """Ask for new replies; where a job goes on already, show the jobs first."""

    def started(job_id: int | None) -> None:
        if job_id is not None:
            app.push_screen(JobsWindow())

    if jobs.running(app.store):
        app.push_screen(JobsWindow())
    else:
        app.push_screen(GenerateForm(ids), started)
