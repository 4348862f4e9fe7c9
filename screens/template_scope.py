"""Which records a template is tried on, and which it can be applied to."""

from bisect import bisect_left
from collections.abc import Sequence

from screens.query_text import quoted
from studio.text import clean_line


def neighbour(ids: Sequence[int], here: int, step: int) -> int:
    """Return the next record of a list, or the one before; a record that is not in it has a place all the same."""
    at = bisect_left(ids, here)
    is_there = at < len(ids) and ids[at] == here
    return ids[(at + (step if is_there or step < 0 else 0)) % len(ids)]


def scopes(source: str | None, query: str) -> list[tuple[str, str]]:
    """Return the parts of the project that a template can be applied to, in words and as a query, the likeliest first.

    `source` is the one of the record that it was tried on, `query` what the list shows.
    """
    found = [("all records", "")]
    if source is not None:
        found.insert(0, (clean_line(f"the records of {source}"), f"source:{quoted(source)}"))
    if query:
        found.insert(0, (clean_line(f"what the list shows: {query}"), query))
    return found
