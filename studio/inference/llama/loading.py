"""A model on its way into memory, in a thread of its own: what goes on meanwhile need not wait."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.inference.llama.inbox import Inbox
from studio.inference.llama.native import Refused, open_model


@dataclass(frozen=True)
class Version:
    """A file as it is now; one that was written anew is another model."""

    path: Path
    size: int
    changed: int


def version_of(path: Path) -> Version:
    """Return which version of a file there is.

    Raises:
        Refused: there is none.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise Refused(f"{path.name} can't be read: {error.strerror}") from error
    return Version(path, found.st_size, found.st_mtime_ns)


class Loading:
    """Weights that are being loaded for one request or several."""

    def __init__(self, path: Path, inbox: Inbox, number: int) -> None:
        self.wanted_by = {number}
        """The requests; once none is left that is not cancelled, it ends."""
        self.part = 0.0
        self._path, self._inbox = path, inbox
        self._model: Any = None
        self._refusal: Refused | None = None
        self._thread = threading.Thread(target=self._load, daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether it has ended, in one way or the other."""
        return not self._thread.is_alive()

    def result(self) -> Any:
        """Return the weights once it is done.

        Raises:
            Refused: they can't be loaded, or nobody wanted them any more.
        """
        if self._refusal is not None:
            raise self._refusal
        return self._model

    def _load(self) -> None:
        try:
            self._model = open_model(self._path, self._progress)
        except Refused as refusal:
            self._refusal = refusal

    def _progress(self, part: float) -> bool:
        self.part = part
        return not all(map(self._inbox.is_cancelled, list(self.wanted_by)))
