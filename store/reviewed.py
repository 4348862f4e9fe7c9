"""Which examples a person has decided on, as flags that a million of them fit into."""

from collections.abc import Sequence

from store import examples
from store.database import Store

DRAFT, DECIDED, OUT_OF_USE = range(3)
"""Neither approved nor rejected; one of these; not decided, but excluded, it or its record."""

_OUT_OF_USE = (
    "SELECT id FROM example WHERE excluded UNION ALL"
    " SELECT e.id FROM record r JOIN example e ON e.record_id = r.id WHERE r.excluded"
)


def flags(store: Store) -> bytearray:
    """Return DRAFT, DECIDED or OUT_OF_USE for each id, from 0 to the last example's."""
    with store.reading():
        found = bytearray(examples.next_id(store))
        for (number,) in store.connection.execute(_OUT_OF_USE):
            found[number] = OUT_OF_USE
        for (number,) in store.connection.execute("SELECT id FROM example WHERE status <> 'draft'"):
            found[number] = DECIDED
    return found


def flags_of(store: Store, example_ids: Sequence[int]) -> dict[int, int]:
    """Return the same for a few examples, by id."""
    marks = ",".join("?" * len(example_ids))
    rows = store.connection.execute(
        f"SELECT e.id, CASE WHEN e.status <> 'draft' THEN {DECIDED}"
        f" WHEN e.excluded OR COALESCE(r.excluded, 0) THEN {OUT_OF_USE} ELSE {DRAFT} END"
        f" FROM example e LEFT JOIN record r ON r.id = e.record_id WHERE e.id IN ({marks})",
        list(example_ids),
    )
    return dict(rows)
