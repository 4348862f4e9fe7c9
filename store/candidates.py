"""Which examples' prompts may be given to models for replies, and which pairs of replies there are already."""

from collections.abc import Iterable, Sequence

from store.database import Store

FEW = 2
"""A prompt with fewer responses than this gives nothing to compare."""


def with_few_responses(store: Store) -> list[int]:
    """Return the usable examples whose prompt has fewer than two responses, in order."""
    rows = store.connection.execute(
        f"{_USABLE} AND (SELECT COUNT(*) FROM (SELECT 1 FROM response p WHERE p.example_id = e.id LIMIT {FEW})) < {FEW}"
        " ORDER BY e.id"
    )
    return [row[0] for row in rows]


def usable(store: Store, chunks: Iterable[Sequence[int]]) -> list[int]:
    """Return those of these examples that are not excluded or rejected, and not synthetic without a person's yes."""
    store.connection.execute("DROP TABLE IF EXISTS temp.asked")
    store.connection.execute("CREATE TEMP TABLE asked (id INTEGER PRIMARY KEY)")
    for chunk in chunks:
        store.connection.executemany("INSERT OR IGNORE INTO temp.asked VALUES (?)", ((int(one),) for one in chunk))
    rows = store.connection.execute(f"{_USABLE} AND e.id IN (SELECT id FROM temp.asked) ORDER BY e.id")
    return [row[0] for row in rows]


_USABLE = (
    "SELECT e.id FROM example e LEFT JOIN record r ON r.id = e.record_id"
    " WHERE NOT e.excluded AND NOT COALESCE(r.excluded, 0) AND e.status <> 'rejected'"
    " AND (e.status = 'approved' OR NOT EXISTS (SELECT 1 FROM synthetic s WHERE s.example_id = e.id))"
)
