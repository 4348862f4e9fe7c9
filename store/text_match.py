"""Words and phrases as expressions of the full-text index."""

import re
import unicodedata
from collections.abc import Callable

from store.database import Store
from store.query import And, Node, Not, Or, Words
from store.unspaced import apart

MOST_ENDINGS = 1_000
"""How many ways to go on an open word may have, for it to be looked up as all of them."""

_LAST_WORD = re.compile(r"[^\W_]+$")


class Expressions:
    """Makes expressions; how the open word may go on is looked up once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, list[str] | None] = {}

    def whole(self, node: Node) -> str | None:
        """Return a node as an expression, in which an open word stands for itself; None where it is not only text."""
        return _expression(node, _open)

    def spelled(self, node: Node) -> str | None:
        """Return the same with each open word spelled out in all the ways that it goes on; None where they are many.

        For an open word the index merges all places of all these words before it gives the first row, wherever it
        is asked to begin. For the words themselves it gives row by row.
        """
        try:
            return _expression(node, self._spelled)
        except _TooManyEndings:
            return None

    def _spelled(self, words: Words) -> str:
        last = _LAST_WORD.search(words.text)
        endings = self._endings(last[0].lower()) if last else None
        if last is None or endings is None:
            raise _TooManyEndings
        head = words.text[: last.start()]
        return f"({' OR '.join(_quoted(head + ending) for ending in endings or [last[0]])})"

    def _endings(self, start: str) -> list[str] | None:
        if start not in self._known:
            # Of letters with accents the index keeps the bare ones.
            is_plain = unicodedata.normalize("NFKD", start) == start
            self._known[start] = _words_beginning_with(self._store, start) if is_plain else None
        return self._known[start]


class _TooManyEndings(Exception):
    """An open word that goes on in more ways than are looked up one by one."""


def _expression(node: Node, of_open: Callable[[Words], str]) -> str | None:
    if isinstance(node, Words):
        return of_open(node) if node.open else _quoted(node.text)
    if isinstance(node, Or):
        parts = [_expression(each, of_open) for each in node.nodes]
        return None if None in parts else f"({' OR '.join(map(str, parts))})"
    if not isinstance(node, And):
        return None
    held = [_expression(each, of_open) for each in node.nodes if not isinstance(each, Not)]
    barred = [_expression(each.node, of_open) for each in node.nodes if isinstance(each, Not)]
    if not held or None in held or None in barred:
        return None
    text = " AND ".join(map(str, held))
    return f"(({text}) NOT ({' OR '.join(map(str, barred))}))" if barred else f"({text})"


def _open(words: Words) -> str:
    return f"{_quoted(words.text)}*"


def _words_beginning_with(store: Store, start: str) -> list[str] | None:
    store.connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_words USING fts5vocab(search, record_fts, instance)"
    )
    found: list[str] = []
    least = start
    while len(found) <= MOST_ENDINGS:
        # Word by word, each time past all places of the one before.
        row = store.connection.execute(
            "SELECT term FROM temp.search_words WHERE term >= ? LIMIT 1", (least,)
        ).fetchone()
        if row is None or not row[0].startswith(start):
            return found
        found.append(row[0])
        least = row[0] + "\x01"
    return None


def _quoted(text: str) -> str:
    return '"' + apart(text).replace('"', " ") + '"'
