"""Step 6: chats that branch, with up to four models and every token; passages of documents in examples."""

import sqlite_utils

from store.schema.script import run_script


def chats_and_passages(db: sqlite_utils.Database) -> None:
    """A question knows the question before it and which answers it follows; a chat knows its models and settings."""
    run_script(db, _COLUMNS)
    run_script(db, _EARLIER_CHATS)
    run_script(db, _PASSAGES)


_COLUMNS = """
ALTER TABLE chat ADD COLUMN models TEXT NOT NULL DEFAULT '[]';
ALTER TABLE chat ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE chat ADD COLUMN shown_id INTEGER;
ALTER TABLE chat_turn ADD COLUMN opening INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat_turn ADD COLUMN parent_id INTEGER REFERENCES chat_turn(id);
ALTER TABLE chat_turn ADD COLUMN side INTEGER;
ALTER TABLE chat_turn ADD COLUMN follows TEXT NOT NULL DEFAULT '[]';
ALTER TABLE chat_turn ADD COLUMN trace BLOB;
"""

# Until now the turns that a chat opened with were written before its first question, and answers without a model's
# name were among them; each question followed the one before, and no answer was made twice.
_EARLIER_CHATS = """
UPDATE chat_turn SET opening = 1 WHERE role = 'system' OR id <= (
    SELECT MAX(given.id) FROM chat_turn given
    WHERE given.chat_id = chat_turn.chat_id AND given.role = 'assistant' AND given.model IS NULL
);
UPDATE chat SET models = (
    SELECT json_group_array(model) FROM (
        SELECT model FROM chat_turn
        WHERE chat_id = chat.id AND role = 'assistant' AND model IS NOT NULL GROUP BY model ORDER BY MIN(id)
    )
);
UPDATE chat_turn SET parent_id = (
    SELECT MAX(asked.id) FROM chat_turn asked
    WHERE asked.chat_id = chat_turn.chat_id AND asked.id < chat_turn.id AND asked.role = 'user' AND NOT asked.opening
) WHERE NOT opening;
CREATE INDEX chat_turn_by_parent ON chat_turn(parent_id) WHERE parent_id IS NOT NULL;
UPDATE chat_turn SET side = (
    SELECT each.key FROM chat, json_each(chat.models) each
    WHERE chat.id = chat_turn.chat_id AND each.value = chat_turn.model
) WHERE role = 'assistant' AND NOT opening;
UPDATE chat_turn SET follows = (
    SELECT json_group_array(answer.id) FROM (
        SELECT id FROM chat_turn given
        WHERE given.parent_id = chat_turn.parent_id AND given.role = 'assistant' ORDER BY given.id
    ) answer
) WHERE role = 'user' AND NOT opening AND parent_id IS NOT NULL;
UPDATE chat SET shown_id = (
    SELECT MAX(id) FROM chat_turn WHERE chat_id = chat.id AND role = 'user' AND NOT opening
);
"""

_PASSAGES = """
CREATE TABLE inserted_passage (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (name, first, last, heading, text)
);
"""
