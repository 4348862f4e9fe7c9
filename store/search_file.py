"""The file of the full-text index."""

from store.derived_file import DerivedFile

HASH_BYTES = 32 << 20
"""What FTS5 gathers in memory before it writes a segment; its own 1 MiB takes twice the time."""

SEARCH = DerivedFile(
    file="search.db",
    name="search",
    application=0x54756E65,
    version=1,
    tables=f"""
CREATE VIRTUAL TABLE record_fts USING fts5(text, content='', tokenize='unicode61');
INSERT INTO record_fts(record_fts, rank) VALUES ('hashsize', {HASH_BYTES});
CREATE VIRTUAL TABLE example_fts USING fts5(text, tokenize='unicode61');
CREATE TABLE progress (record_id INTEGER NOT NULL, hash BLOB, mark TEXT NOT NULL);
INSERT INTO progress VALUES (0, NULL, '');
""",
    check="SELECT record_id, (SELECT COUNT(*) FROM (SELECT 1 FROM record_fts, example_fts LIMIT 0)) FROM progress",
)
