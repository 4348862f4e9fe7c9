"""A job from the terminal: what it sends away, its progress, ctrl+c that stops it, and how it ended."""

import time
from typing import TYPE_CHECKING

from studio.commands.common import print_json, progress, progress_done, say
from studio.errors import StudioError

if TYPE_CHECKING:
    from store.database import Store
    from store.jobs import Job

POLL_SECONDS = 0.5


def agree(leaves: str, *, send: bool) -> None:
    """Say what leaves the machine, if anything does.

    Raises:
        StudioError: nobody has agreed to that.
    """
    from studio.generating.speakers import AGREE

    if leaves and not send:
        raise StudioError(leaves, AGREE)
    if leaves:
        say(leaves, err=True)


def end(store: "Store", job_id: int, *, wait: bool, as_json: bool) -> None:
    """Follow a job that was begun and say how it ended, or only that it goes on."""
    from studio.jobs.outcome import lines
    from studio.jobs.watch import job_named

    if not wait:
        if as_json:
            print_json(job_named(store, job_id))
        else:
            say(f"Job {job_id} goes on in the background; `studio jobs` shows it.")
        return
    job = follow(store, job_id)
    report(job, lines(job), as_json=as_json)


def follow(store: "Store", job_id: int) -> "Job":
    """Show a job's progress until it ends; ctrl+c stops it. What it made is kept in any case."""
    progress(f"job {job_id}: starting")
    try:
        return _until_it_ends(store, job_id)
    finally:
        progress_done()


def _until_it_ends(store: "Store", job_id: int) -> "Job":
    from studio.jobs import launch
    from studio.jobs.watch import describe, job_named

    stopped = False
    while True:
        try:
            job = job_named(store, job_id)
            if job.state != "running":
                return job
            progress(f"job {job_id}: {'stopping, ' if stopped else ''}{describe(job.standing)}")
            time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            if stopped:
                # Once more: whoever is in a hurry need not wait for the last word.
                raise
            stopped = True
            launch.stop_if_running(store, job_id)


def report(job: "Job", lines: list[str], *, as_json: bool) -> None:
    """Print how a job ended.

    Raises:
        StudioError: it failed.
    """
    if as_json:
        print_json(job)
    else:
        for line in lines:
            say(line)
    again = f"studio jobs --resume {job.id}"
    if job.state == "failed":
        raise StudioError(f"Job {job.id} failed: {job.error}", f"What was made is kept; go on with `{again}`.")
    if job.state == "stopped" and not as_json:
        say(f"Job {job.id} was stopped at {job.done:,} of {job.total:,}; go on with `{again}`.")
