"""Work that only one process does in a project at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from studio.errors import StudioError
from studio.project import Project


@contextmanager
def one_at_a_time(project: Project, work: str, sentence: str) -> Iterator[None]:
    """Hold a project's lock for a kind of work; the system gives it back when the process ends, however it ends.

    Raises:
        StudioError: another process holds it, which `sentence` says.
    """
    path = project.folder / f"{work}.lock"
    with path.open("a") as file:
        path.chmod(0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StudioError(sentence, "Wait until it ends, then do this again.") from None
        yield
