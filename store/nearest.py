"""Examples by how well their words fit: bm25 over the full-text index of records and of edited examples."""

from collections.abc import Collection, Iterable
from typing import Literal

from store.database import Store
from store.snapshots import SnapshotItem

Scope = Literal["everything", "wanted", "shown"]
"""All examples; those of `want`; or those that may be shown to a model: approved, and held out nowhere."""

_SCOPES: dict[Scope, str] = {
    "everything": "1",
    "wanted": "e.id IN temp.near",
    "shown": "e.split = 'train' AND e.status = 'approved' AND NOT e.excluded AND NOT EXISTS"
    " (SELECT 1 FROM example h WHERE h.prompt_group = e.prompt_group AND h.split <> 'train')",
}


def want(store: Store, items: Collection[SnapshotItem]) -> None:
    """Let later searches of this connection find the examples of a snapshot only."""
    store.connection.execute("DROP TABLE IF EXISTS temp.near")
    store.connection.execute("CREATE TEMP TABLE near (id INTEGER PRIMARY KEY)")
    store.connection.executemany("INSERT OR IGNORE INTO temp.near VALUES (?)", ((item.example_id,) for item in items))


def counts(store: Store, words: Iterable[str], most: int) -> dict[str, int]:
    """Return in how many records or edited examples each word stands, counted up to `most`; absent ones left out."""
    found: dict[str, int] = {}
    for word in words:
        number = sum(
            store.connection.execute(
                f"SELECT COUNT(*) FROM (SELECT 1 FROM search.{table} WHERE {table} MATCH ? LIMIT ?)",
                (f'"{word}"', most),
            ).fetchone()[0]
            for table in ("record_fts", "example_fts")
        )
        if number:
            found[word] = min(number, most)
    return found


def ids(store: Store, expression: str, scope: Scope, most: int) -> list[int]:
    """Return the examples that fit an expression best: of both indexes so many each, in the order of their ranks."""
    if not expression:
        return []
    of_records = store.connection.execute(
        "SELECT e.id, f.rank FROM search.record_fts f JOIN example e ON e.record_id = f.rowid"
        f" WHERE f.record_fts MATCH ? AND {_SCOPES[scope]} ORDER BY f.rank, e.id LIMIT ?",
        (expression, most),
    ).fetchall()
    of_examples = store.connection.execute(
        "SELECT e.id, f.rank FROM search.example_fts f JOIN example e ON e.id = f.rowid"
        f" WHERE f.example_fts MATCH ? AND {_SCOPES[scope]} ORDER BY f.rank, e.id LIMIT ?",
        (expression, most),
    ).fetchall()
    ranked = sorted([*of_records, *of_examples], key=lambda row: (row[1], row[0]))
    return list(dict.fromkeys(row[0] for row in ranked))


def better_answer(store: Store, example_id: int) -> int | None:
    """Return the response of an example that a verdict calls the better one; the first where there are several."""
    row = store.connection.execute(
        "SELECT CASE p.verdict WHEN 'left' THEN c.left_id ELSE c.right_id END FROM pair p"
        " JOIN comparison c ON c.id = p.verdict_id"
        " WHERE p.example_id = ? AND p.verdict IN ('left', 'right') ORDER BY p.id LIMIT 1",
        (example_id,),
    ).fetchone()
    return None if row is None else int(row[0])


def rows_of(items: Collection[SnapshotItem], examples: Iterable[int]) -> dict[int, list[SnapshotItem]]:
    """Return those of a snapshot's rows that some examples have, by example."""
    wanted = frozenset(examples)
    found: dict[int, list[SnapshotItem]] = {}
    for item in items:
        if item.example_id in wanted:
            found.setdefault(item.example_id, []).append(item)
    return found
