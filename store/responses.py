"""Responses: the candidate completions that an example's prompt was given."""

from dataclasses import dataclass, field
from typing import Any, Literal

from store import examples
from store.database import Store, now
from store.errors import MissingRowError
from store.inserting import insert_many
from store.quoting import Message, dumps, loads, unquote

ResponseOrigin = Literal["human", "run", "model", "file"]


@dataclass(frozen=True)
class Response:
    """A candidate completion for an example's prompt."""

    id: int
    example_id: int
    messages: list[Message]
    origin: ResponseOrigin
    author: str
    parameters: dict[str, Any] = field(default_factory=dict)
    label: bool | None = None
    """True or False where the source called it good or bad by itself (KTO)."""
    parent_id: int | None = None
    """The response that this one was edited from."""


NewResponse = tuple[int, int, str, ResponseOrigin, str, bool | None, str | None]
"""Id, example, messages as `quoting.quote` writes them, origin, author, label, parameters as JSON."""


def add(
    store: Store,
    example_id: int,
    messages: list[Message],
    *,
    origin: ResponseOrigin,
    author: str = "",
    parameters: dict[str, Any] | None = None,
    label: bool | None = None,
    parent_id: int | None = None,
) -> int:
    """Add a candidate completion; return its id."""
    stored = None if parameters is None else dumps(parameters)
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO response (example_id, messages, origin, author, parameters, label, parent_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (example_id, dumps(messages), origin, author, stored, label, parent_id, now()),
        )
        if origin != "file":
            examples.note_own_text(connection, example_id)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def next_id(store: Store) -> int:
    """Return the id that the next response gets; certain only inside a transaction."""
    return int(store.connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM response").fetchone()[0])


def add_many(store: Store, new: list[NewResponse]) -> None:
    """Add responses that were read from a file, under ids handed out before."""
    with store.transaction() as connection:
        columns = "id, example_id, messages, origin, author, label, parameters"
        insert_many(connection, "response", columns, new, created_at=now())


def get(store: Store, response_id: int) -> Response:
    """Return one response.

    Raises:
        MissingRowError: there is no response of that id.
    """
    row = store.connection.execute(f"{_SELECT} WHERE p.id = ?", (response_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no response {response_id} in this project.")
    return _response(row)


def of_example(store: Store, example_id: int) -> list[Response]:
    """Return the responses to an example's prompt, oldest first."""
    rows = store.connection.execute(f"{_SELECT} WHERE p.example_id = ? ORDER BY p.id", (example_id,))
    return [_response(row) for row in rows]


def counts(store: Store, example_ids: list[int]) -> dict[int, int]:
    """Return how many responses each of these examples (a screenful) has; those without are left out."""
    marks = ",".join("?" * len(example_ids))
    return dict(
        store.connection.execute(
            f"SELECT example_id, COUNT(*) FROM response WHERE example_id IN ({marks}) GROUP BY 1", example_ids
        )
    )


_SELECT = (
    "SELECT p.id, p.example_id, p.messages, t.raw, t.fields, p.origin, p.author, p.parameters, p.label, p.parent_id"
    " FROM response p JOIN example e ON e.id = p.example_id LEFT JOIN record_text t ON t.record_id = e.record_id"
)


def teachers(store: Store) -> list[tuple[str, int]]:
    """Return the runs and models that have answered prompts, with how many responses each gave, most first."""
    sql = (
        "SELECT author, COUNT(*) FROM response WHERE origin IN ('run', 'model') AND author <> ''"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [(author, count) for author, count in store.connection.execute(sql)]


def _response(row: tuple[Any, ...]) -> Response:
    response_id, example_id, messages, raw, fields, origin, author, parameters, label, parent_id = row
    return Response(
        response_id,
        example_id,
        unquote(messages, raw, fields),
        origin,
        author,
        loads(parameters) or {},
        None if label is None else bool(label),
        parent_id,
    )
