"""The file of the documents' index."""

from store.derived_file import DerivedFile

PASSAGES = DerivedFile(
    file="documents.db",
    name="documents",
    application=0x54756E64,
    version=1,
    tables="""
CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    hash BLOB NOT NULL,
    cut TEXT NOT NULL,
    problem TEXT NOT NULL
);
CREATE TABLE passage (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES document(id),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX passage_of_document ON passage(document_id);
CREATE VIRTUAL TABLE passage_fts USING fts5(text, tokenize='porter unicode61');
CREATE TABLE embedding (passage_id INTEGER PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL);
""",
    check="SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM passage_fts, embedding, passage LIMIT 0))",
)
