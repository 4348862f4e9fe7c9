"""The texts of templates as they were used or saved; the same text has one id."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.database import Store, now
from store.errors import MissingRowError


@dataclass(frozen=True)
class StoredTemplate:
    """A template as it was kept."""

    id: int
    name: str
    body: str
    created_at: str
    number: int
    """Its place among the templates of its name, from 1, in the order they were made."""


def add(store: Store, name: str, body: str) -> int:
    """Keep a template's text as it was used; the same text has one id."""
    digest = hashlib.sha256(f"{name}\0{body}".encode()).hexdigest()
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO template (hash, name, body, created_at) VALUES (?, ?, ?, ?) ON CONFLICT(hash) DO NOTHING",
            (digest, name, body, now()),
        )
        return int(connection.execute("SELECT id FROM template WHERE hash = ?", (digest,)).fetchone()[0])


def get(store: Store, template_id: int) -> StoredTemplate:
    """Return one template.

    Raises:
        MissingRowError: there is none of that id.
    """
    row = store.connection.execute(f"{_SELECT} WHERE t.id = ?", (template_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no template {template_id} in this project.")
    return _template(row)


def everything(store: Store) -> list[StoredTemplate]:
    """Return all templates, the newest first."""
    return [_template(row) for row in store.connection.execute(f"{_SELECT} ORDER BY t.id DESC")]


def examples_of_each(store: Store) -> dict[int, int]:
    """Return how many examples say now what each template made of their records; reads all examples."""
    rows = store.connection.execute(
        "SELECT v.template_id, COUNT(*) FROM example e JOIN revision v ON v.example_id = e.id AND v.number = e.revision"
        " WHERE v.origin = 'template' GROUP BY 1"
    )
    return {template_id: number for template_id, number in rows if template_id is not None}


_SELECT = (
    "SELECT t.id, t.name, t.body, t.created_at,"
    " (SELECT COUNT(*) FROM template o WHERE o.name = t.name AND o.id <= t.id) FROM template t"
)


def _template(row: Sequence[Any]) -> StoredTemplate:
    return StoredTemplate(*row)
