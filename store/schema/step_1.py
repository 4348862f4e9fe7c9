"""Step 1: the first schema."""

import sqlite_utils

from store.schema.script import run_script


def first_schema(db: sqlite_utils.Database) -> None:
    """Records, examples, responses, the comparison journal, snapshots, runs and chats."""
    run_script(db, _RECORDS)
    run_script(db, _EXAMPLES)
    run_script(db, _COMPARISONS)
    run_script(db, _RUNS)
    run_script(db, _CHATS)


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
