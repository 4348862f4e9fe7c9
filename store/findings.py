"""What checks found in rows: derived data in a file of its own, which follows the rows and can be made anew."""

import sqlite3
from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

from store.database import Store
from store.derived_file import is_damaged
from store.facts import Kind
from store.findings_file import FINDINGS

PAGE = 1000

STATE = (
    "e.split || ' ' || CASE WHEN e.revision = 1 THEN e.created_at ELSE e.revision || ' ' || (SELECT v.created_at"
    " FROM revision v WHERE v.example_id = e.id AND v.number = e.revision) END"
    " || COALESCE((SELECT ' a' || MAX(a.id) || ' ' || COUNT(*) FROM response a WHERE a.example_id = e.id), '')"
    " || COALESCE((SELECT ' p' || group_concat(p.id || COALESCE(p.verdict || p.verdict_id, ''))"
    " FROM pair p WHERE p.example_id = e.id), '')"
)
"""All that decides what checks find in an example `e`, without a look at its texts.

Moments are a part of it because numbers are given again after a backup is put back.
"""

_CHANGED = f"FROM example e LEFT JOIN findings.looked l ON l.example_id = e.id WHERE l.state IS NOT ({STATE})"


class Run(NamedTuple):
    """The last time that all checks were run to their end."""

    mark: str
    examples: int
    records: int


class Summary(NamedTuple):
    """What one check found."""

    name: str
    kind: Kind
    rows: int
    kept: int
    """Those of the rows that are not excluded."""
    note: str
    """What was found about the whole."""


def last_run(store: Store) -> Run | None:
    """Return the last run that came to its end; None where there was none."""
    rows = _read(store, "SELECT mark, examples, records FROM findings.run WHERE ended_at IS NOT NULL")
    return Run(*rows[0]) if rows else None


def mark(store: Store) -> str:
    """Return a text that is another one as soon as an example, an answer or a verdict is; no text is read for it."""
    # The odd factor keeps the sums of two changes from being the same.
    row = store.connection.execute(
        "SELECT COUNT(*), SUM((revision * 4 + CASE split WHEN 'train' THEN 1 WHEN 'test' THEN 2 ELSE 3 END)"
        " * (id * 2654435761 % 4294967291)), MAX(created_at), (SELECT MAX(id) FROM response),"
        " (SELECT MAX(id) FROM pair), (SELECT MAX(id) FROM comparison) FROM example"
    ).fetchone()
    return " ".join(map(str, row))


def outdated(store: Store) -> int:
    """Return how many examples are not as they were when they were last looked at, or were never."""
    FINDINGS.renew(store.path, store.connection)
    run = last_run(store)
    if run and run.mark == mark(store):
        return 0
    return int(store.connection.execute(f"SELECT COUNT(*) {_CHANGED}").fetchone()[0])


def changed(store: Store) -> "array[int]":
    """Return the examples that are to be looked at, in order."""
    FINDINGS.renew(store.path, store.connection)
    return array("q", (row[0] for row in store.connection.execute(f"SELECT e.id {_CHANGED} ORDER BY e.id")))


def states(store: Store, example_ids: list[int]) -> dict[int, str]:
    """Return the states of these examples (a screenful)."""
    marks = ",".join("?" * len(example_ids))
    return dict(store.connection.execute(f"SELECT e.id, {STATE} FROM example e WHERE e.id IN ({marks})", example_ids))


def checked(store: Store) -> dict[str, Kind]:
    """Return the checks that were run, with the kind of rows that each looks at."""
    rows = _read(store, "SELECT name, kind FROM findings.checked ORDER BY name")
    return {name: kind for name, kind in rows if name.replace("-", "").isalnum()}


def summaries(store: Store) -> list[Summary]:
    """Return what each check found that found anything."""
    notes = _read(store, "SELECT name, kind, note FROM findings.checked")
    counts = "SELECT name, COUNT(*) FROM findings.finding WHERE number = 0 GROUP BY kind, name"
    found: dict[str, int] = dict(_read(store, counts))
    return [
        Summary(name, kind, rows, rows - _out_of_use(store, kind, name), note)
        for name, kind, note in notes
        if (rows := found.get(name, 0)) or note
    ]


def _out_of_use(store: Store, kind: Kind, name: str) -> int:
    """Count the excluded rows of a finding: they are few, and looked up one by one."""
    found = "EXISTS (SELECT 1 FROM findings.finding f WHERE f.kind = ? AND f.name = ? AND f.row_id = x.id)"
    row = store.connection.execute(f"SELECT COUNT(*) FROM ({_EXCLUDED[kind]}) x WHERE {found}", (kind, name)).fetchone()
    return int(row[0])


