"""What a field of a record says, told from its text: as a function of SQL, so that it can stand in any condition."""

import json
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from store.database import Store
from store.query import Field, Words
from store.quoting import loads_texts
from store.unspaced import apart

Test = Callable[[Any], bool]

_FUNCTION = "field_says"
_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?\s*", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_LITERALS = {"true": True, "false": False, "null": None}
_WORD = re.compile(r"[^\W_]+")
_ACCENT = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def register(store: Store) -> None:
    """Let statements of this connection ask what fields say."""
    known = store.connection.execute("SELECT 1 FROM pragma_function_list WHERE name = ?", (_FUNCTION,)).fetchone()
    # Once only: a function can't be made again while a statement that uses it is being read.
    if known is None:
        store.connection.create_function(_FUNCTION, 2, _says, deterministic=True)


def call(text: str, wanted: str) -> str:
    """Return the SQL for whether the fields in `text`, a JSON object or NULL, say what is wanted."""
    return f"{_FUNCTION}({text}, {wanted})"


def wanted(field: Field) -> str:
    """Return what a term asks for, as the function takes it."""
    return json.dumps([field.path, field.operator, field.value, field.open])


def words(field: Field) -> Words | None:
    """Return words that are in the index wherever a field says what is wanted; None where they need not be."""
    value = field.value
    if not isinstance(value, str) or value.casefold() in _LITERALS:
        return None
    # 5.0 and 5 are one number, but not one word.
    return None if _NUMBER.fullmatch(value) and not _PLAIN_NUMBER.fullmatch(value) else Words(value, field.open)


def _says(text: str | None, asked: str) -> bool:
    if text is None:
        return False
    path, test = _test(asked)
    # Most rows without the field need not be parsed: its name would be in them, unless it is spelled in escapes.
    if path[-1].isascii() and f'{path[-1]}"' not in text and "\\u" not in text and not path[-1].isdecimal():
        return False
    try:
        return any(test(value) for found in _at(loads_texts(text), path) for value in _leaves(found))
    except (ValueError, RecursionError):
        return False


@lru_cache(maxsize=64)
def _test(asked: str) -> tuple[tuple[str, ...], Test]:
    path, sign, value, is_open = json.loads(asked)
    if isinstance(value, str):
        return tuple(path), _word_test(value, is_open)
    compare = _COMPARISONS[sign]

    def holds(found: Any) -> bool:
        number = _as_number(found)
        return number is not None and compare(number, value)

    return tuple(path), holds


def _word_test(value: str, is_open: bool) -> Test:
    words = _WORD.findall(_bare(value))
    phrase = re.compile(r"[\W_]+".join(map(re.escape, words)) + ("" if is_open else r"(?![^\W_])"))
    first, number, literal = words[0], _as_number(value), _LITERALS.get(value.casefold(), ...)

    def says(text: str) -> bool:
        # A look backwards in the pattern would keep it from being searched for as a plain text.
        return any(not text[max(match.start() - 1, 0) : match.start()].isalnum() for match in phrase.finditer(text))

    def holds(found: Any) -> bool:
        if isinstance(found, str):
            text = _bare(found)
            return first in text and says(text)
        if found is None or isinstance(found, bool):
            return found is literal
        return bool(number == found) if number is not None else says(str(found))

    return holds


def _as_number(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _bare(text: str) -> str:
    """Return a text as the index takes it: in small letters, without accents."""
    if not text.isascii():
        text = _ACCENT.sub("", unicodedata.normalize("NFKD", apart(text)))
    return text.lower()


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands at a path; a list on the way is gone through, item by item."""
    if not path:
        yield value
    elif isinstance(value, dict):
        # A column of a table may have a dot in its name.
        if len(path) > 1 and (whole := ".".join(path)) in value:
            yield value[whole]
        if path[0] in value:
            yield from _at(value[path[0]], path[1:])
    elif isinstance(value, list):
        if path[0].isdecimal() and int(path[0]) < len(value):
            yield from _at(value[int(path[0])], path[1:])
        for item in value:
            yield from _at(item, path)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value
