"""What the Train screen shows, looked up in a thread each second; what can't have changed is kept from look to look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from screens.curves_in_sight import Sight
from screens.widgets.plot import Steps
from store import curves as plotted
from store.database import Store
from store.runs import UNENDED, Run
from studio.project import Project
from studio.training.folder import RunFolder, read_status
from studio.training.history.overview import Curve, Overview, in_order, overview

LOG_LINES = 8
FIRST_STEPS = 8
"""The fewest that the room for a run's curves is laid out for."""


class Wanted(NamedTuple):
    """What is to be shown."""

    selected: str | None
    """The run under the cursor."""
    overlaid: tuple[str, ...]
    """Runs whose curves are drawn over each other."""
    sight: Sight


class Kept(NamedTuple):
    """Curves that were read, and the step that the run had come to."""

    curves: list[Curve]
    newest: int


Key = tuple[str, Steps | None]
"""A run, and which of its steps; None for all."""


@dataclass(frozen=True)
class Looked:
    """What was found."""

    overview: Overview = field(default_factory=lambda: Overview([], None))
    curves: dict[str, list[Curve]] = field(default_factory=dict)
    """Of the runs that are drawn, in the steps that are drawn."""
    steps: Steps = (0, 0)
    kept: dict[Key, Kept] = field(default_factory=dict)


def look(project: Project, wanted: Wanted, known: Looked, store: Store) -> Looked:
    """Look at all runs, and at the curves of those that are drawn."""
    found = overview(project, store, wanted.selected, log_lines=LOG_LINES, known=known.overview)
    by_id = {line.run.id: line.run for line in found.lines}
    drawn = [by_id[run_id] for run_id in wanted.overlaid if run_id in by_id]
    if not drawn and found.detail:
        drawn = [found.detail.run]
    kept: dict[Key, Kept] = {}
    whole = {run.id: _whole(store, run, found, known, kept) for run in drawn}
    everything = _all_steps(project, drawn, whole)
    steps = wanted.sight.steps(everything)
    curves = {run_id: each.curves for run_id, each in whole.items()}
    if steps != everything:
        curves = {run.id: _read(store, run, steps, whole[run.id].newest, known, kept) for run in drawn}
    return Looked(found, curves, steps, kept)


def _whole(store: Store, run: Run, found: Overview, known: Looked, kept: dict[Key, Kept]) -> Kept:
    detail = found.detail
    if detail and detail.run_id == run.id:
        return Kept(detail.curves, detail.newest.step if detail.newest else 0)
    latest = plotted.latest(store, run.id)
    newest = max((metric.step for metric in latest.values()), default=0)
    return Kept(_read(store, run, None, newest, known, kept), newest)


def _read(
    store: Store, run: Run, steps: Steps | None, newest: int, known: Looked, kept: dict[Key, Kept]
) -> list[Curve]:
    """Return a run's curves in some steps; those of the last look where no point of them has changed."""
    before = known.kept.get((run.id, steps))
    if before is None or not _is_drawn(before.newest, newest, steps or (0, newest)):
        first, last = steps or (None, None)
        before = Kept(in_order(plotted.curves(store, run.id, first=first, last=last)), newest)
    kept[run.id, steps] = before
    return before.curves


def _is_drawn(before: int, newest: int, steps: Steps) -> bool:
    steps_a_point = (steps[1] - steps[0]) // plotted.POINTS
    return newest == before or steps[1] <= before <= newest or 0 < newest - before < steps_a_point


def _all_steps(project: Project, drawn: Sequence[Run], whole: dict[str, Kept]) -> Steps:
    """Return the steps from the first of a run to the last, with room for those that come."""
    ends = list(_ends(curve for kept in whole.values() for curve in kept.curves))
    first = min((begin for begin, _ in ends), default=0)
    last = max((end for _, end in ends), default=0)
    return first, max([last, *(_room(project, run, whole[run.id].newest) for run in drawn)])


def _ends(curves: Iterator[Curve]) -> Iterator[Steps]:
    return ((curve.points[0][0], curve.points[-1][0]) for curve in curves if curve.points)


def _room(project: Project, run: Run, newest: int) -> int:
    """Return the step that a run's curves are laid out to: half of its steps, a quarter and so on, as long as they fit.

    Laid out to its newest step they would be painted anew at each step.
    """
    status = read_status(RunFolder(project.runs / run.id)) if run.status in UNENDED else None
    end = status.total_steps if status else 0
    while end // 2 >= max(newest, FIRST_STEPS):
        end = -(-end // 2)
    return end