def samples(store: Store, kind: Kind, name: str, limit: int) -> list[tuple[int, str]]:
    """Return the first rows that a check found, each with the first of its details."""
    return store.connection.execute(
        "SELECT row_id, detail FROM findings.finding WHERE kind = ? AND name = ? AND number = 0"
        " ORDER BY row_id LIMIT ?",
        (kind, name, limit),
    ).fetchall()


def rows_of(store: Store, kind: Kind, name: str) -> Iterator[list[int]]:
    """Yield the rows that a check found, page by page; what is found may change between two pages."""
    last = 0
    while True:
        FINDINGS.renew(store.path, store.connection)
        page = store.connection.execute(
            "SELECT DISTINCT row_id FROM findings.finding WHERE kind = ? AND name = ? AND row_id > ?"
            " ORDER BY row_id LIMIT ?",
            (kind, name, last, PAGE),
        ).fetchall()
        if not page:
            return
        last = page[-1][0]
        yield [row[0] for row in page]


def details(store: Store, kind: Kind, name: str, row_ids: list[int]) -> dict[int, list[str]]:
    """Return what a check found in each of these rows (a screenful)."""
    marks = ",".join("?" * len(row_ids))
    found: dict[int, list[str]] = {}
    for row_id, detail in store.connection.execute(
        "SELECT row_id, detail FROM findings.finding WHERE kind = ? AND name = ?"
        f" AND row_id IN ({marks}) ORDER BY row_id, number",
        (kind, name, *row_ids),
    ):
        found.setdefault(row_id, []).append(detail)
    return found


def places(store: Store, kind: Kind, row_ids: list[int]) -> dict[int, str]:
    """Return FILE:LINE of these rows (a screenful); an example that was written here has none."""
    marks = ",".join("?" * len(row_ids))
    record = "r.id = i.id" if kind == "record" else "r.id = i.record_id"
    return dict(
        store.connection.execute(
            f"SELECT i.id, s.name || ':' || r.line FROM {kind} i JOIN record r ON {record}"
            f" JOIN source s ON s.id = r.source_id WHERE i.id IN ({marks})",
            row_ids,
        )
    )


def details_of(store: Store, kind: Kind, row_id: int) -> list[tuple[str, str]]:
    """Return what was found in a row, each with the name of its check."""
    sql = "SELECT name, detail FROM findings.finding WHERE kind = ? AND row_id = ? ORDER BY name, number"
    return _read(store, sql, (kind, row_id))


def unused(store: Store) -> frozenset[int]:
    """Return the examples that training can't use: excluded, or rejected."""
    return frozenset(row[0] for row in store.connection.execute(_UNUSED))


def left_out(store: Store) -> list[tuple[int, str]]:
    """Return the examples that were excluded for checks, with the tags that say for which."""
    return store.connection.execute(
        "SELECT t.example_id, t.tag FROM example_tag t JOIN example e ON e.id = t.example_id"
        " WHERE t.tag >= 'lint-' AND t.tag < 'lint.' AND e.excluded ORDER BY 1, 2"
    ).fetchall()


def left_out_for(store: Store, name: str) -> dict[int, str]:
    """Return the examples that were excluded because of a check, with what it found in them."""
    return dict(
        store.connection.execute(
            "SELECT e.id, COALESCE((SELECT f.detail FROM findings.finding f WHERE f.kind = 'example' AND f.name = ?1"
            " AND f.row_id = e.id AND f.number = 0), 'excluded for this before') FROM example_tag t"
            " JOIN example e ON e.id = t.example_id WHERE t.tag = 'lint-' || ?1 AND e.excluded",
            (name,),
        )
    )


def _read(store: Store, sql: str, values: tuple[str | int, ...] = ()) -> list[Any]:
    """Return rows of the file of findings; where it is found to be damaged, those of an empty one in its place."""
    FINDINGS.renew(store.path, store.connection)
    try:
        return store.connection.execute(sql, values).fetchall()
    except sqlite3.DatabaseError as error:
        if not is_damaged(error) or store.connection.in_transaction:
            raise
    FINDINGS.make_anew(store.path, store.connection)
    return store.connection.execute(sql, values).fetchall()


_EXCLUDED = {
    "record": "SELECT id FROM record WHERE excluded",
    "example": (
        "SELECT id FROM example WHERE excluded UNION"
        " SELECT o.id FROM record x CROSS JOIN example o ON o.record_id = x.id WHERE x.excluded"
    ),
}
_UNUSED = f"{_EXCLUDED['example']} UNION SELECT id FROM example WHERE status <> 'draft' AND status = 'rejected'"
