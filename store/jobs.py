"""Jobs of models: replies, prompts or judgements that a process of its own makes, and how far it has come."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from store.database import Store, now
from store.errors import MissingRowError

JobKind = Literal["candidates", "prompts", "judge"]
JobState = Literal["running", "stopped", "done", "failed"]


class Standing(NamedTuple):
    """How a job stands, as its process last told: little enough to be read of all jobs each second."""

    id: int
    kind: JobKind
    state: JobState
    done: int
    """Steps that are behind it; one that goes on begins with the next."""
    total: int
    made: int
    """What came of them."""
    doing: str
    """What it is at, in words; empty where the numbers say it."""
    seconds_each: float
    """How long a step takes; 0 before that is known."""
    error: str
    pid: int | None
    pid_started: float | None
    """When the process started, in seconds since 1970: with the pid it names one process for good."""
    created_at: str


@dataclass(frozen=True)
class Job:
    """One job with all that it was asked for and has listed; see `Standing`."""

    id: int
    kind: JobKind
    request: dict[str, Any]
    """All that the process needs to know, also when it goes on after a stop."""
    state: JobState
    done: int
    total: int
    made: int
    facts: dict[str, Any]
    """What it counted and listed by the way."""
    error: str
    pid: int | None
    pid_started: float | None
    created_at: str
    ended_at: str | None

    @property
    def standing(self) -> Standing:
        """How it stands."""
        return Standing(
            id=self.id,
            kind=self.kind,
            state=self.state,
            done=self.done,
            total=self.total,
            made=self.made,
            doing=str(self.facts.get("doing", "")),
            seconds_each=float(self.facts.get("seconds_each", 0.0)),
            error=self.error,
            pid=self.pid,
            pid_started=self.pid_started,
            created_at=self.created_at,
        )


def add(store: Store, kind: JobKind, request: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> int:
    """Note a job whose process is being started, with what it is to remember from the start; return its id."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO job (kind, request, facts, state, created_at) VALUES (?, ?, ?, 'running', ?)",
            (kind, *(json.dumps(each, ensure_ascii=False) for each in (request, facts or {})), now()),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def get(store: Store, job_id: int) -> Job:
    """Return one job.

    Raises:
        MissingRowError: there is no job of that id.
    """
    row = store.connection.execute(f"{_SELECT} WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no job {job_id} in this project; `studio jobs` lists them.")
    return _job(row)


def standings(store: Store) -> list[Standing]:
    """Return how every job stands, newest first."""
    return [Standing(*row) for row in store.connection.execute(f"{_STANDING} ORDER BY id DESC")]


def running(store: Store) -> list[Standing]:
    """Return the jobs whose process should be alive."""
    return [Standing(*row) for row in store.connection.execute(f"{_STANDING} WHERE state = 'running' ORDER BY id")]


def started(store: Store, job_id: int, *, pid: int, pid_started: float) -> None:
    """Note the process that does a job, from its beginning or from where it was stopped."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE job SET state = 'running', pid = ?, pid_started = ?, error = '', ended_at = NULL WHERE id = ?",
            (pid, pid_started, job_id),
        )


def progressed(store: Store, job_id: int, *, done: int, total: int, made: int, facts: Mapping[str, Any]) -> None:
    """Note how far a job has come; inside a transaction, together with what it made."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE job SET done = ?, total = ?, made = ?, facts = ? WHERE id = ?",
            (done, total, made, json.dumps(facts, ensure_ascii=False), job_id),
        )


def ended(store: Store, job_id: int, state: JobState, error: str = "") -> None:
    """Note how a job ended, unless that is known already."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE job SET state = ?, error = ?, ended_at = ? WHERE id = ? AND state = 'running'",
            (state, error, now(), job_id),
        )


_SELECT = (
    "SELECT id, kind, request, state, done, total, made, facts, error, pid, pid_started, created_at, ended_at FROM job"
)

_STANDING = (
    "SELECT id, kind, state, done, total, made, COALESCE(facts ->> '$.doing', ''),"
    " COALESCE(facts ->> '$.seconds_each', 0.0), error, pid, pid_started, created_at FROM job"
)


def _job(row: tuple[Any, ...]) -> Job:
    job_id, kind, request, state, done, total, made, facts, *rest = row
    return Job(job_id, kind, json.loads(request), state, done, total, made, json.loads(facts), *rest)
