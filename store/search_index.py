"""The full-text index: derived data in a file of its own, which follows the records and can be made anew.

It has its own file so that indexing never makes a verdict wait for a lock, nor costs it a byte of journal.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from store import quoting
from store.derived_file import is_damaged, transaction
from store.search_file import SEARCH
from store.unspaced import apart

if TYPE_CHECKING:
    from store.database import Store

BATCH_ROWS = 20_000
BATCH_CHARACTERS = 32_000_000
"""How much is indexed in one transaction, whichever is reached first."""
BATCH_EXAMPLES = 500


def pending(store: "Store") -> int:
    """Return how many records and examples are not in the index yet."""
    SEARCH.renew(store.path, store.connection)
    done, digest, mark = store.connection.execute("SELECT record_id, hash, mark FROM search.progress").fetchone()
    last = store.connection.execute("SELECT COALESCE(MAX(id), 0) FROM record").fetchone()[0]
    edited = "unindexed" if mark == _mark(store.connection) else "example WHERE own_text"
    own = store.connection.execute(f"SELECT COUNT(*) FROM {edited}").fetchone()[0]
    return int(last - (done if _is_of_this_project(store, done, digest) else 0) + own)


def catch_up(
    store: "Store", *, stop: Callable[[], bool] = lambda: False, after_batch: Callable[[], object] = lambda: None
) -> None:
    """Index what is missing, batch by batch, until nothing is or `stop` says so.

    An index that is found to be damaged is made anew.
    """
    SEARCH.renew(store.path, store.connection)
    try:
        _index_all(store, stop, after_batch)
    except sqlite3.DatabaseError as error:
        if not is_damaged(error):
            raise
        SEARCH.make_anew(store.path, store.connection)
        _index_all(store, stop, after_batch)


def _index_all(store: "Store", stop: Callable[[], bool], after_batch: Callable[[], object]) -> None:
    with _writing(store) as index:
        while not stop() and (_index_records(store, index) or _index_examples(store, index)):
            after_batch()
        # The log of a large import is as large as the index; nobody else's close would take it away. Where somebody
        # reads just now, it is left for the next time.
        index.execute("PRAGMA busy_timeout=0")
        index.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextmanager
def _writing(store: "Store") -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(SEARCH.for_writing(store.path), isolation_level=None, timeout=60, uri=True)
    try:
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-32768")
        yield connection
    finally:
        connection.close()


def _index_records(store: "Store", index: sqlite3.Connection) -> bool:
    """Index the next records; tell whether there were any."""
    with transaction(index):
        done = _begin_after(store, index)
        rows, last = _next_texts(store, done)
        if not rows:
            return False
        index.executemany("INSERT INTO record_fts (rowid, text) VALUES (?, ?)", rows)
        digest = store.connection.execute("SELECT hash FROM record WHERE id = ?", (last,)).fetchone()[0]
        index.execute("UPDATE progress SET record_id = ?, hash = ?", (last, digest))
    return True


def _begin_after(store: "Store", index: sqlite3.Connection) -> int:
    """Return the last record that is indexed; an index of other data, as after a restored backup, is emptied."""
    done, digest = index.execute("SELECT record_id, hash FROM progress").fetchone()
    if _is_of_this_project(store, done, digest):
        return int(done)
    index.execute("INSERT INTO record_fts(record_fts) VALUES ('delete-all')")
    index.execute("UPDATE progress SET record_id = 0, hash = NULL")
    return 0


def _is_of_this_project(store: "Store", done: int, digest: bytes | None) -> bool:
    """Tell whether the last record that was indexed is still the one of that id."""
    if not done:
        return True
    found = store.connection.execute("SELECT hash FROM record WHERE id = ?", (done,)).fetchone()
    return found is not None and found[0] == digest


def _next_texts(store: "Store", after: int) -> tuple[list[tuple[int, str]], int]:
    found: list[tuple[int, str]] = []
    room = BATCH_CHARACTERS
    cursor = store.connection.execute(
        "SELECT r.id, t.raw, t.fields, r.error FROM record r JOIN record_text t ON t.record_id = r.id"
        " WHERE r.id > ? ORDER BY r.id LIMIT ?",
        (after, BATCH_ROWS),
    )
    for record_id, raw, fields, error in cursor:
        text = apart(all_text(raw, fields, error))
        found.append((record_id, text))
        room -= len(text)
        if room <= 0:
            break
    cursor.close()
    return found, found[-1][0] if found else after


def all_text(raw: str | bytes, fields: str | None, error: str | None) -> str:
    """Return all texts of a record, without the names of its fields."""
    if error is not None:
        return raw if isinstance(raw, str) else raw.decode(errors="replace")
    values = list(quoting.loads_texts(raw if fields is None else fields).values())
    try:
        text = "\n".join(values)
    except TypeError:
        text = "\n".join(_texts(values))
    return text if text.isascii() else text.encode(errors="replace").decode()


def _texts(value: Any) -> Iterator[str]:
    # Not by recursion: a row may be nested about as deeply as Python's stack is.
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif value is not None and not isinstance(value, bool):
            yield str(value)


def _index_examples(store: "Store", index: sqlite3.Connection) -> bool:
    """Index examples whose own text changed; tell whether there were any."""
    from store import examples, responses

    with transaction(index):
        if _mark(index, "progress") != _mark(store.connection):
            _queue_all(store, index)
        numbers = _take_from_queue(store, index)
        for number, example in examples.get_many(store, numbers).items():
            parts = [*example.messages, *(m for r in responses.of_example(store, number) for m in r.messages)]
            text = "\n".join(part["content"] or "" for part in parts).encode(errors="replace").decode()
            index.execute("DELETE FROM example_fts WHERE rowid = ?", (number,))
            index.execute("INSERT INTO example_fts (rowid, text) VALUES (?, ?)", (number, apart(text)))
    return bool(numbers)


def _queue_all(store: "Store", index: sqlite3.Connection) -> None:
    """Begin again with the examples: the index is new, or not the one that this file was indexed in last."""
    index.execute("DELETE FROM example_fts")
    with _marked(store, index) as connection:
        connection.execute("INSERT OR IGNORE INTO unindexed SELECT id FROM example WHERE own_text")


def _take_from_queue(store: "Store", index: sqlite3.Connection) -> list[int]:
    """Take the next examples out, before their texts are read: what is written after that queues them again."""
    if store.connection.execute("SELECT 1 FROM unindexed LIMIT 1").fetchone() is None:
        return []
    with _marked(store, index) as connection:
        rows = connection.execute("SELECT example_id FROM unindexed ORDER BY 1 LIMIT ?", (BATCH_EXAMPLES,)).fetchall()
        connection.executemany("DELETE FROM unindexed WHERE example_id = ?", rows)
    return [row[0] for row in rows]


@contextmanager
def _marked(store: "Store", index: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Write to the project's file in a transaction that gives both files a new mark.

    If the index then fails to be written, or one of the two files is put back to what it was, their marks differ.
    """
    mark = secrets.token_hex(8)
    with store.transaction() as connection:
        yield connection
        connection.execute("UPDATE search_mark SET mark = ?", (mark,))
    index.execute("UPDATE progress SET mark = ?", (mark,))


def _mark(connection: sqlite3.Connection, table: str = "search_mark") -> str:
    return str(connection.execute(f"SELECT mark FROM {table}").fetchone()[0])
