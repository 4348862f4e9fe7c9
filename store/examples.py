"""Examples with their revisions, and the responses that were given to their prompts."""

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from store.database import Store, now
from store.errors import MissingRowError

Split = Literal["train", "validation", "test"]
Status = Literal["draft", "approved", "rejected"]
RevisionOrigin = Literal["import", "template", "edit"]
ResponseOrigin = Literal["human", "run", "model", "file"]
Message = dict[str, Any]
"""A turn: `role`, `content`, and for tools `tool_calls` or `name`, as chat templates expect it."""


@dataclass(frozen=True)
class Example:
    """A conversation at its newest revision; ends with the user's turn where only a prompt is known."""

    id: int
    record_id: int | None
    split: Split
    status: Status
    flagged: bool
    excluded: bool
    note: str
    revision: int
    messages: list[Message]
    tools: list[dict[str, Any]] | None
    template_id: int | None
    origin: RevisionOrigin


@dataclass(frozen=True)
class Revision:
    """One state of an example; editing adds one and changes none."""

    number: int
    messages: list[Message]
    tools: list[dict[str, Any]] | None
    origin: RevisionOrigin
    created_at: str


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


@dataclass(frozen=True)
class ExampleQuery:
    """Which examples; the default is all of them, in the order they were made."""

    text: str = ""
    """Words that must occur in the record that the example came from."""
    split: Split | None = None
    status: Status | None = None
    flagged_only: bool = False


def prompt_of(messages: list[Message]) -> list[Message]:
    """Return the conversation up to its last answer: what the model is asked."""
    end = len(messages)
    while end and messages[end - 1]["role"] == "assistant":
        end -= 1
    return messages[:end]


def completion_of(messages: list[Message]) -> list[Message]:
    """Return the assistant's turns at the conversation's end; empty where it ends with a question."""
    return messages[len(prompt_of(messages)) :]


def prompt_group(messages: list[Message]) -> bytes:
    """Return the key that examples with the same prompt share, so that no split parts them.

    A conversation without a prompt (a plain text to learn) is its own key.
    """
    asked = [m for m in prompt_of(messages) if m["role"] != "system"] or messages
    turns = [(m["role"], m.get("content")) for m in asked]
    return hashlib.blake2b(
        json.dumps(turns, ensure_ascii=False).encode(errors="surrogatepass"), digest_size=16
    ).digest()


def add_template(store: Store, name: str, body: str) -> int:
    """Keep a template's text as it was used; the same text has one id."""
    digest = hashlib.sha256(f"{name}\0{body}".encode()).hexdigest()
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO template (hash, name, body, created_at) VALUES (?, ?, ?, ?) ON CONFLICT(hash) DO NOTHING",
            (digest, name, body, now()),
        )
        return int(connection.execute("SELECT id FROM template WHERE hash = ?", (digest,)).fetchone()[0])


def add(
    store: Store,
    *,
    record_id: int | None,
    messages: list[Message],
    split: Split,
    tools: list[dict[str, Any]] | None = None,
    template_id: int | None = None,
    origin: RevisionOrigin = "import",
) -> int:
    """Add an example at its first revision; return its id."""
    moment = now()
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO example (record_id, prompt_group, split, created_at) VALUES (?, ?, ?, ?)",
            (record_id, prompt_group(messages), split, moment),
        )
        example_id = cursor.lastrowid
        assert example_id is not None
        _add_revision(connection, example_id, 1, messages, tools, template_id, origin, moment)
    return example_id


def revise(store: Store, example_id: int, messages: list[Message], *, origin: RevisionOrigin = "edit") -> int:
    """Add a revision with these messages; id and split stay. Return the revision's number."""
    with store.transaction() as connection:
        current = get(store, example_id)
        highest = connection.execute("SELECT MAX(number) FROM revision WHERE example_id = ?", (example_id,)).fetchone()[
            0
        ]
        number = int(highest) + 1
        _add_revision(connection, example_id, number, messages, current.tools, current.template_id, origin, now())
        connection.execute("UPDATE example SET revision = ? WHERE id = ?", (number, example_id))
    return number


