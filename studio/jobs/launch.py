"""Starting, stopping and resuming jobs; a job's process outlives the terminal."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from store import jobs
from store.database import Store
from store.jobs import JobKind, Standing
from studio.errors import StudioError
from studio.jobs import consent
from studio.jobs.watch import job_named, log_of, standings
from studio.process import started_at
from studio.project import Project


def start(project: Project, store: Store, kind: JobKind, request: Mapping[str, Any]) -> int:
    """Start a job in a process of its own; return its id. The request must be plain JSON, and hold no key.

    Raises:
        StudioError: another job is going on.
    """
    # One transaction: the job's process waits for its end, and nobody ever sees a job without a process.
    with store.transaction():
        _refuse_second(store)
        job_id = jobs.add(store, kind, request, consent.agreed(project, request))
        _spawn(project, store, job_id)
    return job_id


def resume(project: Project, store: Store, job_id: int) -> None:
    """Let a stopped or failed job go on where it was.

    Raises:
        StudioError: it is going on or done, another job is going on, or it would send what it has to say elsewhere.
        MissingRowError: there is no such job.
    """
    with store.transaction():
        job = job_named(store, job_id)
        if job.state in ("running", "done"):
            state = "going on" if job.state == "running" else "done"
            raise StudioError(f"Job {job_id} is {state}; there is nothing to resume.")
        consent.check(project, job)
        _refuse_second(store)
        _spawn(project, store, job_id)


def stop(store: Store, job_id: int) -> None:
    """Ask a job to stop; what it has made stays.

    Raises:
        StudioError: it is not going on.
        MissingRowError: there is no such job.
    """
    job = job_named(store, job_id)
    if job.state != "running" or job.pid is None:
        raise StudioError(f"Job {job_id} is not going on; it is {job.state}.")
    with suppress(ProcessLookupError):
        os.kill(job.pid, signal.SIGTERM)


def stop_if_running(store: Store, job_id: int) -> None:
    """Ask a job to stop, which may have ended just now."""
    job = job_named(store, job_id)
    if job.state == "running" and job.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(job.pid, signal.SIGTERM)


def going_on(store: Store) -> Standing | None:
    """Return the job that is going on, if there is one."""
    return next((job for job in standings(store) if job.state == "running"), None)


def _refuse_second(store: Store) -> None:
    # Two models at once would be in each other's way, for memory and for the processor.
    other = going_on(store)
    if other is not None:
        raise StudioError(f"Job {other.id} is going on.", f"Wait for it, or stop it: studio jobs --stop {other.id}.")


def _spawn(project: Project, store: Store, job_id: int) -> None:
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    # A stop that comes before the process listens waits for it, where it would have killed it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        child = _process(project.folder.resolve(), log_of(project, job_id), job_id, environment)
    except OSError as error:
        raise StudioError(f"The job can't be started: {error}.", "Free some disk space and memory.") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    jobs.started(store, job_id, pid=child.pid, pid_started=started_at(child.pid))


def _process(folder: Path, log: Path, job_id: int, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    log.parent.mkdir(exist_ok=True, mode=0o700)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "studio.jobs.worker", str(folder), str(job_id)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
            cwd=folder,
        )
