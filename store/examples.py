"""Examples with their revisions."""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any, Literal

from store import quoting
from store.database import Store, now
from store.errors import MissingRowError
from store.inserting import insert_many
from store.quoting import dumps, loads, unquote

Split = Literal["train", "validation", "test"]
Status = Literal["draft", "approved", "rejected"]
RevisionOrigin = Literal["import", "template", "edit"]
Message = quoting.Message
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
    asked = messages if len(messages) == 1 else [m for m in prompt_of(messages) if m["role"] != "system"] or messages
    # By hand, because each row of an import passes here: the JSON of [[role, content], ...].
    turns = ", ".join(f"[{encode_basestring(m['role'])}, {_as_json(m.get('content'))}]" for m in asked)
    return hashlib.blake2b(f"[{turns}]".encode(errors="surrogatepass"), digest_size=16).digest()


def _as_json(content: str | None) -> str:
    return "null" if content is None else encode_basestring(content)


def add(
    store: Store,
    *,
    record_id: int | None,
    messages: list[Message],
    split: Split,
    tools: list[dict[str, Any]] | None = None,
    template_id: int | None = None,
    origin: RevisionOrigin = "import",
    group: bytes | None = None,
) -> int:
    """Add an example at its first revision, in the group of its own prompt unless told another; return its id."""
    moment = now()
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO example (record_id, prompt_group, split, created_at) VALUES (?, ?, ?, ?)",
            (record_id, group or prompt_group(messages), split, moment),
        )
        example_id = cursor.lastrowid
        assert example_id is not None
        _add_revision(connection, example_id, 1, messages, tools, template_id, origin, moment)
        if record_id is None:
            note_own_text(connection, example_id)
    return example_id


NewExample = tuple[int, int, bytes, Split, str, str | None]
"""Id, record, prompt group, split, messages as `quoting.quote` writes them, tools as JSON."""


def next_id(store: Store) -> int:
    """Return the id that the next example gets; certain only inside a transaction."""
    return int(store.connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM example").fetchone()[0])


def add_many(store: Store, new: list[NewExample], *, template_id: int | None, origin: RevisionOrigin) -> None:
    """Add examples that were read from a file, each at its first revision, under ids handed out before."""
    moment = now()
    with store.transaction() as connection:
        columns = "id, record_id, prompt_group, split"
        insert_many(connection, "example", columns, [row[:4] for row in new], created_at=moment)
        revisions = [(row[0], *row[4:]) for row in new]
        same = {"number": 1, "template_id": template_id, "origin": origin, "created_at": moment}
        insert_many(connection, "revision", "example_id, messages, tools", revisions, **same)


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
        note_own_text(connection, example_id)
    return number


def of_records(store: Store, record_ids: list[int]) -> dict[int, Example]:
    """Return the first example of each of these records (a batch) at its newest revision, by record."""
    marks = ",".join("?" * len(record_ids))
    rows = store.connection.execute(
        f"{_select_example('e.revision')} WHERE e.id IN"
        f" (SELECT MIN(id) FROM example WHERE record_id IN ({marks}) GROUP BY record_id)",
        record_ids,
    )
    found = map(_example, rows)
    return {example.record_id: example for example in found if example.record_id is not None}


def note_own_text(connection: sqlite3.Connection, example_id: int) -> None:
    """Note that an example says something that its record does not, and that the search index must learn it."""
    connection.execute("UPDATE example SET own_text = 1 WHERE id = ?", (example_id,))
    connection.execute("INSERT OR IGNORE INTO unindexed (example_id) VALUES (?)", (example_id,))


def revisions(store: Store, example_id: int) -> list[Revision]:
    """Return every state the example has had, oldest first."""
    rows = store.connection.execute(
        "SELECT v.number, v.messages, t.raw, t.fields, v.tools, v.origin, v.created_at FROM revision v"
        " JOIN example e ON e.id = v.example_id LEFT JOIN record_text t ON t.record_id = e.record_id"
        " WHERE v.example_id = ? ORDER BY v.number",
        (example_id,),
    )
    return [Revision(n, unquote(m, raw, fields), loads(t), o, at) for n, m, raw, fields, t, o, at in rows]


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


def from_long_records(store: Store, example_ids: list[int], most: int) -> dict[int, tuple[Example, int]]:
    """Return those of these examples (a screenful) whose records are longer than `most`, with their lengths.

    They come without their messages, which would have to be looked for in all of that.
    """
    marks = ",".join("?" * len(example_ids))
    rows = store.connection.execute(
        "SELECT r.length, e.id, e.record_id, e.split, e.status, e.flagged, e.excluded, e.note, e.revision,"
        " '[]', NULL, NULL, NULL, NULL, 'import' FROM example e JOIN record r ON r.id = e.record_id"
        f" WHERE e.id IN ({marks}) AND r.length > ?",
        (*example_ids, most),
    )
    return {example[0]: (_example(example), length) for length, *example in rows}


def ids_of_split(store: Store, split: Split) -> list[int]:
    """Return the examples of a split, in the order they were made."""
    return [row[0] for row in store.connection.execute("SELECT id FROM example WHERE split = ? ORDER BY id", (split,))]


def span(store: Store) -> range:
    """Return the ids of all examples in order: they follow each other, since no example is ever taken away."""
    return range(1, next_id(store))


def count(store: Store) -> int:
    """Return how many examples the project has."""
    return int(store.connection.execute("SELECT COUNT(*) FROM example").fetchone()[0])


def count_of_source(store: Store, source_id: int) -> int:
    """Return how many examples came from a source."""
    row = store.connection.execute(
        "SELECT COUNT(*) FROM example e JOIN record r ON r.id = e.record_id WHERE r.source_id = ?", (source_id,)
    ).fetchone()
    return int(row[0])


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


def set_note(store: Store, example_id: int, note: str) -> None:
    """Keep what somebody wrote about an example; an empty note takes it off."""
    with store.transaction() as connection:
        connection.execute("UPDATE example SET note = ? WHERE id = ?", (note, example_id))


def set_excluded(store: Store, example_id: int, excluded: bool) -> None:
    """Keep an example out of snapshots, or let it in again."""
    with store.transaction() as connection:
        connection.execute("UPDATE example SET excluded = ? WHERE id = ?", (excluded, example_id))


def _select_example(revision: str) -> str:
    return (
        "SELECT e.id, e.record_id, e.split, e.status, e.flagged, e.excluded, e.note, v.number,"
        " v.messages, t.raw, t.fields, v.tools, v.template_id, v.origin"
        f" FROM example e JOIN revision v ON v.example_id = e.id AND v.number = {revision}"
        " LEFT JOIN record_text t ON t.record_id = e.record_id"
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
            dumps(messages),
            None if tools is None else dumps(tools),
            template_id,
            origin,
            moment,
        ),
    )


def _example(row: Sequence[Any]) -> Example:
    example_id, record_id, split, status, flagged, excluded, note, number, messages, raw, fields, *rest = row
    tools, template_id, origin = rest
    return Example(
        example_id,
        record_id,
        split,
        status,
        bool(flagged),
        bool(excluded),
        note,
        number,
        unquote(messages, raw, fields),
        loads(tools),
        template_id,
        origin,
    )
