"""How far an answer is what a check asks for."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from studio.checks.settings import Check, Kind

_NUMBER = re.compile(r"(?:(?<![\w.])[-+])?\d[\d,]*(?:\.\d+)?")
"""A hyphen between two numbers is no sign."""

MOST_SECONDS = 1.0
"""A regular expression that takes longer to try all its ways than this is not found."""


def score(check: Check, reply: str, fields: Mapping[str, Any]) -> float:
    """Return from 0 to 1 how far an answer passes a check; only lengths can be passed in part.

    Args:
        check: what is asked.
        reply: the answer's text.
        fields: the record's fields, which the check may hold the answer against.
    """
    return float(_SCORES[check.kind](check, reply, fields))


def _contains(check: Check, reply: str, _: Mapping[str, Any]) -> bool:
    return check.value.casefold() in reply.casefold()


def _lacks(check: Check, reply: str, _: Mapping[str, Any]) -> bool:
    return check.value.casefold() not in reply.casefold()


def _matches(check: Check, reply: str, _: Mapping[str, Any]) -> bool:
    import regex  # it can be told to give up, which re can't

    try:
        return regex.search(check.value, reply, timeout=MOST_SECONDS) is not None
    except TimeoutError:
        return False


def _is_json(_check: Check, reply: str, _: Mapping[str, Any]) -> bool:
    return _parsed(reply) is not _NOTHING


def _fits_schema(check: Check, reply: str, _: Mapping[str, Any]) -> bool:
    from referencing.exceptions import Unresolvable

    from studio.templating.answers import validator

    found, schema = _parsed(reply), validator(check.value)
    try:
        return found is not _NOTHING and schema is not None and schema.is_valid(found)
    except (Unresolvable, RecursionError, re.error):
        # Nothing can fit a schema that refers to what is not there.
        return False


def _max_words(check: Check, reply: str, _: Mapping[str, Any]) -> float:
    words, most = len(reply.split()), int(check.value)
    return 1.0 if words <= most else most / words


def _min_words(check: Check, reply: str, _: Mapping[str, Any]) -> float:
    words, least = len(reply.split()), int(check.value)
    return 1.0 if words >= least else words / least


def _equals_field(check: Check, reply: str, fields: Mapping[str, Any]) -> bool:
    wanted = _text(check, fields)
    return wanted is not None and reply.strip() == wanted


def _contains_field(check: Check, reply: str, fields: Mapping[str, Any]) -> bool:
    wanted = _text(check, fields)
    return bool(wanted) and str(wanted).casefold() in reply.casefold()


def _number_equals_field(check: Check, reply: str, fields: Mapping[str, Any]) -> bool:
    wanted = _last_number(_text(check, fields) or "")
    return wanted is not None and _last_number(reply) == wanted


_SCORES: dict[Kind, Callable[[Check, str, Mapping[str, Any]], bool | float]] = {
    "contains": _contains,
    "lacks": _lacks,
    "matches": _matches,
    "json": _is_json,
    "json_schema": _fits_schema,
    "max_words": _max_words,
    "min_words": _min_words,
    "equals_field": _equals_field,
    "contains_field": _contains_field,
    "number_equals_field": _number_equals_field,
}

_NOTHING = object()


def _parsed(reply: str) -> Any:
    try:
        return json.loads(reply, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _NOTHING


def _refuse(name: str) -> None:
    """Python reads NaN and Infinity, which no other reader of JSON takes."""
    raise ValueError(name)


def _text(check: Check, fields: Mapping[str, Any]) -> str | None:
    """Return the text of the check's field; what is no text as JSON; None where the record lacks it."""
    value = fields.get(check.field)
    if value is None or isinstance(value, str):
        return value and value.strip()
    return json.dumps(value, ensure_ascii=False)


def _last_number(text: str) -> Decimal | None:
    found = _NUMBER.findall(text)
    return Decimal(found[-1].replace(",", "")) if found else None