def revisions(store: Store, example_id: int) -> list[Revision]:
    """Return every state the example has had, oldest first."""
    rows = store.connection.execute(
        "SELECT number, messages, tools, origin, created_at FROM revision WHERE example_id = ? ORDER BY number",
        (example_id,),
    )
    return [Revision(n, json.loads(m), _loads(t), o, at) for n, m, t, o, at in rows]


def get(store: Store, example_id: int, revision: int | None = None) -> Example:
    """Return an example at its newest revision, or at the one named.

    Raises:
        MissingRowError: there is no such example or revision.
    """
    number = "e.revision" if revision is None else str(int(revision))
    row = store.connection.execute(f"{_select_example(number)} WHERE e.id = ?", (example_id,)).fetchone()
    if row is None:
        which = f"example {example_id}" if revision is None else f"revision {revision} of example {example_id}"
        raise MissingRowError(f"There is no {which} in this project.")
    return _example(row)


def get_many(store: Store, example_ids: list[int]) -> dict[int, Example]:
    """Return the examples of these ids (a screenful), by id."""
    marks = ",".join("?" * len(example_ids))
    rows = store.connection.execute(f"{_select_example('e.revision')} WHERE e.id IN ({marks})", example_ids)
    return {row[0]: _example(row) for row in rows}


def ids(store: Store, query: ExampleQuery = ExampleQuery()) -> "array[int]":
    """Return the ids of the examples that match, in order; eight bytes each."""
    from store.records import search_expression

    clauses: list[str] = ["1"]
    values: list[Any] = []
    expression = search_expression(query.text)
    if expression:
        clauses.append("record_id IN (SELECT rowid FROM record_fts WHERE record_fts MATCH ?)")
        values.append(expression)
    if query.split:
        clauses.append("split = ?")
        values.append(query.split)
    if query.status:
        clauses.append("status = ?")
        values.append(query.status)
    if query.flagged_only:
        clauses.append("flagged")
    rows = store.connection.execute(f"SELECT id FROM example WHERE {' AND '.join(clauses)} ORDER BY id", values)
    return array("q", (row[0] for row in rows))


def split_of_group(store: Store, group: bytes) -> Split | None:
    """Return the split that a prompt has already, None where the prompt is new."""
    row = store.connection.execute("SELECT split FROM example WHERE prompt_group = ? LIMIT 1", (group,)).fetchone()
    return row[0] if row else None


def count_of_source(store: Store, source_id: int) -> int:
    """Return how many examples came from a source."""
    row = store.connection.execute(
        "SELECT COUNT(*) FROM example e JOIN record r ON r.id = e.record_id WHERE r.source_id = ?", (source_id,)
    ).fetchone()
    return int(row[0])


def all_current(store: Store) -> Iterator[Example]:
    """Yield every example at its newest revision, by id; `excluded` is set for excluded records too."""
    rows = store.connection.execute(
        "SELECT e.id, e.record_id, e.split, e.status, e.flagged, e.excluded OR COALESCE(r.excluded, 0), e.note,"
        " v.number, v.messages, v.tools, v.template_id, v.origin FROM example e"
        " JOIN revision v ON v.example_id = e.id AND v.number = e.revision"
        " LEFT JOIN record r ON r.id = e.record_id ORDER BY e.id"
    )
    return (_example(row) for row in rows)


def ids_of_record(store: Store, record_id: int) -> list[int]:
    """Return the examples that were made from a record."""
    rows = store.connection.execute("SELECT id FROM example WHERE record_id = ? ORDER BY id", (record_id,))
    return [row[0] for row in rows]


def set_status(store: Store, example_id: int, status: Status) -> None:
    """Approve or reject an example, or make it a draft again."""
    with store.transaction() as connection:
        connection.execute("UPDATE example SET status = ? WHERE id = ?", (status, example_id))


