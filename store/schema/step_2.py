"""Step 2: a million rows: slim records, packed snapshots, tags, saved queries, groups of duplicates."""

from functools import partial

import sqlite_utils

from store.packing import pack
from store.schema.script import run_script


def a_million_rows(db: sqlite_utils.Database) -> None:
    """Slim records, sources that come in bit by bit, verdicts beside their pairs, tags, queries, duplicates."""
    # SQL's own length stops at a NUL.
    db.conn.create_function("characters", 1, len)
    run_script(db, _SLIM_RECORDS)
    run_script(db, _ORGANISING)
    _pack_snapshots(db)
    db.execute(
        "INSERT INTO unindexed SELECT id FROM example WHERE own_text"  # their words were not searchable before
    )


def _pack_snapshots(db: sqlite_utils.Database) -> None:
    """Put the items of each snapshot into blocks: a row of a table for each took sixty times the room."""
    run_script(db, _SNAPSHOT_BLOCKS)
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
