"""Chats with models: questions that branch, and the answers of up to four models to each."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from store.database import Store, now
from store.errors import MissingRowError

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class ChatTurn:
    """One message of a chat; `model` names who answered."""

    id: int
    role: Role
    content: str
    model: str | None = None
    stats: dict[str, Any] = field(default_factory=dict)
    """Of an answer how it came about; of a question what was noted of it."""
    parent_id: int | None = None
    """Of a question the one before it; of an answer its question."""
    side: int | None = None
    """Of an answer, the place of its model among the chat's."""
    follows: tuple[int, ...] = ()
    """Of a question, the answers that stood before it, one a side."""
    opening: bool = False
    """It stood there before the first question."""


@dataclass(frozen=True)
class Chat:
    """A chat as a list shows it."""

    id: int
    title: str
    created_at: str
    models: tuple[str, ...]
    settings: dict[str, Any]
    shown_id: int | None
    """The question that was last in sight."""
    changed_at: str
    questions: int


class Hit(NamedTuple):
    """A turn, or with no id a title, in which something was found."""

    chat_id: int
    turn_id: int | None
    role: Role | None
    model: str | None
    text: str


def start(store: Store, title: str = "", *, models: Sequence[str] = (), settings: dict[str, Any] | None = None) -> int:
    """Begin a chat; return its id."""
    with store.transaction() as connection:
        number = _next(connection, "chat")
        connection.execute(
            "INSERT INTO chat (id, title, created_at, models, settings) VALUES (?, ?, ?, ?, ?)",
            (number, title, now(), json.dumps(list(models), ensure_ascii=False), json.dumps(settings or {})),
        )
    return number


def add_turn(
    store: Store,
    chat_id: int,
    role: Role,
    content: str,
    *,
    model: str | None = None,
    stats: dict[str, Any] | None = None,
    opening: bool = False,
    parent_id: int | None = None,
    side: int | None = None,
    follows: Sequence[int] = (),
    trace: bytes | None = None,
) -> int:
    """Add a message to a chat; return its id. It is on the disk then, unless within a transaction.

    Raises:
        MissingRowError: the chat was deleted, or the question was taken back, perhaps by another program.
    """
    with store.transaction() as connection:
        number = _next(connection, "chat_turn")
        try:
            connection.execute(
                "INSERT INTO chat_turn (id, chat_id, role, content, model, stats, created_at, opening, parent_id, side,"
                " follows, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(number, chat_id, role, content, model, _json(stats), now(), opening, parent_id, side),
                    *(json.dumps(list(follows)), trace),
                ),
            )
        except sqlite3.IntegrityError as error:
            raise MissingRowError(
                f"Chat {chat_id}, or the question before, was deleted meanwhile; begin a new chat."
            ) from error
    return number


def rewrite(
    store: Store, turn_id: int, content: str, *, stats: dict[str, Any] | None = None, trace: bytes | None = None
) -> bool:
    """Write an answer down that was kept before its end; return whether it is still there."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "UPDATE chat_turn SET content = ?, stats = ?, trace = ? WHERE id = ?",
            (content, _json(stats), trace, turn_id),
        )
    return cursor.rowcount > 0


def turns(store: Store, chat_id: int) -> list[ChatTurn]:
    """Return a chat's messages, of all its branches, oldest first."""
    rows = store.connection.execute(
        "SELECT id, role, content, model, stats, parent_id, side, follows, opening FROM chat_turn"
        " WHERE chat_id = ? ORDER BY id",
        (chat_id,),
    )
    return [
        ChatTurn(
            number,
            role,
            content,
            model,
            json.loads(stats) if stats else {},
            parent,
            side,
            tuple(json.loads(follows)),
            bool(opening),
        )
        for number, role, content, model, stats, parent, side, follows, opening in rows
    ]


def get(store: Store, chat_id: int) -> Chat:
    """Return one chat.

    Raises:
        MissingRowError: there is no chat of that id.
    """
    row = store.connection.execute(f"{_SELECT} WHERE c.id = ?", (chat_id,)).fetchone()
    if row is None:
        raise MissingRowError(f"There is no chat {chat_id} in this project.")
    return _chat(row)


def all_chats(store: Store, *, limit: int = 1_000) -> list[Chat]:
    """Return the chats, those in which something was said last first."""
    rows = store.connection.execute(
        f"{_SELECT} ORDER BY (SELECT MAX(id) FROM chat_turn WHERE chat_id = c.id) DESC NULLS FIRST, c.id DESC LIMIT ?",
        (limit,),
    )
    return [_chat(row) for row in rows]


