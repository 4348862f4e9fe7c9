"""The small process that starts the next run of the queue when one ends: whether it lives, and waking it."""

from pathlib import Path

from studio.process import is_held
from studio.project import Project
from studio.training.waiting.spawn import spawn_detached

LOCK = ".queue.lock"
LOG = ".queue.log"


def lock_of(project: Project) -> Path:
    """Return the lock that the keeper of a project's queue holds as long as it lives."""
    return project.runs / LOCK


def wake(project: Project) -> None:
    """Start the keeper of a project's queue where none lives."""
    if not is_held(lock_of(project)):
        # Of several that are started at once all but one end at the lock.
        folder = project.folder.resolve()
        spawn_detached("studio.training.waiting.queue", [str(folder)], project.runs / LOG, folder)