def set_flagged(store: Store, example_id: int, flagged: bool) -> None:
    """Mark an example for a second look, or take the mark off."""
    with store.transaction() as connection:
        connection.execute("UPDATE example SET flagged = ? WHERE id = ?", (flagged, example_id))


def set_excluded(store: Store, example_id: int, excluded: bool) -> None:
    """Keep an example out of snapshots, or let it in again."""
    with store.transaction() as connection:
        connection.execute("UPDATE example SET excluded = ? WHERE id = ?", (excluded, example_id))


def add_response(
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
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO response (example_id, messages, origin, author, parameters, label, parent_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                example_id,
                _dumps(messages),
                origin,
                author,
                None if parameters is None else _dumps(parameters),
                label,
                parent_id,
                now(),
            ),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def response(store: Store, response_id: int) -> Response:
    """Return one response.

    Raises:
        MissingRowError: there is no response of that id.
    """
    row = store.connection.execute(f"{_SELECT_RESPONSE} WHERE id = ?", (response_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no response {response_id} in this project.")
    return _response(row)


def responses(store: Store, example_id: int) -> list[Response]:
    """Return the responses to an example's prompt, oldest first."""
    rows = store.connection.execute(f"{_SELECT_RESPONSE} WHERE example_id = ? ORDER BY id", (example_id,))
    return [_response(row) for row in rows]


def response_counts(store: Store, example_ids: list[int]) -> dict[int, int]:
    """Return how many responses each of these examples (a screenful) has; those without are left out."""
    marks = ",".join("?" * len(example_ids))
    return dict(
        store.connection.execute(
            f"SELECT example_id, COUNT(*) FROM response WHERE example_id IN ({marks}) GROUP BY 1", example_ids
        )
    )


def all_responses(store: Store) -> Iterator[Response]:
    """Yield every response of the project, oldest first."""
    return (_response(row) for row in store.connection.execute(f"{_SELECT_RESPONSE} ORDER BY id"))


_SELECT_RESPONSE = "SELECT id, example_id, messages, origin, author, parameters, label, parent_id FROM response"


def _select_example(revision: str) -> str:
    return (
        "SELECT e.id, e.record_id, e.split, e.status, e.flagged, e.excluded, e.note, v.number,"
        " v.messages, v.tools, v.template_id, v.origin"
        f" FROM example e JOIN revision v ON v.example_id = e.id AND v.number = {revision}"
    )


def _add_revision(
    connection: sqlite3.Connection,
    example_id: int,
    number: int,
    messages: list[Message],
    tools: list[dict[str, Any]] | None,
    template_id: int | None,
    origin: RevisionOrigin,
    moment: str,
) -> None:
    connection.execute(
        "INSERT INTO revision (example_id, number, messages, tools, template_id, origin, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            example_id,
            number,
            _dumps(messages),
            None if tools is None else _dumps(tools),
            template_id,
            origin,
            moment,
        ),
    )


def _example(row: tuple[Any, ...]) -> Example:
    (
        example_id,
        record_id,
        split,
        status,
        flagged,
        excluded,
        note,
        number,
        messages,
        tools,
        template_id,
        origin,
    ) = row
    return Example(
        example_id,
        record_id,
        split,
        status,
        bool(flagged),
        bool(excluded),
        note,
        number,
        json.loads(messages),
        _loads(tools),
        template_id,
        origin,
    )


def _response(row: tuple[Any, ...]) -> Response:
    response_id, example_id, messages, origin, author, parameters, label, parent_id = row
    return Response(
        response_id,
        example_id,
        json.loads(messages),
        origin,
        author,
        _loads(parameters) or {},
        None if label is None else bool(label),
        parent_id,
    )


def _dumps(value: Any) -> str:
    # ASCII, so that lone surrogates in a text survive SQLite's UTF-8.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _loads(text: str | None) -> Any:
    return None if text is None else json.loads(text)
