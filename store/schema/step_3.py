"""Step 3: notes on records."""

import sqlite_utils

from store.schema.script import run_script


def notes_on_records(db: sqlite_utils.Database) -> None:
    """Records have notes, as examples do."""
    run_script(db, _NOTES)


_NOTES = """
ALTER TABLE record ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX record_noted ON record(id) WHERE note <> '';
CREATE INDEX example_noted ON example(id) WHERE note <> '';
"""
