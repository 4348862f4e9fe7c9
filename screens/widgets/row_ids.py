"""The ids of a table's rows: a range, an array that ascends, or any sequence that knows where an id stands."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence


def joined(ids: Sequence[int], more: Sequence[int]) -> Sequence[int]:
    """Return ids with more after them; an array is taken over."""
    if isinstance(ids, range) and isinstance(more, range) and ids.stop == more.start:
        return range(ids.start, more.stop)
    all_ids = ids if isinstance(ids, array) else array("q", ids)
    all_ids.extend(more)
    return all_ids


def position_of(ids: Sequence[int], row_id: int | None) -> int | None:
    """Return where an id stands, None where it is not here."""
    if row_id is None:
        return None
    if isinstance(ids, array):
        position = bisect_left(ids, row_id)
        return position if position < len(ids) and ids[position] == row_id else None
    try:
        return ids.index(row_id)
    except ValueError:
        return None
