"""The schema, as numbered steps that are run once, in order, and never edited afterwards."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sqlite_utils

from store.folder_lock import alone_in
from store.packing import pack
from store.upgrade import OnUpgrade, Upgrade

Migration = Callable[[sqlite_utils.Database], None]

STEPS_BETWEEN_LOOKS = 1_000_000
"""Steps of SQLite's machine after which it is looked how far a copy is."""

SECONDS_BETWEEN_WORDS = 0.5


def migrate(path: Path, connection: sqlite3.Connection, say: OnUpgrade) -> None:
    """Bring the file up to date; a copy is left beside a file that held anything.

    Two processes may open an old file at once: the version is read again under the write lock.
    """
    if (version := _version(connection)) > 0:
        # Before the wait for another process that does the same.
        say(Upgrade(_backup(path, version), path.stat().st_size))
    with alone_in(path.parent):
        if 0 < (version := _version(connection)) < len(MIGRATIONS):  # else another process was faster
            _back_up(path, connection, version, say)
        # What a statement that changes every row could undo is as large as the file: too much for memory.
        connection.execute("PRAGMA temp_store=FILE")
        try:
            _run_missing(connection)
        finally:
            connection.execute("PRAGMA temp_store=MEMORY")


def _run_missing(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        db = sqlite_utils.Database(connection)
        for number in range(_version(connection) + 1, len(MIGRATIONS) + 1):
            MIGRATIONS[number - 1](db)
            connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
    except BaseException:
        # A full disk ends the transaction by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _backup(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.backup-{version}")


def _back_up(path: Path, connection: sqlite3.Connection, version: int, say: OnUpgrade) -> None:
    backup = _backup(path, version)
    part = backup.with_name(f"{backup.name}.part")
    _remove(part)  # of a process that was ended in the middle
    try:
        # SQLite fills an empty file that is there, so that the copy is private from its first byte.
        part.touch(mode=0o600)
        with _telling(connection, part, Upgrade(backup, path.stat().st_size), say):
            connection.execute("VACUUM INTO ?", (str(part),))
        part.replace(backup)
    finally:
        _remove(part)


@contextmanager
def _telling(connection: sqlite3.Connection, part: Path, begun: Upgrade, say: OnUpgrade) -> Iterator[None]:
    """Say from time to time how far a copy is; an interruption by the user ends it."""
    interrupted: list[BaseException] = []
    told = time.monotonic()

    def look() -> bool:
        nonlocal told
        try:
            if time.monotonic() - told >= SECONDS_BETWEEN_WORDS:
                told = time.monotonic()
                say(begun._replace(copied=min(part.stat().st_size / max(begun.size, 1), 1.0)))
        except BaseException as error:
            # SQLite takes only its own errors through.
            interrupted.append(error)
        return bool(interrupted)

    connection.set_progress_handler(look, STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError:
        if interrupted:
            raise interrupted[0] from None
        raise
    finally:
        connection.set_progress_handler(None, 0)


def _remove(part: Path) -> None:
    for name in (part, part.with_name(f"{part.name}-journal")):
        name.unlink(missing_ok=True)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _run(db: sqlite_utils.Database, script: str) -> None:
    # Not executescript: that commits first, and a migration must be all or nothing.
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def m001_first_schema(db: sqlite_utils.Database) -> None:
    """Records, examples, responses, the comparison journal, snapshots, runs and chats."""
    _run(db, _RECORDS)
    _run(db, _EXAMPLES)
    _run(db, _COMPARISONS)
    _run(db, _RUNS)
    _run(db, _CHATS)


_RECORDS = """
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    container TEXT NOT NULL,
    format TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    mapping TEXT,
    imported_at TEXT NOT NULL
);
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES source(id),
    line INTEGER NOT NULL,
    raw NOT NULL,
    fields TEXT,
    hash BLOB NOT NULL,
    error TEXT,
    problem TEXT,
    flagged INTEGER NOT NULL DEFAULT 0,
    excluded INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX record_by_source ON record(source_id, line);
CREATE INDEX record_by_hash ON record(hash);
CREATE INDEX record_with_error ON record(id) WHERE error IS NOT NULL OR problem IS NOT NULL;
CREATE INDEX record_flagged ON record(id) WHERE flagged;
CREATE VIRTUAL TABLE record_fts USING fts5(text, content='', tokenize='unicode61');
"""

_EXAMPLES = """
CREATE TABLE template (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE example (
    id INTEGER PRIMARY KEY,
    record_id INTEGER REFERENCES record(id),
    prompt_group BLOB NOT NULL,
    split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
    status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'approved', 'rejected')),
    flagged INTEGER NOT NULL DEFAULT 0,
    excluded INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT '',
    revision INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL
);
CREATE INDEX example_by_record ON example(record_id);
CREATE INDEX example_by_group ON example(prompt_group);
CREATE INDEX example_by_split ON example(split);
CREATE TABLE revision (
    example_id INTEGER NOT NULL REFERENCES example(id),
    number INTEGER NOT NULL,
    messages TEXT NOT NULL,
    tools TEXT,
    template_id INTEGER REFERENCES template(id),
    origin TEXT NOT NULL CHECK (origin IN ('import', 'template', 'edit')),
    created_at TEXT NOT NULL,
    PRIMARY KEY (example_id, number)
) WITHOUT ROWID;
CREATE TABLE response (
    id INTEGER PRIMARY KEY,
    example_id INTEGER NOT NULL REFERENCES example(id),
    messages TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('human', 'run', 'model', 'file')),
    author TEXT NOT NULL DEFAULT '',
    parameters TEXT,
    label INTEGER,
    parent_id INTEGER REFERENCES response(id),
    created_at TEXT NOT NULL
);
CREATE INDEX response_by_example ON response(example_id);
"""

_COMPARISONS = """
CREATE TABLE pair (
    id INTEGER PRIMARY KEY,
    example_id INTEGER NOT NULL REFERENCES example(id),
    first_id INTEGER NOT NULL REFERENCES response(id),
    second_id INTEGER NOT NULL REFERENCES response(id),
    seed INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (first_id, second_id)
);
CREATE INDEX pair_by_example ON pair(example_id);
CREATE TABLE comparison (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('verdict', 'undo', 'redo', 'comment')),
    pair_id INTEGER NOT NULL REFERENCES pair(id),
    left_id INTEGER REFERENCES response(id),
    right_id INTEGER REFERENCES response(id),
    seed INTEGER,
    verdict TEXT CHECK (verdict IN ('left', 'right', 'tie', 'both_bad', 'skip')),
    note TEXT NOT NULL DEFAULT '',
    rater TEXT NOT NULL,
    shown_at TEXT,
    answered_at TEXT NOT NULL,
    target_id INTEGER REFERENCES comparison(id),
    CHECK ((kind = 'verdict') = (verdict IS NOT NULL)),
    CHECK ((kind IN ('undo', 'redo')) = (target_id IS NOT NULL))
);
CREATE INDEX comparison_by_pair ON comparison(pair_id, id);
CREATE INDEX comparison_by_target ON comparison(target_id, id) WHERE target_id IS NOT NULL;
CREATE TRIGGER comparison_is_never_changed BEFORE UPDATE ON comparison
BEGIN SELECT RAISE(ABORT, 'the comparison journal is append-only'); END;
CREATE TRIGGER comparison_is_never_deleted BEFORE DELETE ON comparison
BEGIN SELECT RAISE(ABORT, 'the comparison journal is append-only'); END;
CREATE TRIGGER comparison_is_never_replaced BEFORE INSERT ON comparison
WHEN EXISTS (SELECT 1 FROM comparison WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the comparison journal is append-only'); END;
CREATE VIEW standing_verdict AS
    SELECT c.* FROM comparison c
    WHERE c.kind = 'verdict' AND COALESCE(
        (SELECT k.kind FROM comparison k WHERE k.target_id = c.id ORDER BY k.id DESC LIMIT 1), 'redo'
    ) = 'redo';
CREATE VIEW current_verdict AS
    SELECT s.* FROM standing_verdict s
    WHERE s.id = (SELECT MAX(o.id) FROM standing_verdict o WHERE o.pair_id = s.pair_id);
"""

_RUNS = """
CREATE TABLE snapshot (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('sft', 'preference')),
    query TEXT NOT NULL DEFAULT '',
    counts TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE snapshot_item (
    snapshot_id TEXT NOT NULL REFERENCES snapshot(id),
    position INTEGER NOT NULL,
    split TEXT NOT NULL,
    example_id INTEGER NOT NULL REFERENCES example(id),
    revision INTEGER NOT NULL,
    chosen_id INTEGER REFERENCES response(id),
    rejected_id INTEGER REFERENCES response(id),
    comparison_id INTEGER REFERENCES comparison(id),
    PRIMARY KEY (snapshot_id, position)
) WITHOUT ROWID;
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    method TEXT NOT NULL,
    base_model TEXT NOT NULL,
    base_hash TEXT,
    snapshot_id TEXT NOT NULL REFERENCES snapshot(id),
    parent_id TEXT REFERENCES run(id),
    recipe TEXT NOT NULL,
    status TEXT NOT NULL,
    pid INTEGER,
    pid_started REAL,
    error TEXT,
    result TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT
);
CREATE TABLE metric (
    run_id TEXT NOT NULL REFERENCES run(id),
    name TEXT NOT NULL,
    step INTEGER NOT NULL,
    value REAL NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (run_id, name, step)
) WITHOUT ROWID;
"""

_CHATS = """
CREATE TABLE chat (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL
);
CREATE TABLE chat_turn (
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chat(id),
    role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
    content TEXT NOT NULL,
    model TEXT,
    stats TEXT,
    created_at TEXT NOT NULL
);
CREATE INDEX chat_turn_by_chat ON chat_turn(chat_id, id);
CREATE TABLE interface_state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""


def m002_a_million_rows(db: sqlite_utils.Database) -> None:
    """Slim records, sources that come in bit by bit, verdicts beside their pairs, tags, queries, duplicates."""
    # SQL's own length stops at a NUL.
    db.conn.create_function("characters", 1, len)
    _run(db, _SLIM_RECORDS)
    _run(db, _ORGANISING)
    _pack_snapshots(db)
    db.execute(
        "INSERT INTO unindexed SELECT id FROM example WHERE own_text"  # their words were not searchable before
    )


def _pack_snapshots(db: sqlite_utils.Database) -> None:
    """Put the items of each snapshot into blocks: a row of a table for each took sixty times the room."""
    _run(db, _SNAPSHOT_BLOCKS)
    for (snapshot_id,) in db.execute("SELECT id FROM snapshot").fetchall():
        cursor = db.execute(
            "SELECT split, example_id, revision, chosen_id, rejected_id, comparison_id FROM snapshot_item"
            " WHERE snapshot_id = ? ORDER BY position",
            (snapshot_id,),
        )
        for number, rows in enumerate(iter(partial(cursor.fetchmany, 10_000), [])):
            db.execute(
                "INSERT INTO snapshot_block VALUES (?, ?, ?)",
                (snapshot_id, number, pack(list(zip(*rows, strict=True)))),
            )
            db.execute("UPDATE snapshot SET length = length + ? WHERE id = ?", (len(rows), snapshot_id))
    db.execute("DROP TABLE snapshot_item")


_SNAPSHOT_BLOCKS = """
ALTER TABLE snapshot ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
CREATE TABLE snapshot_block (
    snapshot_id TEXT NOT NULL REFERENCES snapshot(id),
    number INTEGER NOT NULL,
    items BLOB NOT NULL,
    PRIMARY KEY (snapshot_id, number)
);
"""

_SLIM_RECORDS = """
CREATE TABLE record_text (
    record_id INTEGER PRIMARY KEY REFERENCES record(id),
    raw NOT NULL,
    fields TEXT
);
INSERT INTO record_text SELECT id, raw, fields FROM record;
ALTER TABLE record ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
UPDATE record SET length = characters(raw);
ALTER TABLE record DROP COLUMN raw;
ALTER TABLE record DROP COLUMN fields;
ALTER TABLE record ADD COLUMN duplicate_of INTEGER REFERENCES record(id);
UPDATE record SET duplicate_of = f.first FROM
    (SELECT hash, MIN(id) AS first FROM record GROUP BY hash HAVING COUNT(*) > 1) f
    WHERE f.hash = record.hash AND record.id > f.first;
CREATE INDEX record_duplicate ON record(duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX record_excluded ON record(id) WHERE excluded;
DROP TABLE record_fts;
ALTER TABLE source ADD COLUMN encoding TEXT NOT NULL DEFAULT 'utf-8';
ALTER TABLE source ADD COLUMN compression TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN split TEXT;
ALTER TABLE source ADD COLUMN rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN state TEXT NOT NULL DEFAULT 'complete' CHECK (state IN ('importing', 'complete'));
UPDATE source SET rows = (SELECT COUNT(*) FROM record r WHERE r.source_id = source.id);
"""

_ORGANISING = """
ALTER TABLE example ADD COLUMN own_text INTEGER NOT NULL DEFAULT 0;
UPDATE example SET own_text = 1 WHERE record_id IS NULL OR revision > 1
    OR id IN (SELECT example_id FROM response WHERE origin <> 'file');
CREATE TABLE unindexed (example_id INTEGER PRIMARY KEY);
CREATE TABLE search_mark (mark TEXT NOT NULL);
INSERT INTO search_mark VALUES ('');
CREATE INDEX example_by_status ON example(status) WHERE status <> 'draft';
CREATE INDEX response_by_author ON response(author, example_id) WHERE author <> '';
CREATE INDEX example_flagged ON example(id) WHERE flagged;
CREATE INDEX example_excluded ON example(id) WHERE excluded;
CREATE TABLE record_tag (
    record_id INTEGER NOT NULL REFERENCES record(id),
    tag TEXT NOT NULL,
    PRIMARY KEY (record_id, tag)
) WITHOUT ROWID;
CREATE INDEX record_tag_by_tag ON record_tag(tag, record_id);
CREATE TABLE example_tag (
    example_id INTEGER NOT NULL REFERENCES example(id),
    tag TEXT NOT NULL,
    PRIMARY KEY (example_id, tag)
) WITHOUT ROWID;
CREATE INDEX example_tag_by_tag ON example_tag(tag, example_id);
ALTER TABLE pair ADD COLUMN verdict_id INTEGER;
ALTER TABLE pair ADD COLUMN verdict TEXT;
UPDATE pair SET (verdict_id, verdict) = (SELECT v.id, v.verdict FROM current_verdict v WHERE v.pair_id = pair.id);
CREATE INDEX pair_by_verdict ON pair(verdict);
CREATE INDEX comparison_by_rater ON comparison(rater, kind, id);
DROP VIEW current_verdict;
CREATE VIEW current_verdict AS SELECT c.* FROM pair p JOIN comparison c ON c.id = p.verdict_id;
CREATE TABLE saved_query (
    name TEXT PRIMARY KEY,
    query TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE duplicate_group (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('near', 'leak')),
    created_at TEXT NOT NULL
);
CREATE TABLE duplicate_member (
    group_id INTEGER NOT NULL REFERENCES duplicate_group(id),
    item_id INTEGER NOT NULL,
    similarity REAL NOT NULL,
    left_out INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (group_id, item_id)
) WITHOUT ROWID;
CREATE INDEX duplicate_member_by_item ON duplicate_member(item_id);
"""


def m003_notes_on_records(db: sqlite_utils.Database) -> None:
    """Records have notes, as examples do."""
    _run(db, _NOTES)


_NOTES = """
ALTER TABLE record ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX record_noted ON record(id) WHERE note <> '';
CREATE INDEX example_noted ON example(id) WHERE note <> '';
"""

MIGRATIONS: tuple[Migration, ...] = (m001_first_schema, m002_a_million_rows, m003_notes_on_records)
