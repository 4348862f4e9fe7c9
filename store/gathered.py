"""The verdicts of the journal that are to be summed up, laid out once as a table that SQLite counts in.

`gathered` makes it, for as long as its block lasts; `store.tallies` and `store.readings` count. What follows from other
verdicts, and what was said of excluded data, is left out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from store.database import Store
from store.journal import ANSWER, NOT_COUNTED
from store.pairs import DEAD

MAJORITY = "majority in "
"""How the rater is called, before the name of a file, whose verdicts are those of most people in it."""

Answer = Literal["first", "second", "tie", "both_bad"]
"""A verdict by the pair's own responses, wherever they were shown."""


class Gathered(NamedTuple):
    """The verdicts that are to be summed up: of one task and one person, or of all where the name is empty.

    A row is `asked` where it is of the task; `again` where it only measures the rater; `passed` where a disagreement
    was skipped; `latest` where it is what its rater says of the pair now, in any task; `apart` where that was said
    without going through disagreements. Only rows of the task are `mine`, of the person (or people) asked about, or
    `chosen`, the ones to count for their pairs.
    """

    store: Store
    task: str
    rater: str

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """Return what a question to the tables finds."""
        return self.store.connection.execute(sql, values).fetchall()

    def measure(self) -> None:
        """Lay out whose the answers are and how many characters they have, as table `answer`."""
        if not self.rows("SELECT 1 FROM sqlite_temp_master WHERE name = 'answer'"):
            self.store.connection.execute(_ANSWER)
            self.store.connection.execute(_FILL_ANSWER)

    def find_same(self) -> None:
        """Lay out which answers to the same prompt say the same, where examples share one, as table `same`."""
        self.store.connection.execute(_SAME)


@contextmanager
def gathered(store: Store, *, task: str = "", rater: str = "") -> Iterator[Gathered]:
    """Lay out the verdicts that stand; everything in the block sees the same state."""
    run = store.connection.execute
    with store.reading():
        run(_SAID, {"task": task, "rater": rater, "majority": f"{MAJORITY}%"})
        run("CREATE INDEX temp.said_by_pair ON said (pair_id, rater, id)")
        try:
            yield Gathered(store, task, rater)
        finally:
            for name in ("said", "same", "answer"):
                run(f"DROP TABLE IF EXISTS temp.{name}")


_SAID = f"""
CREATE TEMP TABLE said AS
SELECT *, asked AND CASE WHEN :rater = '' THEN counts ELSE mine AND latest END AS chosen
FROM (SELECT *, asked AND ((:rater = '' AND person) OR rater = :rater) AS mine,
    NOT again AND NOT passed
        AND ROW_NUMBER() OVER (PARTITION BY rater, pair_id, again, passed ORDER BY id DESC) = 1 AS latest,
    NOT again AND NOT review
        AND ROW_NUMBER() OVER (PARTITION BY rater, pair_id, again, review ORDER BY id DESC) = 1 AS apart
FROM (
    SELECT c.id, c.pair_id, p.example_id, p.first_id, p.second_id, c.left_id, c.right_id, c.rater, c.purpose, c.task,
        c.verdict,
        {ANSWER} AS answer,
        c.shown_at IS NOT NULL AS shown,
        (julianday(c.answered_at) - julianday(c.shown_at)) * 86400 AS seconds,
        c.answered_at, c.strength, c.reasons,
        c.purpose IN {NOT_COUNTED} AS again,
        c.purpose = 'review' AS review,
        c.purpose = 'review' AND c.verdict = 'skip' AS passed,
        c.id = p.verdict_id AS counts,
        c.rater NOT LIKE :majority AS person,
        :task = '' OR c.task = :task AS asked
    FROM standing_verdict c JOIN pair p ON p.id = c.pair_id
    WHERE c.implied_by IS NULL AND NOT p.{DEAD}
))
"""

_TURN = """CASE json_type(m.value, '$.content')
    WHEN 'text' THEN m.value ->> 'content'
    WHEN 'array' THEN CASE WHEN json_valid(source) THEN source ->> (
        SELECT '$' || group_concat(CASE s.type WHEN 'integer' THEN '[' || s.value || ']'
            ELSE '."' || s.value || '"' END, '') FROM json_each(m.value, '$.content') s
    ) END
END"""
"""What a turn `m` of an answer says, also where it quotes the record `source` (`store.quoting`)."""

_TEXT = f"(SELECT group_concat({_TURN}, char(10)) FROM json_each(messages) m)"
_LENGTH = f"COALESCE((SELECT SUM(length({_TURN})) FROM json_each(messages) m), 0)"

_ANSWERS = """
SELECT r.id, r.author, e.prompt_group, r.messages, CAST(COALESCE(t.fields, t.raw) AS TEXT) AS source
FROM response r JOIN example e ON e.id = r.example_id LEFT JOIN record_text t ON t.record_id = e.record_id
"""

_ANSWER = "CREATE TEMP TABLE answer (id INTEGER PRIMARY KEY, author TEXT NOT NULL, length INTEGER NOT NULL)"

# Most answers are one turn, whose text need not be looked for.
_FILL_ANSWER = f"""
INSERT INTO answer
SELECT id, author, CASE
    WHEN json_array_length(messages) = 1 AND json_type(messages, '$[0].content') = 'text'
    THEN length(messages ->> '$[0].content') ELSE {_LENGTH}
END
FROM ({_ANSWERS}
    WHERE r.id IN (SELECT first_id FROM said WHERE answer IS NOT NULL UNION
        SELECT second_id FROM said WHERE answer IS NOT NULL)
)
"""

# Not by whole texts, which SQLite would have to keep in memory to sort them.
_SAME = f"""
CREATE TEMP TABLE IF NOT EXISTS same AS
SELECT id, MIN(id) OVER (PARTITION BY prompt_group, length(text), substr(text, 1, 300), substr(text, -300)) AS same
FROM (
    SELECT id, prompt_group, CASE WHEN instr(messages, '"tool_calls"') THEN messages ELSE {_TEXT} END AS text
    FROM ({_ANSWERS}
        WHERE e.prompt_group IN (SELECT prompt_group FROM example GROUP BY 1 HAVING COUNT(*) > 1)
            AND e.id IN (SELECT example_id FROM said)
    )
)
"""
