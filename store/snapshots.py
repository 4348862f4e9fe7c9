"""Snapshots: the frozen list of what a run or an export used."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from store.database import Store, now
from store.errors import MissingRowError
from store.packing import Ids, pack, unpack

SnapshotKind = Literal["sft", "preference", "unpaired", "prompts", "distillation"]
"""What the rows are: conversations with an answer, pairs, answers called good or bad by themselves, prompts to be
answered, and prompts with a teacher's answer."""

BLOCK_ITEMS = 10_000
"""How many items are packed together."""


class SnapshotItem(NamedTuple):
    """One row of a snapshot, as ids: enough to walk back to the record, its file and line.

    In a preference snapshot an item with one response alone is an answer that was called good or bad by itself.
    """

    split: str
    example_id: int
    revision: int
    chosen_id: int | None = None
    rejected_id: int | None = None
    comparison_id: int | None = None


class Items(Collection[SnapshotItem]):
    """Items in order, packed as they come: a million take a few megabytes."""

    def __init__(self, items: Iterable[Ids] = ()) -> None:
        self._blocks: list[bytes] = []
        self._open: tuple[list[Any], ...] = tuple([] for _ in SnapshotItem._fields)
        self._length = 0
        if rows := list(items):
            self.extend(tuple(zip(*rows, strict=True)))

    @classmethod
    def packed(cls, blocks: list[bytes], length: int) -> "Items":
        """Return the items of stored blocks."""
        items = cls()
        items._blocks, items._length = blocks, length
        return items

    def extend(self, columns: Sequence[Sequence[Any]]) -> None:
        """Add some at the end, which are given column by column."""
        for column, more in zip(self._open, columns, strict=True):
            column.extend(more)
        self._length += len(columns[0])
        while len(self._open[0]) >= BLOCK_ITEMS:
            self._blocks.append(pack([column[:BLOCK_ITEMS] for column in self._open]))
            for column in self._open:
                del column[:BLOCK_ITEMS]

    def blocks(self) -> Iterator[bytes]:
        """Yield the items as they are stored."""
        yield from self._blocks
        if self._open[0]:
            yield pack(self._open)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[SnapshotItem]:
        for block in self.blocks():
            yield from map(SnapshotItem._make, unpack(block))

    def __contains__(self, item: object) -> bool:
        return any(item == other for other in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Snapshot:
    """What was used, under the hash of its content."""

    id: str
    kind: SnapshotKind
    items: Collection[SnapshotItem]
    query: str = ""
    """Which examples were asked for, where not all were."""
    counts: dict[str, Any] = field(default_factory=dict)
    """Rows in each split, and how many others were left out for which reason."""


def save(store: Store, snapshot: Snapshot) -> None:
    """Keep a snapshot; saving the same content again changes nothing."""
    items = snapshot.items if isinstance(snapshot.items, Items) else Items(snapshot.items)
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO snapshot (id, kind, query, counts, length, created_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT(id) DO NOTHING",
            (snapshot.id, snapshot.kind, snapshot.query, json.dumps(snapshot.counts), len(items), now()),
        )
        if cursor.rowcount:
            connection.executemany(
                "INSERT INTO snapshot_block (snapshot_id, number, items) VALUES (?, ?, ?)",
                ((snapshot.id, number, block) for number, block in enumerate(items.blocks())),
            )


def get(store: Store, snapshot_id: str) -> Snapshot:
    """Return a snapshot with its items.

    Raises:
        MissingRowError: there is no snapshot of that id.
    """
    row = store.connection.execute(
        "SELECT kind, query, counts, length FROM snapshot WHERE id = ?", (snapshot_id,)
    ).fetchone()
    if row is None:
        raise MissingRowError(f"There is no snapshot {snapshot_id} in this project.")
    kind, query, counts, length = row
    blocks = store.connection.execute(
        "SELECT items FROM snapshot_block WHERE snapshot_id = ? ORDER BY number", (snapshot_id,)
    )
    items = Items.packed([block for (block,) in blocks], length)
    return Snapshot(snapshot_id, kind, items, query, json.loads(counts))
