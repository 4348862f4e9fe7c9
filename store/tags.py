"""Tags on records and examples: short names that people give to rows."""

from collections.abc import Iterable, Sequence

from store.database import Store
from store.errors import StoreError
from store.facts import Kind


def change(
    store: Store, kind: Kind, ids: Sequence[int], *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> None:
    """Give tags to rows and take others off them; what is so already stays so.

    Raises:
        StoreError: a tag has a space or a quotation mark in it, or nothing.
    """
    added, removed = [_checked(tag) for tag in add], [tag.strip() for tag in remove]
    with store.transaction() as connection:
        connection.executemany(
            f"DELETE FROM {kind}_tag WHERE {kind}_id = ? AND tag = ?", ((row, tag) for tag in removed for row in ids)
        )
        connection.executemany(
            f"INSERT OR IGNORE INTO {kind}_tag ({kind}_id, tag) VALUES (?, ?)",
            ((row, tag) for tag in added for row in ids),
        )


def of_many(store: Store, kind: Kind, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of these rows (a screenful), by id; rows without tags are left out."""
    marks = ",".join("?" * len(ids))
    rows = store.connection.execute(
        f"SELECT {kind}_id, tag FROM {kind}_tag WHERE {kind}_id IN ({marks}) ORDER BY 1, 2", list(ids)
    )
    found: dict[int, list[str]] = {}
    for row, tag in rows:
        found.setdefault(row, []).append(tag)
    return found


def counts(store: Store, kind: Kind) -> list[tuple[str, int]]:
    """Return the tags in use with how many rows have each, by name."""
    return store.connection.execute(f"SELECT tag, COUNT(*) FROM {kind}_tag GROUP BY tag ORDER BY tag").fetchall()


def names(store: Store) -> list[str]:
    """Return the tags that any record or example has, by name."""
    return sorted({tag for kind in ("record", "example") for tag in _in_use(store, kind)}, key=str.casefold)


def spellings(store: Store, tag: str) -> list[str]:
    """Return the tags in use that are this one when letter case is ignored."""
    return [name for name in names(store) if name.casefold() == tag.casefold()]


def _in_use(store: Store, kind: str) -> Iterable[str]:
    # From one tag to the next larger one: a tag may be on a million rows.
    sql = f"""
        WITH RECURSIVE used(tag) AS (
            SELECT MIN(tag) FROM {kind}_tag
            UNION ALL SELECT (SELECT MIN(tag) FROM {kind}_tag WHERE tag > used.tag) FROM used WHERE tag IS NOT NULL
        ) SELECT tag FROM used WHERE tag IS NOT NULL
    """
    return (row[0] for row in store.connection.execute(sql))


def _checked(tag: str) -> str:
    name = tag.strip()
    if not name or '"' in name or not name.isprintable() or any(letter.isspace() for letter in name):
        raise StoreError(f"A tag is one word without quotation marks, which {tag!r} is not; write it with hyphens.")
    return name
