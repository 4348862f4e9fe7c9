"""What goes on beside an import: the file's hash and the search index."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from store.database import Store

POLL_SECONDS = 0.1


class Digest:
    """A file's SHA-256, made in a thread: hashing lets other threads run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._future: Future[str] | None = None

    def __enter__(self) -> "Digest":
        self._future = self._pool.submit(self._hash)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def result(self) -> str:
        """Return the hash in hexadecimal, waiting for it."""
        assert self._future is not None
        return self._future.result()

    def _hash(self) -> str:
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class IndexFollower:
    """A process that makes rows searchable as they come in, and moves them from the log into the file.

    A process, because both take as long as the import itself, and two threads of Python wait for each other.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "IndexFollower":
        # -P: nothing of the folder that one happens to be in, a json.py say, stands in for a module.
        command = [sys.executable, "-P", "-m", "studio.indexing", str(self._store.path)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        return self

    def finish(self, waiting: Callable[[], bool]) -> None:
        """Wait until all rows can be searched for, or `waiting`, called now and then, says that it is enough."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        while self._process.poll() is None and not waiting():
            time.sleep(POLL_SECONDS)

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        # What it has not done is found missing and done later: the index follows the records.
        self._process.kill()
        self._process.wait()
