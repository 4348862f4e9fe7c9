"""The runs that wait for their turn: as many train as may, and the next begins when one ends, for whatever reason.

`python -m studio.training.waiting.queue PROJECT` is the keeper: a small process that lives as long as a run waits.
"""

import signal
import sqlite3
import sys
import time
from contextlib import suppress
from pathlib import Path

from store import runs
from store.database import Store
from store.errors import NewerSchemaError, StoreError
from store.runs import ACTIVE, Run
from studio.errors import StudioError
from studio.process import is_alive, is_held, launching, only_one
from studio.project import Project, open_project
from studio.training.folder import RunFolder, read_status
from studio.training.history.watch import sync_run
from studio.training.waiting import keeper
from studio.training.waiting.spawn import spawn_trainer

POLL_SECONDS = 1.0

PATIENCE_SECONDS = 1.0
"""For so long a keeper tries to take its place, since who looks whether there is a keeper takes it for a moment."""


def enqueue(project: Project, store: Store, run_id: str) -> None:
    """Put a run at the end of the queue and let the first one train where there is a place.

    To be called while `launching` is held.
    """
    runs.enqueue(store, run_id)
    advance(project, store)
    if runs.queued(store):
        keeper.wake(project)


def advance(project: Project, store: Store) -> None:
    """Start the next runs of the queue where there are places; one that can't be started fails, and the next begins.

    To be called while `launching` is held.
    """
    while len(active(project, store)) < project.settings.train.at_once and (waiting := runs.queued(store)):
        run, folder = waiting[0], RunFolder(project.runs / waiting[0].id)
        if _trains_already(folder):
            runs.update(store, run.id, status="starting")
            continue
        try:
            spawn_trainer(store, run.id, folder)
        except OSError as error:
            runs.update(store, run.id, status="failed", error=f"the trainer can't be started: {error}")


def active(project: Project, store: Store) -> list[Run]:
    """Return the runs that are going on; those that have ended are found out."""
    return [run for run in runs.all_runs(store) if _goes_on(project, store, run)]


def _trains_already(folder: RunFolder) -> bool:
    """Tell whether a waiting run is trained: who started its trainer may have been killed before noting it."""
    status = read_status(folder)
    return is_held(folder.lock) and (status is None or status.status in ACTIVE)


def _goes_on(project: Project, store: Store, run: Run) -> bool:
    if run.status not in ACTIVE:
        # A run that had ended may have been started by hand.
        by_hand = run.status != "queued" and is_held(RunFolder(project.runs / run.id).lock)
        return by_hand and sync_run(project, store, run.id).status in ACTIVE
    # A process that lives trains, or is about to end; asking it for more each second would only write.
    return is_alive(run.pid, run.pid_started) or sync_run(project, store, run.id).status in ACTIVE


def main() -> None:
    """Keep the queue of the project whose folder is named until no run waits."""
    # Held back by whoever started it: see `spawn`.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        project = open_project(Path(sys.argv[1]))
        while _keep_alone(project):
            # A run that came while this keeper gave its place back was left to it; see whether there is one.
            with project.open_store() as store:
                if not runs.queued(store):
                    return
    except StudioError as error:
        sys.exit(str(error))


def _keep_alone(project: Project) -> bool:
    """Keep the queue unless another keeper does; tell whether none did."""
    with only_one(keeper.lock_of(project), patience=PATIENCE_SECONDS) as free:
        if free:
            keep(project)
    return free


def keep(project: Project) -> None:
    """Start one waiting run after the other; return when none waits.

    Raises:
        StudioError: the program was updated meanwhile; whoever looks at the runs starts the new one's keeper.
    """
    last = ""
    while project.database.is_file():
        try:
            # The settings may have changed; while they can't be read the last ones hold.
            with suppress(StudioError):
                project = open_project(project.folder)
            with project.open_store() as store:
                active(project, store)  # a start that broke off is found out only while nobody holds the lock
                with launching(project.runs):
                    advance(project, store)
                if not runs.queued(store):
                    return
        except (StudioError, StoreError, sqlite3.Error, OSError) as error:
            if isinstance(error.__cause__, NewerSchemaError):
                raise
            # A database that is busy, or a disk that is full now, may not be so for good; once is enough to say it.
            if str(error) != last:
                last = str(error)
                sys.stderr.write(f"{last}\n")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
