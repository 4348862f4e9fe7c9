"""The process beside a large import: `python -m studio.indexing STUDIO_DB`, until its standard input is closed."""

import select
import sys
from pathlib import Path

from store import bulk, search_index
from store.database import open_store

POLL_SECONDS = 0.1


def follow(path: Path) -> None:
    """Index rows as they come in; end when no more are to come and all are indexed."""
    with open_store(path) as store:
        while True:
            last_round = _is_closed()
            search_index.catch_up(store, after_batch=lambda: bulk.checkpoint(store))
            bulk.checkpoint(store)
            if last_round:
                return


def _is_closed() -> bool:
    """Tell whether standard input has come to its end, having waited a moment for that."""
    ready, _, _ = select.select([sys.stdin], [], [], POLL_SECONDS)
    return bool(ready)


if __name__ == "__main__":
    follow(Path(sys.argv[1]))
