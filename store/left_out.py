"""Rows that were excluded for a reason: a tag names it, so that only they come back when it is taken back."""

from collections.abc import Iterator

from store.database import Store
from store.facts import Kind

PREFIX = "lint-"
PAGE = 1000


def exclude(store: Store, kind: Kind, reason: str, row_ids: list[int]) -> int:
    """Exclude rows (a page of them) for a reason; return how many were in use. What a person excluded stays theirs."""
    marks = ",".join("?" * len(row_ids))
    with store.transaction() as connection:
        connection.execute(
            f"INSERT OR IGNORE INTO {kind}_tag ({kind}_id, tag) SELECT i.id, ? FROM {kind} i WHERE i.id IN ({marks})"
            f" AND (NOT i.excluded OR {_has_reason(kind)})",
            (f"{PREFIX}{reason}", *row_ids),
        )
        update = f"UPDATE {kind} SET excluded = 1 WHERE NOT excluded AND id IN ({marks})"
        return connection.execute(update, row_ids).rowcount


def restore(store: Store, kind: Kind, reason: str) -> int:
    """Let rows in again that were excluded for this reason and for no other; return how many they are."""
    tag = f"{PREFIX}{reason}"
    return sum(_restore(store, kind, tag, page) for page in tagged(store, kind, tag))


def tagged(store: Store, kind: Kind, tag: str) -> Iterator[list[int]]:
    """Yield the rows that have a tag now, page by page; it may be taken off them meanwhile."""
    last = 0
    while True:
        sql = f"SELECT {kind}_id FROM {kind}_tag WHERE tag = ? AND {kind}_id > ? ORDER BY 1 LIMIT ?"
        page = [row[0] for row in store.connection.execute(sql, (tag, last, PAGE))]
        if not page:
            return
        last = page[-1]
        yield page


def _restore(store: Store, kind: Kind, tag: str, row_ids: list[int]) -> int:
    marks = ",".join("?" * len(row_ids))
    with store.transaction() as connection:
        connection.execute(f"DELETE FROM {kind}_tag WHERE tag = ? AND {kind}_id IN ({marks})", (tag, *row_ids))
        return connection.execute(
            f"UPDATE {kind} AS i SET excluded = 0 WHERE i.excluded AND i.id IN ({marks}) AND NOT {_has_reason(kind)}",
            row_ids,
        ).rowcount


def _has_reason(kind: Kind) -> str:
    return f"EXISTS (SELECT 1 FROM {kind}_tag t WHERE t.{kind}_id = i.id AND t.tag LIKE '{PREFIX}%')"
