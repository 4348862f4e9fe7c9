"""Step 4: a journal that knows why a verdict was given, jobs of models, synthetic prompts, and what models judged."""

import sqlite_utils

from store.schema.script import run_script


def labelling_for_an_hour(db: sqlite_utils.Database) -> None:
    """Verdicts have a purpose, a strength, reasons and criteria; models make replies, prompts and judgements."""
    run_script(db, _JOURNAL)
    run_script(db, _MODELS)


_JOURNAL = """
DROP VIEW current_verdict;
DROP VIEW standing_verdict;
DROP TRIGGER comparison_is_never_changed;
DROP TRIGGER comparison_is_never_deleted;
DROP TRIGGER comparison_is_never_replaced;
CREATE TABLE comparison_4 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('verdict', 'criterion', 'undo', 'redo', 'comment')),
    pair_id INTEGER NOT NULL REFERENCES pair(id),
    left_id INTEGER REFERENCES response(id),
    right_id INTEGER REFERENCES response(id),
    seed INTEGER,
    verdict TEXT CHECK (verdict IN ('left', 'right', 'tie', 'both_bad', 'skip')),
    note TEXT NOT NULL DEFAULT '',
    rater TEXT NOT NULL,
    shown_at TEXT,
    answered_at TEXT NOT NULL,
    target_id INTEGER REFERENCES comparison_4(id),
    purpose TEXT NOT NULL DEFAULT 'first' CHECK (
        purpose IN ('first', 'repeat', 'anchor', 'second', 'review', 'change', 'edited', 'implied')
    ),
    task TEXT NOT NULL DEFAULT '',
    criterion TEXT NOT NULL DEFAULT '',
    strength TEXT NOT NULL DEFAULT '' CHECK (strength IN ('', 'slightly', 'clearly')),
    reasons TEXT,
    implied_by INTEGER REFERENCES comparison_4(id),
    CHECK ((kind IN ('verdict', 'criterion')) = (verdict IS NOT NULL)),
    CHECK ((kind IN ('undo', 'redo')) = (target_id IS NOT NULL)),
    CHECK ((kind = 'criterion') = (criterion <> ''))
);
INSERT INTO comparison_4 (id, kind, pair_id, left_id, right_id, seed, verdict, note, rater, shown_at, answered_at,
    target_id)
SELECT id, kind, pair_id, left_id, right_id, seed, verdict, note, rater, shown_at, answered_at, target_id
FROM comparison ORDER BY id;
DROP TABLE comparison;
ALTER TABLE comparison_4 RENAME TO comparison;
CREATE INDEX comparison_by_pair ON comparison(pair_id, id);
CREATE INDEX comparison_by_target ON comparison(target_id, id) WHERE target_id IS NOT NULL;
CREATE INDEX comparison_by_rater ON comparison(rater, kind, id);
CREATE INDEX comparison_implied ON comparison(implied_by) WHERE implied_by IS NOT NULL;
CREATE INDEX comparison_again ON comparison(rater, pair_id, id) WHERE purpose IN ('repeat', 'anchor');
CREATE TRIGGER comparison_is_never_changed BEFORE UPDATE ON comparison
BEGIN SELECT RAISE(ABORT, 'the comparison journal is append-only'); END;
CREATE TRIGGER comparison_is_never_deleted BEFORE DELETE ON comparison
BEGIN SELECT RAISE(ABORT, 'the comparison journal is append-only'); END;
CREATE TRIGGER comparison_is_never_replaced BEFORE INSERT ON comparison
WHEN EXISTS (SELECT 1 FROM comparison WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the comparison journal is append-only'); END;
CREATE VIEW standing AS
    SELECT c.* FROM comparison c
    WHERE c.kind IN ('verdict', 'criterion') AND COALESCE(
        (SELECT k.kind FROM comparison k WHERE k.target_id = COALESCE(c.implied_by, c.id) ORDER BY k.id DESC LIMIT 1),
        'redo'
    ) = 'redo';
CREATE VIEW standing_verdict AS SELECT * FROM standing WHERE kind = 'verdict';
CREATE VIEW current_verdict AS SELECT c.* FROM pair p JOIN comparison c ON c.id = p.verdict_id;
"""

_MODELS = """
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('candidates', 'prompts', 'judge')),
    request TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'done', 'failed')),
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    made INTEGER NOT NULL DEFAULT 0,
    facts TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '',
    pid INTEGER,
    pid_started REAL,
    created_at TEXT NOT NULL,
    ended_at TEXT
);
CREATE TABLE synthetic (
    example_id INTEGER PRIMARY KEY REFERENCES example(id),
    source_id INTEGER REFERENCES example(id),
    job_id INTEGER REFERENCES job(id),
    method TEXT NOT NULL,
    model TEXT NOT NULL,
    parameters TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE judgement (
    id INTEGER PRIMARY KEY,
    pair_id INTEGER NOT NULL REFERENCES pair(id),
    job_id INTEGER REFERENCES job(id),
    judge TEXT NOT NULL,
    parameters TEXT NOT NULL,
    first_shown_left TEXT NOT NULL CHECK (first_shown_left IN ('first', 'second', 'tie', 'both_bad', 'unclear')),
    first_shown_right TEXT NOT NULL CHECK (first_shown_right IN ('first', 'second', 'tie', 'both_bad', 'unclear')),
    replies TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (pair_id, judge)
);
"""
