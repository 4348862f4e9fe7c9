"""Chats with models, turn by turn."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from store.database import Store, now

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class ChatTurn:
    """One message of a chat; `model` names who answered."""

    id: int
    role: Role
    content: str
    model: str | None = None
    stats: dict[str, Any] = field(default_factory=dict)


def start(store: Store, title: str = "") -> int:
    """Begin a chat; return its id."""
    with store.transaction() as connection:
        cursor = connection.execute("INSERT INTO chat (title, created_at) VALUES (?, ?)", (title, now()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def add_turn(
    store: Store,
    chat_id: int,
    role: Role,
    content: str,
    *,
    model: str | None = None,
    stats: dict[str, Any] | None = None,
) -> int:
    """Add a message to a chat; return its id."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO chat_turn (chat_id, role, content, model, stats, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (chat_id, role, content, model, None if stats is None else json.dumps(stats), now()),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def turns(store: Store, chat_id: int) -> list[ChatTurn]:
    """Return a chat's messages, oldest first."""
    rows = store.connection.execute(
        "SELECT id, role, content, model, stats FROM chat_turn WHERE chat_id = ? ORDER BY id", (chat_id,)
    )
    return [ChatTurn(i, role, text, model, json.loads(stats) if stats else {}) for i, role, text, model, stats in rows]


def latest(store: Store) -> int | None:
    """Return the id of the chat begun last, if there is one."""
    row = store.connection.execute("SELECT MAX(id) FROM chat").fetchone()
    return None if row is None or row[0] is None else int(row[0])
