"""What the Train screen has done to runs, in a thread; each says in a line what came of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from store import runs
from store.database import Store
from studio.project import Project

if TYPE_CHECKING:
    from screens.new_run import NewRun


def start(project: Project, wanted: "NewRun", say: Callable[[str], None], store: Store) -> str:
    """Start a run and return its id."""
    from studio.training.launch import start_run

    return start_run(
        project,
        store,
        wanted.method,
        model=wanted.model,
        overrides=wanted.overrides,
        parent=wanted.parent,
        despite_findings=wanted.despite_findings,
        on_progress=say,
    )


def stop(project: Project, run_id: str, store: Store) -> str:
    """Ask a run to stop, or take it out of the queue."""
    from studio.training.launch import stop_run

    stop_run(project, store, run_id)
    is_stopped = runs.get(store, run_id).status == "stopped"
    return f"{run_id} is out of the queue" if is_stopped else f"{run_id} is stopping"


def resume(project: Project, run_id: str, store: Store) -> str:
    """Go on with a run."""
    from studio.training.launch import resume_run

    resume_run(project, store, run_id)
    return f"{run_id} waits for its turn" if runs.get(store, run_id).status == "queued" else f"{run_id} goes on"


def put_first(project: Project, run_id: str, store: Store) -> str:
    """Let a waiting run be the next one to train."""
    from studio.training.launch import put_first

    put_first(project, store, run_id)
    return f"{run_id} is the next to train"


def size_if_deletable(project: Project, run_id: str, store: Store) -> str:
    """Return how much a run's files take, in words.

    Raises:
        StudioError: it can't be deleted.
    """
    from studio.sizes import size_in_words
    from studio.training.history import deletion

    deletion.refuse(project, store, run_id)
    return size_in_words(deletion.size(project, run_id))


def delete(project: Project, run_id: str, store: Store) -> str:
    """Delete a run with its files."""
    from studio.training.history import deletion

    deletion.delete(project, store, run_id)
    return f"{run_id} is deleted"
