"""Training runs, their state and their metrics, as the run's own folder last told them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from store.database import Store, now
from store.errors import MissingRowError

RunStatus = Literal["starting", "running", "stopping", "done", "stopped", "failed"]

ACTIVE: frozenset[str] = frozenset({"starting", "running", "stopping"})
"""The states in which a trainer process should be alive."""


@dataclass(frozen=True)
class Run:
    """One training run."""

    id: str
    method: str
    base_model: str
    base_hash: str | None
    snapshot_id: str
    parent_id: str | None
    recipe: dict[str, Any]
    status: RunStatus
    pid: int | None
    pid_started: float | None
    """When the process started, in seconds since 1970: with the pid it names one process for good."""
    error: str | None
    result: dict[str, Any] = field(default_factory=dict)
    created_at: str = ""
    started_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True)
class Metric:
    """One measured value at one optimiser step."""

    name: str
    step: int
    value: float
    at: str


def add(
    store: Store,
    *,
    method: str,
    base_model: str,
    base_hash: str | None,
    snapshot_id: str,
    recipe: dict[str, Any],
    parent_id: str | None = None,
    after: int = 0,
) -> str:
    """Note a run that is about to start; return its id, such as `dpo-3`, with a number above `after`."""
    with store.transaction() as connection:
        number = connection.execute(
            "SELECT MAX(?, COUNT(*), COALESCE(MAX(CAST(substr(id, instr(id, '-') + 1) AS INTEGER)), 0)) + 1 FROM run",
            (after,),
        ).fetchone()[0]
        run_id = f"{method}-{number}"
        connection.execute(
            "INSERT INTO run (id, method, base_model, base_hash, snapshot_id, parent_id, recipe, status, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'starting', ?)",
            (run_id, method, base_model, base_hash, snapshot_id, parent_id, json.dumps(recipe), now()),
        )
    return run_id


def get(store: Store, run_id: str) -> Run:
    """Return one run.

    Raises:
        MissingRowError: there is no run of that id.
    """
    row = store.connection.execute(f"{_SELECT} WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no run {run_id!r} in this project; `studio runs` lists them.")
    return _run(row)


def all_runs(store: Store) -> list[Run]:
    """Return every run, newest first."""
    return [_run(row) for row in store.connection.execute(f"{_SELECT} ORDER BY created_at DESC, id DESC")]


def update(
    store: Store,
    run_id: str,
    *,
    status: RunStatus,
    pid: int | None = None,
    pid_started: float | None = None,
    error: str | None = None,
    result: dict[str, Any] | None = None,
    started_at: str | None = None,
    ended_at: str | None = None,
) -> None:
    """Take over what the run's folder says; values that are None keep what is stored, but for the error."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE run SET status = ?, error = ?, pid = COALESCE(?, pid),"
            " pid_started = COALESCE(?, pid_started), result = COALESCE(?, result),"
            " started_at = COALESCE(?, started_at), ended_at = COALESCE(?, ended_at) WHERE id = ?",
            (
                status,
                error,
                pid,
                pid_started,
                None if result is None else json.dumps(result),
                started_at,
                ended_at,
                run_id,
            ),
        )


def add_metrics(store: Store, run_id: str, metrics: Iterable[Metric]) -> None:
    """Add metrics; a step that is reported again, after a resume, takes the newer value."""
    with store.transaction() as connection:
        connection.executemany(
            "INSERT INTO metric (run_id, name, step, value, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(run_id, name, step) DO UPDATE SET value = excluded.value, at = excluded.at",
            ((run_id, m.name, m.step, m.value, m.at) for m in metrics),
        )


def metrics(store: Store, run_id: str) -> dict[str, list[Metric]]:
    """Return each metric's values in step order, by the metric's name."""
    series: dict[str, list[Metric]] = {}
    rows = store.connection.execute(
        "SELECT name, step, value, at FROM metric WHERE run_id = ? ORDER BY name, step", (run_id,)
    )
    for row in rows:
        series.setdefault(row[0], []).append(Metric(*row))
    return series


_SELECT = (
    "SELECT id, method, base_model, base_hash, snapshot_id, parent_id, recipe, status, pid, pid_started,"
    " error, result, created_at, started_at, ended_at FROM run"
)


def _run(row: Any) -> Run:
    (*head, recipe, status, pid, pid_started, error, result, created_at, started_at, ended_at) = row
    run_id, method, base_model, base_hash, snapshot_id, parent_id = head
    return Run(
        run_id,
        method,
        base_model,
        base_hash,
        snapshot_id,
        parent_id,
        json.loads(recipe),
        status,
        pid,
        pid_started,
        error,
        json.loads(result) if result else {},
        created_at,
        started_at,
        ended_at,
    )
