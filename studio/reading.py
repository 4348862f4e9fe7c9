"""How the rows of a file are to be understood: by a mapping, a template, or the shape that they have."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio import formats, templates
from studio.errors import StudioError
from studio.formats.row import Row, RowError
from studio.project import Project
from studio.settings import TemplateSettings

PLAIN = "plain"
"""The format of rows that are kept as records and not read as anything."""


@dataclass(frozen=True)
class Reading:
    """How the rows of a file are to be understood."""

    name: str
    read: Callable[[dict[str, Any]], Row] | None = None
    template: TemplateSettings | None = None
    mapping: str | None = None
    note: str = ""


def choose(
    project: Project, path: Path, sample: list[dict[str, Any]], format: str | None, mapping: dict[str, str] | None
) -> Reading:
    """Return how to read a file: as told, else by the project's template, else by its shape.

    Raises:
        StudioError: the format is not known, or the mapping does not fit the file's columns.
    """
    if format and mapping:
        raise StudioError("--format and --map can't be used together.", "Give the one that describes the file.")
    if mapping:
        template = templates.template_from_mapping(mapping)
        _check_columns(path, sample, mapping)
        return _by_template(template, json.dumps(mapping))
    if format == PLAIN:
        return Reading(PLAIN)
    if format:
        chosen = formats.to_read(format)
        return Reading(chosen.name, chosen.read)
    own = project.settings.template
    if own and templates.fits(own, sample):
        return _by_template(own)
    found = formats.detect(sample)
    return Reading(found.name, found.read) if found else Reading(PLAIN, note=_unknown_shape(sample))


def _by_template(template: TemplateSettings, mapping: str | None = None) -> Reading:
    return Reading("template", lambda fields: templates.apply(template, fields), template, mapping)


def _check_columns(path: Path, sample: list[dict[str, Any]], mapping: dict[str, str]) -> None:
    for column in mapping.values():
        if not any(_has(fields, column) for fields in sample):
            raise StudioError(f"{path} has no column {column!r}.", f"It has {_columns(sample)}.")


def _has(fields: dict[str, Any], column: str) -> bool:
    try:
        templates.field_of(fields, column)
    except RowError:
        return False
    return True


def _unknown_shape(sample: list[dict[str, Any]]) -> str:
    return (
        f"The rows have no shape that is known (columns: {_columns(sample)}), so they are records without examples: "
        "import again with --map prompt=COLUMN, or write a [template] in studio.toml."
    )


def _columns(sample: list[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(name for fields in sample for name in fields)) or "none"
