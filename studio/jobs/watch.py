"""How the jobs stand: those that died without a word are found out, and their progress is put into words."""

from collections import deque
from pathlib import Path

from store import jobs as table
from store.database import Store
from store.jobs import Job, Standing
from studio.durations import duration
from studio.process import is_alive
from studio.project import Project

KINDS = {"candidates": "new replies", "prompts": "new prompts", "judge": "AI judge"}
"""What the kinds of jobs are called."""


def standings(store: Store) -> list[Standing]:
    """Return how every job stands now, newest first."""
    found = table.standings(store)
    dead = [job for job in found if _found_dead(store, job)]
    return table.standings(store) if dead else found


def job_named(store: Store, job_id: int) -> Job:
    """Return one job as it stands now.

    Raises:
        MissingRowError: there is no job of that id.
    """
    job = table.get(store, job_id)
    return table.get(store, job_id) if _found_dead(store, job.standing) else job


def log_of(project: Project, job_id: int) -> Path:
    """Return the file with all that a job's process printed."""
    return project.folder / "jobs" / f"{job_id}.log"


def log_tail(project: Project, job_id: int, lines: int = 50) -> list[str]:
    """Return the last lines that a job's process printed."""
    try:
        with log_of(project, job_id).open(encoding="utf-8", errors="replace") as log:
            return [line.rstrip("\n") for line in deque(log, maxlen=lines)]
    except FileNotFoundError:
        return []


def describe(job: Standing) -> str:
    """Say in one line how far a job is, at which pace, and how long it will take or why it ended."""
    parts = [f"{job.done:,} of {job.total:,}", f"{job.made:,} made"] if job.total else []
    if job.state == "running":
        parts += [*_pace(job), *([job.doing] if job.doing else [])] or ["starting"]
    if job.error:
        parts.append(job.error)
    return ", ".join(parts) or job.state


def _found_dead(store: Store, job: Standing) -> bool:
    """Note that a job has failed whose process is gone without a word; tell whether to read it again."""
    if job.state != "running" or is_alive(job.pid, job.pid_started):
        return False
    # It may have said so between the two looks.
    now = table.get(store, job.id)
    if now.state == "running" and not is_alive(now.pid, now.pid_started):
        table.ended(store, job.id, "failed", "its process ended without a word (killed? memory or disk full?)")
    return True


def _pace(job: Standing) -> list[str]:
    """Return how many steps a job takes a minute and how long the rest will take; nothing before that is known."""
    if not job.seconds_each:
        return []
    pace = 60 / job.seconds_each
    left = duration((job.total - job.done) * job.seconds_each)
    return [f"{pace:,.0f} a minute" if pace >= 10 else f"{pace:.2g} a minute", f"about {left} left"]
