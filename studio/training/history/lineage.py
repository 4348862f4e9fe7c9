"""Which run went on from which."""

from typing import NamedTuple

from store import runs
from store.database import Store
from store.runs import Run


class Branch(NamedTuple):
    """A line of the tree: a run, and what leads to it."""

    drawn: str
    run: Run

    def __str__(self) -> str:
        named = f" {self.run.name}" if self.run.name else ""
        return f"{self.drawn}{self.run.id}{named}, {self.run.status}"


def tree(store: Store) -> list[Branch]:
    """Return every run under the one that it went on from, each family in the order in which it was made."""
    found = sorted(runs.all_runs(store), key=lambda run: (run.created_at, run.id))
    below: dict[str | None, list[Run]] = {}
    known = {run.id for run in found}
    for run in found:
        below.setdefault(run.parent_id if run.parent_id in known else None, []).append(run)
    return [branch for root in below.get(None, []) for branch in _grown(root, below, "", "")]


def ancestors(store: Store, run: Run) -> list[str]:
    """Return the runs that a run stands on, the first one first."""
    found: list[str] = []
    while run.parent_id:
        found.insert(0, run.parent_id)
        run = runs.get(store, run.parent_id)
    return found


def family(store: Store, run_id: str) -> set[str]:
    """Return a run with all that it stands on and all that went on from it."""
    found, waiting = set(ancestors(store, runs.get(store, run_id))), [run_id]
    while waiting:
        found.add(each := waiting.pop())
        waiting += runs.children(store, each)
    return found


def _grown(run: Run, below: dict[str | None, list[Run]], drawn: str, under: str) -> list[Branch]:
    grown = [Branch(drawn, run)]
    children = below.get(run.id, [])
    for child in children:
        is_last = child is children[-1]
        grown += _grown(child, below, under + ("└ " if is_last else "├ "), under + ("  " if is_last else "│ "))
    return grown
