"""Snapshots: the frozen list of what a run or an export used."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from store.database import Store, now
from store.errors import MissingRowError

SnapshotKind = Literal["sft", "preference"]


@dataclass(frozen=True)
class SnapshotItem:
    """One row of a snapshot, as ids: enough to walk back to the record, its file and line."""

    split: str
    example_id: int
    revision: int
    chosen_id: int | None = None
    rejected_id: int | None = None
    comparison_id: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """What was used, under the hash of its content."""

    id: str
    kind: SnapshotKind
    items: list[SnapshotItem]
    query: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    """Rows in each split, and how many others were left out for which reason."""


def save(store: Store, snapshot: Snapshot) -> None:
    """Keep a snapshot; saving the same content again changes nothing."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO snapshot (id, kind, query, counts, created_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(id) DO NOTHING",
            (snapshot.id, snapshot.kind, snapshot.query, json.dumps(snapshot.counts), now()),
        )
        if not cursor.rowcount:
            return
        connection.executemany(
            "INSERT INTO snapshot_item (snapshot_id, position, split, example_id, revision, chosen_id,"
            " rejected_id, comparison_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    snapshot.id,
                    i,
                    x.split,
                    x.example_id,
                    x.revision,
                    x.chosen_id,
                    x.rejected_id,
                    x.comparison_id,
                )
                for i, x in enumerate(snapshot.items)
            ),
        )


def get(store: Store, snapshot_id: str) -> Snapshot:
    """Return a snapshot with its items.

    Raises:
        MissingRowError: there is no snapshot of that id.
    """
    row = store.connection.execute("SELECT kind, query, counts FROM snapshot WHERE id = ?", (snapshot_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no snapshot {snapshot_id} in this project.")
    items = store.connection.execute(
        "SELECT split, example_id, revision, chosen_id, rejected_id, comparison_id FROM snapshot_item"
        " WHERE snapshot_id = ? ORDER BY position",
        (snapshot_id,),
    )
    kind, query, counts = row
    return Snapshot(snapshot_id, kind, [SnapshotItem(*item) for item in items], query, json.loads(counts))
