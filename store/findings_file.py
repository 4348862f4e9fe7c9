"""The file of what checks found and noted."""

from store.derived_file import DerivedFile

FINDINGS = DerivedFile(
    file="findings.db",
    name="findings",
    application=0x54756E66,
    version=3,
    tables="""
CREATE TABLE run (
    basis TEXT NOT NULL,
    mark TEXT NOT NULL,
    sum TEXT NOT NULL,
    ended_at TEXT,
    examples INTEGER NOT NULL,
    records INTEGER NOT NULL
);
INSERT INTO run VALUES ('', '', '', NULL, 0, 0);
CREATE TABLE looked (example_id INTEGER PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE noted (block INTEGER PRIMARY KEY, columns BLOB NOT NULL);
CREATE TABLE checked (name TEXT PRIMARY KEY, kind TEXT NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE finding (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    row_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (kind, name, row_id, number)
) WITHOUT ROWID;
CREATE INDEX finding_of_row ON finding(kind, row_id);
""",
    check="SELECT 1 FROM run",
)
