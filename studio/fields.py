"""A record's fields by name, or by a path into nested ones."""

from collections.abc import Mapping
from typing import Any

from studio.formats.row import RowError


def field_of(fields: Mapping[str, Any], name: str) -> Any:
    """Return a field by its name, or by a path such as `a.b` or `answers.0` into nested ones.

    Raises:
        RowError: there is no such field.
    """
    if name in fields:
        return fields[name]
    value: Any = fields
    for step in name.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and len(step) < 10 and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise RowError(f"it has no field {name!r}")
    return value
