"""What `[[checks]]` in studio.toml may say, and how a run keeps it."""

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from studio.errors import StudioError

Kind = Literal[
    "contains",
    "lacks",
    "matches",
    "json",
    "json_schema",
    "max_words",
    "min_words",
    "equals_field",
    "contains_field",
    "number_equals_field",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

KINDS_IN_WORDS: dict[Kind, str] = {
    "contains": "the value stands in the answer, in whatever case",
    "lacks": "the value does not stand in the answer, in whatever case",
    "matches": "the regular expression of the value is found in the answer",
    "json": "the answer is JSON, and nothing else",
    "json_schema": "the answer is JSON that fits the schema of the value",
    "max_words": "the answer has at most so many words",
    "min_words": "the answer has at least so many words",
    "equals_field": "the answer is the text of the record's field",
    "contains_field": "the text of the record's field stands in the answer, in whatever case",
    "number_equals_field": "the last number of the answer is the last number of the record's field",
}

_NUMBERS = ("max_words", "min_words")
_OF_FIELDS = ("equals_field", "contains_field", "number_equals_field")
_NAME = re.compile(r"[A-Za-z][\w-]{0,39}")


@dataclass(frozen=True)
class Check:
    """One thing that is asked of every answer."""

    name: str
    kind: Kind
    value: str = ""
    """What it looks for; of a number of words, that number."""
    field: str = ""
    """The field of the record that the answer is held against; `answer`, where a record has none, is the example's."""
    weight: float = 1.0
    """What it counts beside the others; below 0 it is a fault."""


def read(tables: Any, where: str) -> tuple[Check, ...]:
    """Return the checks of a settings file.

    Args:
        tables: what the file has under `checks`.
        where: the file, for errors.

    Raises:
        StudioError: a check says what none can say, or two have one name.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise StudioError(f"{where}: checks must be a list of tables.", "Begin each with [[checks]].")
    checks = tuple(_check(table, number, where) for number, table in enumerate(tables, 1))
    names = [check.name for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise StudioError(f"{where}: two checks are named '{name}'.", "Give each a name of its own.")
    return checks


def chosen(checks: Collection[Check], names: str, *, where: str = "studio.toml") -> tuple[Check, ...]:
    """Return the checks of these names, which have commas between them; all where none is named.

    Raises:
        StudioError: there is none at all, or none of that name.
    """
    if not checks:
        raise StudioError(
            f"{where} has no checks, so no answer can be told from another.",
            'Add one: [[checks]] with name = "short", kind = "max_words", value = "50".',
        )
    known = {check.name: check for check in checks}
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(known)
    for name in wanted:
        if name not in known:
            raise StudioError(f"{where} has no check '{name}'.", f"It has {', '.join(known)}.")
    return tuple(known[name] for name in dict.fromkeys(wanted))


def write_checks(path: Path, checks: Collection[Check]) -> None:
    """Write checks down, for a run that is to need nothing but its folder."""
    path.write_bytes(orjson.dumps([asdict(check) for check in checks], option=orjson.OPT_INDENT_2))


def read_checks(path: Path) -> tuple[Check, ...]:
    """Read the checks of a run.

    Raises:
        StudioError: the file is absent, or holds no checks.
    """
    try:
        return read(orjson.loads(path.read_bytes()), str(path))
    except (OSError, orjson.JSONDecodeError) as error:
        raise StudioError(f"{path} holds no checks: {error}.", "Start a new run.") from error


def _check(table: dict[str, Any], number: int, where: str) -> Check:
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise StudioError(
            f"{where}: check {number} has no name that can be used.",
            "A name begins with a letter and has letters, digits, - and _, 40 at most.",
        )
    here = f"{where}: check '{name}'"
    known = {field.name for field in fields(Check)}
    for key in table:
        if key not in known:
            raise StudioError(f"{here} has no setting {key!r}.", f"It knows {', '.join(sorted(known))}.")
    kind = table.get("kind")
    if kind not in KINDS:
        raise StudioError(f"{here} has the kind {kind!r}, which is none.", f"Known are {', '.join(KINDS)}.")
    field, weight = table.get("field", ""), table.get("weight", 1.0)
    if not isinstance(weight, (int, float)) or isinstance(weight, bool) or not 0 < abs(weight) <= _MOST_WEIGHT:
        raise StudioError(f"{here}: weight must be a number that is not 0, not {weight!r}.")
    if not isinstance(field, str) or bool(field) != (kind in _OF_FIELDS):
        raise StudioError(f"{here} needs a field." if kind in _OF_FIELDS else f"{here} has no use for a field.")
    return Check(name, kind, _value(table.get("value"), kind, here), field, float(weight))


_MOST_WEIGHT = 1e6


def _value(value: Any, kind: Kind, here: str) -> str:
    if kind in ("json", *_OF_FIELDS):
        if value not in (None, ""):
            raise StudioError(f"{here} has no use for a value.", "Leave it out.")
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise StudioError(f"{here} needs a value.", f"{kind}: {KINDS_IN_WORDS[kind]}.")
    text = str(value)
    if kind in _NUMBERS and not text.strip().isdecimal():
        raise StudioError(f"{here}: value must be a whole number, not {text!r}.")
    if kind == "matches":
        _check_expression(text, here)
    if kind == "json_schema":
        _check_schema(text, here)
    return text


def _check_expression(text: str, here: str) -> None:
    import regex

    try:
        regex.compile(text)
    except regex.error as error:
        raise StudioError(f"{here}: {text!r} is no regular expression: {error}.") from error


def _check_schema(text: str, here: str) -> None:
    from studio.templating.answers import validator
    from studio.templating.parts import TemplateError

    try:
        validator(text)
    except TemplateError as error:
        raise StudioError(f"{here}: its value can't be used: {error}.") from error
