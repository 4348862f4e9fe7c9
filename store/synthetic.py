"""Synthetic prompts: examples whose prompt was made from another example's, by a rule or by a model."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from store import examples, tags
from store.database import Store, now
from store.examples import Message
from store.quoting import dumps, loads

TAG = "synthetic"
"""The tag that every synthetic example gets when it is made; people may take it off, what is known here stays."""

IS_UNREVIEWED = (
    # An imported example never is one: the first condition spares a million rows the look into the table.
    "(e.record_id IS NULL AND e.status <> 'approved' AND EXISTS (SELECT 1 FROM synthetic y WHERE y.example_id = e.id))"
)
"""SQL that says of an example `e` that nobody approved it yet: it stays out of training, exports and queues."""


@dataclass(frozen=True)
class Origin:
    """Where a synthetic example comes from."""

    example_id: int
    source_id: int | None
    job_id: int | None
    method: str
    model: str
    """The model that wrote it; empty where a rule did."""
    parameters: dict[str, Any]
    created_at: str


@dataclass(frozen=True)
class Variation:
    """A prompt made from another."""

    source_id: int
    method: str
    model: str
    messages: list[Message]
    parameters: dict[str, Any]


def add(store: Store, variation: Variation, *, job_id: int | None = None) -> int:
    """Add a variation as a draft in its source's split and group; return its id.

    Its first revision is the prompt that it was made from, so that its history shows what was changed, and
    so that whoever moves that prompt to another split moves this with it.
    """
    with store.transaction() as connection:
        source = examples.get(store, variation.source_id)
        group = connection.execute("SELECT prompt_group FROM example WHERE id = ?", (source.id,)).fetchone()[0]
        asked = examples.prompt_of(source.messages)
        added = examples.add(
            store, record_id=None, messages=asked, split=source.split, tools=source.tools, origin="edit", group=group
        )
        examples.revise(store, added, variation.messages)
        connection.execute(
            "INSERT INTO synthetic (example_id, source_id, job_id, method, model, parameters, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (added, source.id, job_id, variation.method, variation.model, dumps(variation.parameters), now()),
        )
        tags.change(store, "example", [added], add=[TAG])
    return added


def origins(store: Store, example_ids: Sequence[int]) -> dict[int, Origin]:
    """Return where those of these examples (a screenful) come from that are synthetic, by id."""
    rows = store.connection.execute(
        f"{_SELECT} WHERE example_id IN (SELECT value FROM json_each(?))", (json.dumps(list(example_ids)),)
    )
    return {row[0]: _origin(row) for row in rows}


def of_sources(store: Store, source_ids: Iterable[int]) -> dict[int, list[Origin]]:
    """Return what was made from each of these examples, oldest first; those of which nothing was are left out."""
    rows = store.connection.execute(
        f"{_SELECT} WHERE source_id IN (SELECT value FROM json_each(?)) ORDER BY example_id",
        (json.dumps(list(source_ids)),),
    )
    found: dict[int, list[Origin]] = {}
    for origin in map(_origin, rows):
        assert origin.source_id is not None
        found.setdefault(origin.source_id, []).append(origin)
    return found


def usable_sources(store: Store, example_ids: Sequence[int]) -> list[int]:
    """Return those of these examples that prompts can be made from: in use, not rejected, not synthetic themselves."""
    rows = store.connection.execute(
        "SELECT e.id FROM json_each(?) i JOIN example e ON e.id = i.value LEFT JOIN record r ON r.id = e.record_id"
        " WHERE NOT e.excluded AND NOT COALESCE(r.excluded, 0) AND e.status <> 'rejected'"
        " AND e.id NOT IN (SELECT example_id FROM synthetic) ORDER BY e.id",
        (json.dumps(list(example_ids)),),
    )
    return [example_id for (example_id,) in rows]


def ids(store: Store) -> list[int]:
    """Return every synthetic example, oldest first."""
    return [row[0] for row in store.connection.execute("SELECT example_id FROM synthetic ORDER BY example_id")]


_SELECT = "SELECT example_id, source_id, job_id, method, model, parameters, created_at FROM synthetic"


def _origin(row: tuple[Any, ...]) -> Origin:
    example_id, source_id, job_id, method, model, parameters, created_at = row
    return Origin(example_id, source_id, job_id, method, model, loads(parameters) or {}, created_at)
