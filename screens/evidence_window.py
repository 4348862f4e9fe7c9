"""The evidence: what the proof found of a run or a model, and proving it anew."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS, StudioModal, message_of
from screens.widgets.bars import KeyBar
from screens.widgets.text_view import Span, TextView
from store.database import Store
from studio.errors import StudioError
from studio.inference.proof.evidence import TITLES, Check, Evidence, Outcome, difference_lines, read
from studio.project import Project
from studio.text import clean_line

MARKS: dict[Outcome, str] = {"equal": "=", "different": "!", "noted": "~", "not checked": "?"}
"""Stand before what was compared, so that nothing hangs on a colour."""

NO_EVIDENCE = "Nothing is proven yet. r compares texts, tokens, weights and logits; that takes some seconds."
ONLY_TEXTS = "\nWeights, adapter and logits are compared once the training is done, or by r.\n"
LEGEND = "= equal   ! different   ~ differs without harm here   ? not checked\n"


class EvidenceWindow(StudioModal[None]):
    """What was compared of a run or a model, and what came of it; a key proves it anew."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.EVIDENCE, *HELP_KEYS]

    heading = query_one("#heading", Static)
    said = query_one("#said", Static)
    view = query_one(TextView)

    def __init__(self, ref: str) -> None:
        """Show the evidence of a run's id or a model's name."""
        super().__init__()
        self._ref = ref
        self._proving = False

    def compose(self) -> ComposeResult:
        """Lay the evidence over what is being done and the keys."""
        with Vertical(classes="window tall"):
            yield Static(clean_line(f"Evidence: {self._ref}"), id="heading", classes="pane-title", markup=False)
            yield TextView()
            yield Static("", id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Show what is known."""
        self.view.focus()
        in_background(self, partial(_known, self.studio.project, self._ref), self._show, failed=self._fail)

    def action_prove(self) -> None:
        """Compare all of it now."""
        if self._proving:
            return
        self._proving = True
        self._say("starting")
        work = partial(_prove, self.studio.project, self._ref, self)
        in_background(self, work, self._proven, failed=self._fail, group="proof")

    def say_later(self, words: str) -> None:
        """Say from a thread what is being done."""
        self.call_later(self._say, words)

    def _say(self, words: str) -> None:
        self.said.update(clean_line(f"{words} ...") if words else "")

    def _proven(self, found: Evidence) -> None:
        self._proving = False
        self._say("")
        self._show(found)

    def _fail(self, error: StudioError) -> None:
        self._proving = False
        self._say("")
        self.view.show(message_of(error))

    def _show(self, found: Evidence | None) -> None:
        self.view.show(list(evidence_spans(found)) if found else NO_EVIDENCE)


def evidence_spans(found: Evidence) -> Iterator[Span]:
    """Yield evidence as it is painted."""
    yield Span(f"{found.sentence}\n", "bold")
    if found.check("logits") is None:
        yield Span(ONLY_TEXTS, "italic")
    yield Span(f"\n{LEGEND}", "dim")
    for check in found.checks:
        yield from _check_spans(check)
    if found.files:
        yield Span("\nCompared", "bold")
        yield Span(f" {found.at}\n" if found.at else "\n")
        yield Span("".join(f"    {name}: {path}\n" for name, path in found.files.items()))


def _check_spans(check: Check) -> Iterator[Span]:
    outcome = check.outcome.upper() if check.outcome == "different" else check.outcome
    style = "bold reverse" if check.outcome == "different" else "bold"
    yield Span(f"\n{MARKS[check.outcome]} {TITLES[check.name]}: {outcome}", style)
    yield Span(f"\n    {check.sentence}\n")
    for finding in check.findings:
        yield Span(f"    - {finding.message}\n", "bold" if check.outcome == "different" else "")
        if finding.hint:
            yield Span(f"      {finding.hint}\n")
    if check.difference:
        yield Span("".join(f"      {line}\n" for line in difference_lines(check.difference)))


def _known(project: Project, ref: str, _: Store) -> Evidence | None:
    from studio.inference.proof.subjects import place_of

    return read(place_of(project, ref))


def _prove(project: Project, ref: str, window: EvidenceWindow, store: Store) -> Evidence:
    from studio.inference.proof.asking import prove_anew

    return prove_anew(project, store, ref, window.say_later)
