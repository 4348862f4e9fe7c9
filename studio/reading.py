"""How the rows of a file are to be understood: by a mapping, a template, or the shape that they have."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.records import Source
from studio import formats, templates
from studio.containers import RawRow
from studio.errors import StudioError
from studio.fields import field_of
from studio.formats.row import Row, RowError
from studio.formats.shape import Format
from studio.mapped_rows import by_columns, with_meanings
from studio.mapping import Mapping, code_of, from_json, how_to_say, meaning_of
from studio.project import Project
from studio.settings import TemplateSettings

if TYPE_CHECKING:
    from studio.retrieval.lookup import Lookup

PLAIN = "plain"
"""The format of rows that are kept as records and not read as anything."""

MAPPED = "mapping"
"""The format of rows that are read by the columns that a person named."""

MOST_CODES_NAMED = 8
MOST_NAMED = 12
"""Columns of rows that have no known shape."""

SAMPLE_ROWS = 200
SAMPLE_CHARACTERS = 4_000_000
"""How much of a file is looked at to find out how it is to be read, whichever is reached first."""

Fields = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """How the rows of a file are to be understood."""

    name: str
    read: Callable[[Fields], Row] | None = None
    template: TemplateSettings | None = None
    mapping: str | None = None
    note: str = ""


def first_rows(rows: Iterable[RawRow]) -> list[RawRow]:
    """Return the rows that decide how a file is read; at least one, however long it is."""
    first: list[RawRow] = []
    room = SAMPLE_CHARACTERS
    for row in islice(rows, SAMPLE_ROWS):
        first.append(row)
        room -= len(row.raw)
        if room < 0:
            break
    return first


def choose(
    project: Project,
    path: Path,
    sample: list[Fields],
    format: str | None,
    mapping: Mapping | None = None,
    lookup: "Lookup | None" = None,
) -> Reading:
    """Return how to read a file: as told, else by the project's template, which uses `lookup`, else by its shape.

    Raises:
        StudioError: the format is not known, or the mapping does not fit the file's columns.
    """
    said = mapping or Mapping()
    if format and said.columns:
        raise StudioError("--format and --map can't be used together.", "Give the one that describes the file.")
    if said.columns:
        return _by_mapping(path, sample, said)
    if format == PLAIN:
        return Reading(PLAIN)
    if format:
        return _by_format(formats.to_read(format), path, sample, said)
    own = project.settings.template
    if own and templates.fits(own, sample):
        return Reading("template", lambda fields: templates.apply(own, fields, lookup), own)
    found = formats.detect(sample)
    return _by_format(found, path, sample, said) if found else Reading(PLAIN, note=_unknown_shape(sample))


def said_of(source: Source) -> tuple[str | None, Mapping | None]:
    """Return the format and the mapping that make a source's rows be read as they were before."""
    if source.format == "template":
        return None, None
    return None if source.format == MAPPED else source.format, from_json(source.mapping) if source.mapping else None


def codes_of_format(format: Format, sample: Iterable[Fields]) -> list[str]:
    """Return the verdict codes of a sample that only a person can explain, sorted."""
    codes: set[str] = set()
    for fields in sample if format.coded else ():
        try:
            row = format.read(fields)
        except RowError:
            continue
        codes.update(j.code for j in row.judgements if j.code and not j.verdict)
    return sorted(codes)


def codes_of_column(column: str, sample: Iterable[Fields]) -> list[str]:
    """Return the values of a verdict column, apart from those whose own word says what they mean, sorted."""
    codes: set[str] = set()
    for fields in sample:
        try:
            codes.add(code_of(field_of(fields, column)))
        except RowError:
            continue
    return sorted(code for code in codes if code and meaning_of(code, {}) is None)


def unexplained(codes: Iterable[str], mapping: Mapping) -> list[str]:
    """Return the codes that a mapping does not explain."""
    return [code for code in codes if meaning_of(code, mapping.verdicts) is None]


def _by_mapping(path: Path, sample: list[Fields], mapping: Mapping) -> Reading:
    read = by_columns(mapping)
    absent = next((c for c in mapping.columns.values() if not any(_has(fields, c) for fields in sample)), None)
    if absent is not None:
        raise StudioError(f"{path} has no column {absent!r}.", f"It has {_columns(sample)}.")
    column = mapping.columns.get("verdict")
    unclear = unexplained(codes_of_column(column, sample), mapping) if column else []
    if unclear:
        return Reading(PLAIN, note=_unclear(path, unclear))
    return Reading(MAPPED, read, mapping=mapping.to_json())


def _by_format(format: Format, path: Path, sample: list[Fields], mapping: Mapping) -> Reading:
    if not format.coded:
        note = f"{format.name} has no verdict codes: what was said of them was not needed." if mapping.verdicts else ""
        return Reading(format.name, format.read, note=note)
    unclear = unexplained(codes_of_format(format, sample), mapping)
    if unclear:
        return Reading(PLAIN, note=_unclear(path, unclear, format))
    said = mapping.to_json() if mapping.verdicts else None
    return Reading(format.name, with_meanings(format.read, mapping.verdicts), mapping=said)


def _unclear(path: Path, codes: list[str], format: Format | None = None) -> str:
    shown = ", ".join(code[:40] for code in codes[:MOST_CODES_NAMED])
    if len(codes) > MOST_CODES_NAMED:
        shown += f" and {len(codes) - MOST_CODES_NAMED} more"
    which = f"It is {format.name}, but its" if format else "Its"
    many = len(codes) > 1
    mean = f"verdict codes {shown} mean" if many else f"verdict code {shown} means"
    return (
        f"{which} {mean} different things in different files, so the rows of {path.name} are "
        f"records without examples for now: import it again and say what {'they mean' if many else 'it means'}, "
        f"for example {how_to_say(codes)} (left is the first answer)."
    )


def _has(fields: Fields, column: str) -> bool:
    try:
        field_of(fields, column)
    except RowError:
        return False
    return True


def _unknown_shape(sample: list[Fields]) -> str:
    return (
        f"The rows have no shape that is known (columns: {_columns(sample)}), so they are records without examples: "
        "import again with --map prompt=COLUMN, or write a [template] in studio.toml."
    )


def _columns(sample: list[Fields]) -> str:
    names = list(dict.fromkeys(name for fields in sample for name in fields))
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}" or "none"
