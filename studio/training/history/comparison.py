"""Runs side by side: how their recipes, data and results differ, and their curves over each other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from store import curves as plotted
from store import snapshots
from store.curves import Point
from store.database import Store
from store.runs import Run
from studio.errors import StudioError
from studio.project import Project
from studio.training.folder import SPLITS, RunFolder, read_description
from studio.training.history.overview import in_order
from studio.training.history.watch import sync_run
from studio.training.recipe import as_table, from_table, settings

NAMED = 5
"""Examples that are named where data differ."""

Row = tuple[int, int, int | None, int | None]
"""A row of a snapshot, by its example, revision and answers: the same text in two snapshots."""


class Line(NamedTuple):
    """A fact of each run, in the order of the runs; empty where a run has none."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs are not all alike in it."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class Data:
    """What rows the runs share in a split."""

    split: str
    shared: int
    """Rows that all of them have."""
    counts: tuple[int, ...]
    """Rows of each run."""
    alone: tuple[int, ...]
    """Rows of each run that no other has."""
    examples: tuple[tuple[int, ...], ...]
    """A few of the examples of those."""


@dataclass(frozen=True)
class Overlay:
    """A metric of all runs that have it."""

    name: str
    title: str
    """Its name in words."""
    points: dict[str, list[Point]]
    """By run."""


@dataclass(frozen=True)
class Comparison:
    """Runs side by side."""

    runs: list[Run]
    origin: list[Line]
    """What they started from and what became of them."""
    recipe: list[Line]
    """The settings that are not the same."""
    data: list[Data]
    """By split, of the runs whose rows are known; empty where that is not so of two at least."""
    unknown: list[str]
    """Runs whose rows are not known here, since they came from another project."""
    results: list[Line]
    curves: list[Overlay]
    cautions: list[str]
    """What keeps figures from being compared, in sentences."""


def compare(project: Project, store: Store, ids: Sequence[str]) -> Comparison:
    """Return runs side by side, in the order in which they are named.

    Raises:
        StudioError: fewer than two different runs are named.
        MissingRowError: there is no run of an id.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) < 2:
        raise StudioError("Two different runs at least can be compared.", "`studio runs` lists them.")
    found = [sync_run(project, store, run_id) for run_id in wanted]
    rows = _rows_of(store, found)
    known = {run.id: mine for run, mine in zip(found, rows, strict=True) if any(mine.values())}
    return Comparison(
        runs=found,
        origin=_origin(project, found),
        recipe=_recipe(found),
        data=[_shared(split, list(known.values())) for split in SPLITS] if len(known) > 1 else [],
        unknown=[run.id for run in found if run.id not in known],
        results=_results(found),
        curves=_curves(store, found),
        cautions=list(_cautions(found, rows)),
    )


def _origin(project: Project, found: list[Run]) -> list[Line]:
    facts: dict[str, Callable[[Run], object]] = {
        "name": lambda run: run.name,
        "note": lambda run: run.note,
        "tags": lambda run: ", ".join(run.tags),
        "method": lambda run: run.method,
        "state": lambda run: run.status,
        "base model": lambda run: run.base_model,
        "base weights": lambda run: (run.base_hash or "")[:12],
        "went on from": lambda run: run.parent_id or "",
        "snapshot": lambda run: run.snapshot_id[:12],
        "chat template": lambda run: _template_of(project, run),
    }
    lines = [Line(name, tuple(str(fact(run)) for run in found)) for name, fact in facts.items()]
    return [line for line in lines if any(line.values)]


def _template_of(project: Project, run: Run) -> str:
    try:
        return read_description(RunFolder(project.runs / run.id)).chat_template
    except (OSError, ValueError, TypeError):
        return ""


def _recipe(found: list[Run]) -> list[Line]:
    tables = [_table(run) for run in found]
    names = dict.fromkeys(name for table in tables for name in table)
    lines = [Line(name, tuple(shown(table.get(name)) for table in tables)) for name in names]
    return [line for line in lines if line.differs]


def _table(run: Run) -> dict[str, Any]:
    """Return the settings that matter for a run's method, also of a run that an earlier version made."""
    whole = as_table(from_table(run.recipe))
    return {setting.name: whole[setting.name] for setting in settings(run.method)}


