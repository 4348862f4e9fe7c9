"""What stands at a place in a record's fields, also where only the beginning of a long record is known."""

import json
import math
from collections.abc import Iterator
from typing import Any, Final

from store.quoting import loads_texts

FieldPath = tuple[str, ...]
"""The names from the outermost field inwards."""

ABSENT: Final = object()
"""Stands for a field that a record lacks, which is not the same as one that says null."""

DEEPEST = 6
"""Names of a path; what is nested deeper is shown as a whole."""

LONGEST_KEY = 256
"""Characters of a text by which rows are ordered; a million of them must find room."""

Key = int | float | str | None

_LARGEST = 2**63 - 1
_NUMBER_LENGTH = 30


def value_at(fields: dict[str, Any], path: FieldPath) -> Any:
    """Return what stands at a path, ABSENT where nothing does."""
    value: Any = fields
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def paths_of(fields: dict[str, Any], above: FieldPath = ()) -> Iterator[FieldPath]:
    """Yield the paths of a record's fields in reading order; lists count as one value."""
    for name, value in fields.items():
        path = (*above, name)
        if isinstance(value, dict) and value and len(path) < DEEPEST:
            yield from paths_of(value, path)
        else:
            yield path


def texts_of(value: Any, room: int) -> Iterator[str]:
    """Yield the texts and numbers of fields in reading order, until there is no room for more."""
    waiting = [iter([value])]
    while waiting and room > 0:
        item = next(waiting[-1], ABSENT)
        if item is ABSENT:
            waiting.pop()
        elif isinstance(item, dict):
            waiting.append(iter(item.values()))
        elif isinstance(item, list):
            waiting.append(iter(item))
        elif item is not None and item != "":
            text = str(item)[:room]
            room -= len(text)
            yield text


def fields_in_beginning(text: str) -> dict[str, Any]:
    """Return what the beginning of an object's JSON says of its fields; the last of them may be cut."""
    found: dict[str, Any] = {}
    at = _past(text, 0, "{")
    while at and text[at : at + 1] == '"':
        try:
            name, at = _DECODER.raw_decode(text, at)
        except ValueError:
            break
        at = _past(text, at, ":")
        if not at or at >= len(text):
            break
        try:
            found[name], at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            found[name] = _cut_value(text[at:])
            break
        at = _past(text, at, ",")
    return found


_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _past(text: str, at: int, sign: str) -> int:
    """Return the place of what follows a sign that is next, 0 where another is."""
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at : at + 1] == sign else 0


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\n", "\r"):
        at += 1
    return at


def _cut_value(text: str) -> Any:
    if text.startswith("{"):
        return fields_in_beginning(text)
    if not text.startswith('"'):
        return text
    # An escape may be cut in the middle; of two surrogates both count.
    for end in range(len(text), max(len(text) - 12, 0), -1):
        try:
            return json.loads(text[:end] + '"', strict=False)
        except ValueError:
            continue
    return text[1:]


def key_at(text: str | bytes | None, path: FieldPath) -> Key:
    """Return by what a row is ordered whose fields are this JSON: a number, a text in small letters, or nothing."""
    if text is None:
        return None
    try:
        fields = loads_texts(text)
    except (ValueError, RecursionError):
        return None
    value = value_at(fields, path) if isinstance(fields, dict) else ABSENT
    return None if value is ABSENT else key_of(value)


def key_of_texts(text: str | bytes | None) -> Key:
    """Return by what a row is ordered that is shown by the beginning of what it says."""
    if text is None:
        return None
    try:
        return key_of("  ".join(texts_of(loads_texts(text), LONGEST_KEY)))
    except (ValueError, RecursionError):
        return None


def key_of(value: Any) -> Key:
    """Return by what a value is ordered; a text that is a number counts as one."""
    if isinstance(value, str):
        if value[:1] in _BEGINS_NUMBER and len(value) <= _NUMBER_LENGTH and (number := _number(value)) is not None:
            return number
        return value[:LONGEST_KEY].casefold().encode(errors="replace").decode()
    if isinstance(value, int):
        return int(value) if -_LARGEST <= value <= _LARGEST else float(value) if value.bit_length() < 1000 else None
    if isinstance(value, float):
        return value
    return None if value is None else key_of(compact(value))


_BEGINS_NUMBER = frozenset("-+.0123456789 ")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def compact(value: Any) -> str:
    """Return a value as JSON in one line."""
    try:
        return _ENCODER.encode(value)
    except RecursionError:
        return "(nested too deep)"
