"""Where records stand in their files, and what their fields begin with."""

from collections.abc import Iterable
from typing import Any

from store.database import Store
from store.facts import Kind
from store.field_values import fields_in_beginning


def first_of_sources(store: Store, number: int) -> list[int]:
    """Return the ids of the first records of each source."""
    rows = store.connection.execute(
        "SELECT r.id FROM source s CROSS JOIN record r ON r.id IN"
        " (SELECT id FROM record WHERE source_id = s.id ORDER BY line LIMIT ?) ORDER BY r.id",
        (number,),
    )
    return [row[0] for row in rows]


def at_line(store: Store, source_ids: Iterable[int], line: int) -> tuple[int, int] | None:
    """Return the id and the line of the first record at or after a line of these files; None where none is."""
    for source_id in source_ids:
        row: tuple[int, int] | None = store.connection.execute(
            "SELECT id, line FROM record WHERE source_id = ? AND line >= ? ORDER BY line LIMIT 1", (source_id, line)
        ).fetchone()
        if row is not None:
            return row
    return None


def places(store: Store, kind: Kind, row_ids: list[int]) -> dict[int, tuple[str, int]]:
    """Return the file and the line of these records, or of the records of these examples, by id."""
    joint = "record r" if kind == "record" else "example e JOIN record r ON r.id = e.record_id"
    row, marks = kind[0], ",".join("?" * len(row_ids))
    rows = store.connection.execute(
        f"SELECT {row}.id, s.name, r.line FROM {joint} JOIN source s ON s.id = r.source_id WHERE {row}.id IN ({marks})",
        row_ids,
    )
    return {number: (name, line) for number, name, line in rows}


def fields_beginning(store: Store, record_id: int, size: int) -> dict[str, Any] | None:
    """Return what the first bytes say of a long record's fields; None where it can't be parsed."""
    row = store.connection.execute(
        "SELECT t.fields IS NOT NULL FROM record r JOIN record_text t ON t.record_id = r.id"
        " WHERE r.id = ? AND r.error IS NULL",
        (record_id,),
    ).fetchone()
    if row is None:
        return None
    column = "fields" if row[0] else "raw"
    with store.connection.blobopen("record_text", column, record_id, readonly=True) as text:
        return fields_in_beginning(text.read(size).decode(errors="ignore"))
