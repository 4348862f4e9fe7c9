"""The process that does a job: `python -m studio.jobs.worker FOLDER JOB`."""

import faulthandler
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from store import jobs
from store.database import Store
from store.errors import MissingRowError, StoreError
from store.jobs import JobKind
from studio.errors import StudioError
from studio.jobs import consent
from studio.jobs.handle import JobHandle, StoppedError
from studio.project import Project, open_project

Run = Callable[[Project, Store, dict[str, Any], JobHandle], None]

NICENESS = 5
"""The job gives way to the screen, which shares the processor with it."""


def main() -> None:
    """Do the job that is named, and say in the project's file how that ended."""
    faulthandler.enable()
    os.nice(NICENESS)
    project = open_project(Path(sys.argv[1]))
    with project.open_store() as store:
        # Inside a transaction, which waits for the end of the one that this process was started in.
        try:
            with store.transaction():
                handle = JobHandle(store, jobs.get(store, int(sys.argv[2])))
        except MissingRowError:
            return
        handle.listen_for_stop()
        sys.exit(do(project, store, handle))


def do(project: Project, store: Store, handle: JobHandle) -> int:
    """Do a job and note how it ended; return the process's status."""
    job = jobs.get(store, handle.id)
    try:
        consent.check(project, job)
        with suppress(StoppedError):
            run_of(job.kind)(project, store, job.request, handle)
    except (StudioError, StoreError) as error:
        jobs.ended(store, handle.id, "failed", str(error))
        return 1
    except BaseException as error:
        traceback.print_exc()
        jobs.ended(store, handle.id, "failed", f"{type(error).__name__}: {error}".splitlines()[0])
        return 1
    job = jobs.get(store, handle.id)
    is_finished = bool(job.total) and job.done >= job.total
    # A stop that came in the last step has nothing left to stop.
    jobs.ended(store, handle.id, "stopped" if handle.stopping and not is_finished else "done")
    return 0


def run_of(kind: JobKind) -> Run:
    """Return what does a kind of job; each kind is imported only by its own process."""
    match kind:
        case "candidates":
            from studio.generating.run import run as candidates

            return candidates
        case "prompts":
            from studio.synthetic.run import run as prompts

            return prompts
        case "judge":
            from studio.ai_judge.run import run as judge

            return judge


if __name__ == "__main__":
    main()