def latest(store: Store) -> int | None:
    """Return the id of the chat begun last, if there is one."""
    row = store.connection.execute("SELECT MAX(id) FROM chat").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def search(store: Store, words: Sequence[str], *, limit: int = 200) -> list[Hit]:
    """Return the titles and turns that have all the words, in any order and case, the newest first."""
    title, values = _has_all("title", words)
    content, more = _has_all("content", words)
    rows = store.connection.execute(
        "SELECT chat_id, turn_id, role, model, text FROM ("
        f"SELECT id AS chat_id, NULL AS turn_id, NULL AS role, NULL AS model, title AS text FROM chat WHERE {title}"
        f" UNION ALL SELECT chat_id, id, role, model, content FROM chat_turn WHERE {content}"
        # A chat's title stands before its turns.
        ") ORDER BY chat_id DESC, turn_id IS NOT NULL, turn_id DESC LIMIT ?",
        (*values, *more, limit),
    )
    return [Hit(*row) for row in rows]


def rename(store: Store, chat_id: int, title: str) -> None:
    """Give a chat another title."""
    with store.transaction() as connection:
        connection.execute("UPDATE chat SET title = ? WHERE id = ?", (title, chat_id))


def set_settings(store: Store, chat_id: int, settings: dict[str, Any]) -> None:
    """Keep how a chat is held."""
    with store.transaction() as connection:
        connection.execute("UPDATE chat SET settings = ? WHERE id = ?", (json.dumps(settings), chat_id))


def show(store: Store, chat_id: int, question_id: int | None) -> None:
    """Keep which question was last in sight."""
    with store.transaction() as connection:
        connection.execute("UPDATE chat SET shown_id = ? WHERE id = ?", (question_id, chat_id))


def set_stats(store: Store, turn_id: int, stats: dict[str, Any]) -> None:
    """Keep what is noted of a turn."""
    with store.transaction() as connection:
        connection.execute("UPDATE chat_turn SET stats = ? WHERE id = ?", (_json(stats), turn_id))


def trace(store: Store, turn_id: int) -> bytes | None:
    """Return what was kept of an answer token by token; None where nothing was."""
    row = store.connection.execute("SELECT trace FROM chat_turn WHERE id = ?", (turn_id,)).fetchone()
    return None if row is None else row[0]


def remove_unanswered(store: Store, question_id: int) -> bool:
    """Take a question away to which nothing was said and that no other follows; return whether it was such a one."""
    with store.transaction() as connection:
        _keep_numbers(connection)
        cursor = connection.execute(
            "DELETE FROM chat_turn WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM chat_turn WHERE parent_id = ?1)",
            (question_id,),
        )
    return cursor.rowcount > 0


def delete(store: Store, chat_id: int) -> None:
    """Take a chat away with all that was said in it; examples and verdicts that were made of it stay."""
    with store.transaction() as connection:
        _keep_numbers(connection)
        connection.execute("DELETE FROM chat_turn WHERE chat_id = ?", (chat_id,))
        connection.execute("DELETE FROM chat WHERE id = ?", (chat_id,))


_SELECT = """
SELECT c.id, c.title, c.created_at, c.models, c.settings, c.shown_id,
    COALESCE((SELECT created_at FROM chat_turn WHERE chat_id = c.id ORDER BY id DESC LIMIT 1), c.created_at),
    (SELECT COUNT(*) FROM chat_turn WHERE chat_id = c.id AND role = 'user' AND NOT opening)
FROM chat c
"""


# SQLite gives the number of a last row that was deleted to the next one. Responses name the chat and the turn that they
# were made of, and another program may have them open: no number is given twice.
_NUMBERS = "chat numbers"


def _next(connection: sqlite3.Connection, table: Literal["chat", "chat_turn"]) -> int:
    row = connection.execute(
        f"SELECT MAX(COALESCE((SELECT MAX(id) FROM {table}), 0),"
        " COALESCE((SELECT value ->> ? FROM interface_state WHERE key = ?), 0)) + 1",
        (table, _NUMBERS),
    ).fetchone()
    return int(row[0])


def _keep_numbers(connection: sqlite3.Connection) -> None:
    given = json.dumps({"chat": _next(connection, "chat") - 1, "chat_turn": _next(connection, "chat_turn") - 1})
    connection.execute("INSERT OR REPLACE INTO interface_state (key, value) VALUES (?, ?)", (_NUMBERS, given))


def _chat(row: tuple[Any, ...]) -> Chat:
    number, title, created, models, settings, shown, changed, questions = row
    return Chat(number, title, created, tuple(json.loads(models)), json.loads(settings), shown, changed, questions)


def _has_all(column: str, words: Sequence[str]) -> tuple[str, list[str]]:
    """Return a condition that a text has all the words; LIKE itself knows the case of ASCII letters only."""
    tests, values = [], []
    for word in words:
        written = sorted({word, word.lower(), word.upper(), word.capitalize()} if not word.isascii() else {word})
        tests.append("(" + " OR ".join([f"{column} LIKE ? ESCAPE '\\'"] * len(written)) + ")")
        values += [f"%{_escaped(each)}%" for each in written]
    return " AND ".join(tests) or "0", values


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
