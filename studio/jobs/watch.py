"""How the jobs stand: those that died without a word are found out, and their progress is put into words."""

from collections import deque
from pathlib import Path

from store import jobs as table
from store.database import Store
from store.jobs import Job
from studio.durations import duration
from studio.process import is_alive
from studio.project import Project

KINDS = {"candidates": "new replies", "prompts": "new prompts", "judge": "AI judge"}
"""What the kinds of jobs are called."""


def jobs(store: Store) -> list[Job]:
    """Return every job, newest first, as it stands now."""
    return [sync(store, job) for job in table.all_jobs(store)]


def job_named(store: Store, job_id: int) -> Job:
    """Return one job as it stands now.

    Raises:
        MissingRowError: there is no job of that id.
    """
    return sync(store, table.get(store, job_id))


def sync(store: Store, job: Job) -> Job:
    """Return a job as it stands now: one whose process is gone without having said how it ended has failed."""
    if job.state != "running" or is_alive(job.pid, job.pid_started):
        return job
    # It may have said so between the two looks.
    job = table.get(store, job.id)
    if job.state == "running" and not is_alive(job.pid, job.pid_started):
        table.ended(store, job.id, "failed", "its process ended without a word (killed? memory or disk full?)")
    return table.get(store, job.id)


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


def describe(job: Job) -> str:
    """Say in one line how far a job is, at which pace, and how long it will take or why it ended."""
    parts = [f"{job.done:,} of {job.total:,}", f"{job.made:,} made"] if job.total else []
    doing = str(job.facts.get("doing", ""))
    if job.state == "running":
        parts += [*pace_words(job), *([doing] if doing else [])] or ["starting"]
    if job.error:
        parts.append(job.error)
    return ", ".join(parts) or job.state


def pace_words(job: Job) -> list[str]:
    """Return how many steps a job takes a minute and how long the rest will take; nothing before that is known."""
    seconds = float(job.facts.get("seconds_each", 0.0))
    if not seconds:
        return []
    pace = 60 / seconds
    left = duration((job.total - job.done) * seconds)
    return [f"{pace:,.0f} a minute" if pace >= 10 else f"{pace:.2g} a minute", f"about {left} left"]
