"""What the Train screen says of runs: a row in the list, the line of what goes on, the facts."""

from collections.abc import Iterator

from screens.widgets.table import Column, Row
from screens.widgets.text_view import Span
from store.runs import ACTIVE
from studio.durations import duration
from studio.training.history.overview import RunDetail, RunLine

WIDE = 120
"""Columns of a screen that has room for whole names."""


def columns(width: int, *, named: bool) -> list[Column]:
    """Return the columns of the list; names have one where a run has a name or a tag."""
    name = Column("Name", 30 if width >= WIDE else 14)
    rest = [Column("Progress"), Column("Tokens proven", 15)]
    return [Column("Run", 10), Column("State", 9), *([name] if named else []), *rest]


def is_named(line: RunLine) -> bool:
    """Tell whether a run was given a name or a tag."""
    return bool(line.run.name or line.run.tags)


def row_of(line: RunLine, *, letter: str, named: bool) -> Row:
    """Return a run's row; `letter` stands for its curves where several runs are drawn."""
    run = line.run
    called = [" ".join(filter(None, (run.name, *(f"#{tag}" for tag in run.tags))))] if named else []
    cells = (f"{run.id} {letter}".rstrip(), run.status, *called, _progress(line), line.badge)
    return Row(cells, dim=run.status == "failed")


def _progress(line: RunLine) -> str:
    if line.run.status not in ACTIVE:
        return line.progress
    share = f"{line.share:.0%}" if line.share is not None else ""
    left = f"{duration(line.seconds_left)} left" if line.seconds_left is not None else ""
    return ", ".join(filter(None, (" ".join(filter(None, (share, left))), line.progress)))


def going_on(detail: RunDetail | None) -> str:
    """Return how fast a run goes and what the machine does, a line each; empty where it does not go on."""
    if detail is None or detail.run.status not in ACTIVE:
        return ""
    return "\n".join(filter(None, (detail.speed, detail.machine)))


def facts(detail: RunDetail) -> Iterator[Span]:
    """Yield what is known of a run: what it is and came to, its log's end, its recipe."""
    yield Span("\n".join(detail.facts))
    if detail.speed and detail.run.status not in ACTIVE:
        yield Span(f"\nspeed      {detail.speed}")
    if detail.samples:
        yield Span(f"\nanswers    {_answers(detail)}")
    for sentence in detail.warnings:
        yield Span(f"\n! {sentence}", "bold")
    yield Span("\n\nThe log's end\n", "bold")
    yield Span("\n".join(detail.log) or "nothing printed yet")
    yield Span("\n\nThe recipe\n", "bold")
    yield Span("\n".join(detail.recipe))


def _answers(detail: RunDetail) -> str:
    steps = sorted({sample.step for sample in detail.samples})
    at = f"at step {steps[0]:,}" if len(steps) == 1 else f"at {len(steps)} steps up to {steps[-1]:,}"
    return f"to {len({sample.example for sample in detail.samples})} held-out prompts {at}: a shows them"
