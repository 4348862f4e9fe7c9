"""Training runs, their state and their metrics, as the run's own folder last told them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from store.database import Store, now
from store.errors import MissingRowError

RunStatus = Literal["queued", "starting", "running", "stopping", "done", "stopped", "failed"]

ACTIVE: frozenset[str] = frozenset({"starting", "running", "stopping"})
"""The states in which a trainer process should be alive; a queued run has none yet."""

UNENDED: frozenset[str] = ACTIVE | {"queued"}
"""The states of a run that has not come to an end, or to a stop."""


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
    name: str = ""
    """What the user calls it."""
    note: str = ""
    tags: tuple[str, ...] = ()
    queued_at: str | None = None
    """The moment that says its place in the queue; None where it never waited."""


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
    seen: Run | None = None,
) -> None:
    """Take over what the run's folder says; values that are None keep what is stored, but for the error.

    Where the run was `seen` in another state or with another process than it has now, nothing is changed: what was
    found out of that process does not hold of this one.
    """
    state = None if seen is None else seen.status
    with store.transaction() as connection:
        connection.execute(
            "UPDATE run SET status = ?, error = ?, pid = COALESCE(?, pid),"
            " pid_started = COALESCE(?, pid_started), result = COALESCE(?, result),"
            " started_at = COALESCE(?, started_at), ended_at = COALESCE(?, ended_at)"
            " WHERE id = ? AND (? IS NULL OR (status = ? AND pid IS ?))",
            (
                status,
                error,
                pid,
                pid_started,
                None if result is None else json.dumps(result),
                started_at,
                ended_at,
                run_id,
                *(state, state, seen and seen.pid),
            ),
        )


def describe(
    store: Store, run_id: str, *, name: str | None = None, note: str | None = None, tags: Iterable[str] | None = None
) -> None:
    """Say what a run is called, what there is to note about it, and its tags; what is None stays."""
    kept = None if tags is None else json.dumps(sorted(set(tags)), ensure_ascii=False)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE run SET name = COALESCE(?, name), note = COALESCE(?, note), tags = COALESCE(?, tags) WHERE id = ?",
            (name, note, kept, run_id),
        )


def enqueue(store: Store, run_id: str) -> None:
    """Put a run at the end of the queue."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE run SET status = 'queued', queued_at = ?, error = NULL, pid = NULL, pid_started = NULL,"
            " ended_at = NULL WHERE id = ?",
            (now(), run_id),
        )


def put_first(store: Store, run_id: str) -> bool:
    """Let a run of the queue go before all others; tell whether it waits."""
    with store.transaction() as connection:
        waiting = connection.execute(
            "SELECT id, queued_at FROM run WHERE status = 'queued' ORDER BY queued_at, id"
        ).fetchall()
        ids = [each for each, _ in waiting]
        if run_id not in ids:
            return False
        # The moments stay, and say the places in the queue: each run before it takes the next one's.
        order = [run_id, *(each for each in ids if each != run_id)]
        moments = [(moment, each) for (_, moment), each in zip(waiting, order, strict=True)]
        connection.executemany("UPDATE run SET queued_at = ? WHERE id = ?", moments)
    return True


def queued(store: Store) -> list[Run]:
    """Return the runs that wait, the next one first."""
    return [_run(row) for row in store.connection.execute(f"{_SELECT} WHERE status = 'queued' ORDER BY queued_at, id")]


def children(store: Store, run_id: str) -> list[str]:
    """Return the runs that went on from a run."""
    rows = store.connection.execute("SELECT id FROM run WHERE parent_id = ? ORDER BY id", (run_id,))
    return [row[0] for row in rows]


def delete(store: Store, run_id: str) -> None:
    """Forget a run and its metrics; its snapshot stays, and so do the replies that it made.

    Raises:
        sqlite3.IntegrityError: other runs went on from it.
    """
    with store.transaction() as connection:
        connection.execute("DELETE FROM metric WHERE run_id = ?", (run_id,))
        connection.execute("DELETE FROM run WHERE id = ?", (run_id,))


def add_metrics(store: Store, run_id: str, metrics: Iterable[Metric]) -> None:
    """Add metrics; a step that is reported again, after a resume, takes the newer value."""
    with store.transaction() as connection:
        connection.executemany(
            "INSERT INTO metric (run_id, name, step, value, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(run_id, name, step) DO UPDATE SET value = excluded.value, at = excluded.at",
            ((run_id, m.name, m.step, m.value, m.at) for m in metrics),
        )


def has_metrics(store: Store, run_id: str, metrics: Iterable[Metric]) -> bool:
    """Tell whether all of these are stored as they are."""
    look = "SELECT value, at FROM metric WHERE run_id = ? AND name = ? AND step = ?"
    found = ((m, store.connection.execute(look, (run_id, m.name, m.step)).fetchone()) for m in metrics)
    return all(row is not None and tuple(row) == (m.value, m.at) for m, row in found)


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
    " error, result, created_at, started_at, ended_at, name, note, tags, queued_at FROM run"
)


def _run(row: Any) -> Run:
    run = Run(*row)
    return replace(
        run,
        recipe=json.loads(row[6]),
        result=json.loads(row[11]) if row[11] else {},
        tags=tuple(json.loads(row[17])),
    )
