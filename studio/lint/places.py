"""The rows of a finding, with where each stands in its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from store import find, findings
from store.database import Store
from studio.lint.check import Check

PAGE = 500


@dataclass(frozen=True)
class FoundRow:
    """A row that a check found."""

    id: int
    place: str
    """FILE:LINE; empty where an example comes from no file."""
    details: list[str]


def places(store: Store, check: Check, query: str = "", *, limit: int | None = None) -> list[FoundRow]:
    """Return the rows that a check found, the first of them, of those that a query finds too.

    Raises:
        QueryError: the query can't be read.
    """
    text = f"({query}) finding:{check.name}" if query else f"finding:{check.name}"
    ids = list(islice(chain.from_iterable(find.ids(store, check.kind, text)), limit))
    return list(_rows(store, check, ids))


def _rows(store: Store, check: Check, ids: list[int]) -> Iterator[FoundRow]:
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        where = findings.places(store, check.kind, page)
        what = findings.details(store, check.kind, check.name, page)
        yield from (FoundRow(number, where.get(number, ""), what.get(number, [])) for number in page)
