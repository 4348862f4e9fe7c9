"""Going through the rows of a query for the statistics of their columns: here, or in a process of its own.

The rows come in blocks spread over all of them, so that the figures of a part are those of a fair sample.
`python -m studio.columns.look STUDIO_DB QUERY` writes them to standard output as they refine.
"""

import os
import pickle
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from store import find, records
from store.database import Store, explained, open_store
from studio.columns.statistics import Columns, Look
from studio.errors import StudioError

BLOCK = 500
"""Rows that are read together: they lie beside each other in the file."""

FIRST_LOOK = 20_000
"""Rows after which the figures are given for the first time."""

SECONDS_BETWEEN = 2.0
"""How often they are given after that."""


def looks(store: Store, query: str = "") -> Iterator[Look]:
    """Yield the statistics of the columns of what a query finds, as they refine; the last ones are of all rows.

    Raises:
        QueryError: the query can't be read.
    """
    ids = _ids(store, query)
    columns, done, due = Columns(), 0, 0.0
    for block in _blocks(ids):
        for fields in records.fields_of(store, block):
            columns.add(fields)
        done += len(block)
        if FIRST_LOOK <= done < len(ids) and time.monotonic() >= due:
            yield columns.look(len(ids))
            due = time.monotonic() + SECONDS_BETWEEN
    yield columns.look(len(ids))


def _ids(store: Store, query: str) -> Sequence[int]:
    if not query:
        return records.span(store)
    found = array("q")
    for chunk in find.ids(store, "record", query):
        found.extend(chunk)
    return found


def _blocks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the ids in blocks; of many, in an order that mixes the beginning with the end."""
    starts = list(range(0, len(ids), BLOCK))
    if len(ids) > FIRST_LOOK:
        Random(0).shuffle(starts)
    for start in starts:
        yield ids[start : start + BLOCK]


class ColumnLook:
    """A process that goes through the rows, so that the one that shows the figures answers its keys at once."""

    def __init__(self, database: Path, query: str) -> None:
        # -P: nothing of the folder that one happens to be in stands in for a module.
        command = [sys.executable, "-P", "-m", "studio.columns.look", str(database), query]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def follow(self, take: Callable[[Look], object]) -> None:
        """Hand over each look as it comes, until all rows were looked at, or until it is stopped.

        Raises:
            StudioError: the query can't be read, the database can't, or the process died.
        """
        assert self._process.stdout is not None
        look: Look | None = None
        with self._process.stdout as stream, suppress(EOFError, pickle.UnpicklingError):
            while True:
                said = pickle.load(stream)
                if isinstance(said, str):
                    raise StudioError(said)
                look = said
                take(look)
        # Stopped by us it is killed; anything else that keeps the last look from coming is a failure.
        if self._process.wait() > 0 or (look is None and self._process.returncode == 0):
            raise StudioError("Looking at the columns failed.", "Try again, or narrow the query.")

    def stop(self) -> None:
        """End it; what it said so far stays."""
        self._process.kill()
        self._process.wait()


def _serve(database: Path, query: str) -> None:
    # Whoever waits for a key comes first.
    os.nice(10)
    out = sys.stdout.buffer
    try:
        with open_store(database) as store:
            for look in looks(store, query):
                pickle.dump(look, out)
                out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        pickle.dump(str(explained(database, error) or f"Looking at the columns failed: {error!r}."), out)
        out.flush()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), sys.argv[2])
