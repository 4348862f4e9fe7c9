"""The evidence: what the proof found of a run or a model, and proving it anew."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

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

if TYPE_CHECKING:
    from screens.app import StudioApp

News = str | Evidence | StudioError
"""Of a proof that goes on: what is being compared, what came of it, or why nothing did."""

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
        self.ref = ref

    def compose(self) -> ComposeResult:
        """Lay the evidence over what is being done and the keys."""
        with Vertical(classes="window tall"):
            yield Static(clean_line(f"Evidence: {self.ref}"), id="heading", classes="pane-title", markup=False)
            yield TextView()
            yield Static("", id="said", markup=False)
            yield KeyBar()

    def on_mount(self) -> None:
        """Show what is known, and whether it is being proven."""
        self.view.focus()
        if self._is_proving:
            self._say("proving")
        in_background(self, partial(_known, self.studio.project, self.ref), self._show, failed=self._fail)

    @property
    def _is_proving(self) -> bool:
        return any(worker.group == f"proof {self.ref}" and not worker.is_finished for worker in self.app.workers)

    def action_prove(self) -> None:
        """Compare all of it now; that goes on where the window is left."""
        if self._is_proving:
            return
        self._say("starting")
        studio, tell = self.studio, partial(_tell, self.studio, self.ref)

        def say_later(words: str) -> None:
            studio.call_later(tell, words)

        work = partial(_prove, studio.project, self.ref, say_later)
        in_background(studio, work, tell, failed=tell, group=f"proof {self.ref}")

    def take(self, news: News) -> None:
        """Show how far a proof is, or what came of it."""
        if isinstance(news, str):
            self._say(news)
            return
        self._say("")
        if isinstance(news, Evidence):
            self._show(news)
        else:
            self._fail(news)

    def _say(self, words: str) -> None:
        self.said.update(clean_line(f"{words} ...") if words else "")

    def _fail(self, error: StudioError) -> None:
        self.view.show(message_of(error))

    def _show(self, found: Evidence | None) -> None:
        self.view.show(list(evidence_spans(found)) if found else NO_EVIDENCE)


def _tell(studio: "StudioApp", ref: str, news: News) -> None:
    """Give the window about it news of a proof; where that was left, say only what came of it."""
    about = (each for each in studio.screen_stack if isinstance(each, EvidenceWindow) and each.ref == ref)
    window = next(about, None)
    if window is not None and window.is_mounted:
        window.take(news)
    elif isinstance(news, Evidence):
        studio.notify(clean_line(f"{ref} is proven: {news.sentence}"), markup=False)
    elif isinstance(news, StudioError):
        studio.notify_error(news)


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


def _prove(project: Project, ref: str, say: Callable[[str], None], store: Store) -> Evidence:
    from studio.inference.proof.asking import prove_anew

    return prove_anew(project, store, ref, say)