def _results(found: list[Run]) -> list[Line]:
    names = dict.fromkeys(name for run in found for name in run.result)
    return [Line(name, tuple(shown(run.result.get(name)) for run in found)) for name in names]


def shown(value: object) -> str:
    """Return a setting or a result as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


Rows = dict[str, set[Row]]
"""A snapshot's rows, by split."""


def _rows_of(store: Store, found: list[Run]) -> list[Rows]:
    """Return each run's rows; runs of one snapshot share them."""
    kept = {snapshot: _rows(store, snapshot) for snapshot in {run.snapshot_id for run in found}}
    return [kept[run.snapshot_id] for run in found]


def _rows(store: Store, snapshot_id: str) -> Rows:
    rows: Rows = {split: set() for split in SPLITS}
    for item in snapshots.get(store, snapshot_id).items:
        if item.split in rows:
            rows[item.split].add((item.example_id, item.revision, item.chosen_id, item.rejected_id))
    return rows


def _shared(split: str, rows: list[Rows]) -> Data:
    mine = [each[split] for each in rows]
    alone = [own.difference(*mine[:place], *mine[place + 1 :]) for place, own in enumerate(mine)]
    return Data(
        split=split,
        shared=len(set.intersection(*mine)),
        counts=tuple(map(len, mine)),
        alone=tuple(map(len, alone)),
        examples=tuple(tuple(sorted({row[0] for row in own})[:NAMED]) for own in alone),
    )


def _curves(store: Store, found: list[Run]) -> list[Overlay]:
    by_run = {run.id: plotted.curves(store, run.id) for run in found}
    everything = {name: points for series in by_run.values() for name, points in series.items()}
    return [
        Overlay(name, title, {run_id: series[name] for run_id, series in by_run.items() if name in series})
        for name, title, _ in in_order(everything)
    ]


def _cautions(found: list[Run], rows: list[Rows]) -> Iterator[str]:
    measured = [each["validation"] for each in rows]
    if any(each != measured[0] for each in measured):
        yield "Their held-out rows differ, so that held-out figures are not of the same rows."
    for run, mine in zip(found, rows, strict=True):
        for other, held_out in zip(found, measured, strict=True):
            if seen := len(mine["train"] & held_out):
                yield f"{run.id} was trained on {seen} rows that are held out in {other.id}."
    if len({run.base_hash for run in found}) > 1:
        yield "Their base models differ, so that losses and rewards stand on different scales."
    yield from _scales(found)


_SCALES = (
    *("loss_on", "beta", "label_smoothing", "sft_weight", "simpo_gamma"),
    *("desirable_weight", "undesirable_weight", "checks"),
)
"""Settings that make a loss or a reward another figure for the same weights and rows."""


def _scales(found: list[Run]) -> Iterator[str]:
    tables = [_table(run) for run in found]
    # Both learn the answers of conversations.
    methods = ["sft" if run.method == "distill" else run.method for run in found]
    if len({(method, table.get("loss")) for method, table in zip(methods, tables, strict=True)}) > 1:
        yield "They minimise different losses, so that losses can't be compared; accuracies may be."
        return
    is_cut = any(run.result.get(fact) for run in found for fact in ("rows_cut", "rows_too_long"))
    counted = (*_SCALES, "max_length") if is_cut else _SCALES
    if differing := [name for name in counted if len({table.get(name) for table in tables}) > 1]:
        yield (
            f"They differ in {', '.join(differing)}, so that losses and rewards stand on different scales; "
            "accuracies may be compared."
        )
