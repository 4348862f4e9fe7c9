"""Step 5: runs that wait their turn and have a name, notes and tags; snapshots of more kinds of rows."""

import sqlite_utils

from store.schema.script import run_script


def runs_to_compare(db: sqlite_utils.Database) -> None:
    """Runs can be queued, named, noted and tagged; a snapshot's kind is the program's word, which no list limits."""
    run_script(db, _RUNS)
    # A table that others refer to can't be made anew while foreign keys are watched; taking a CHECK away leaves what
    # is on the disk as it is, and this is the way that SQLite's own documentation gives (lang_altertable, section 7).
    (version,) = db.execute("PRAGMA schema_version").fetchone()
    db.execute("PRAGMA writable_schema=ON")
    db.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, '') WHERE type = 'table' AND name = 'snapshot'", (_KIND_CHECK,)
    )
    db.execute(f"PRAGMA schema_version={version + 1}")
    db.execute("PRAGMA writable_schema=OFF")


_KIND_CHECK = " CHECK (kind IN ('sft', 'preference'))"

_RUNS = """
ALTER TABLE run ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE run ADD COLUMN queued_at TEXT;
CREATE INDEX run_queued ON run(queued_at, id) WHERE status = 'queued';
"""
