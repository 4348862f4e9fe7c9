"""What a source of the project gives templates: ready-made ones, and the fields that they can name."""

from collections.abc import Callable
from typing import Any

from store import records
from store.database import Store
from store.records import Source
from studio import formats
from studio.errors import StudioError
from studio.file_look import columns_of
from studio.formats.row import Row
from studio.mapped_rows import by_columns, with_meanings
from studio.reading import MAPPED, SAMPLE_ROWS, said_of
from studio.templating.ready import Ready, name_in_template, ready_made

Fields = dict[str, Any]


def ready_for(store: Store, source_id: int) -> list[Ready]:
    """Return templates for the rows of a source, the one that agrees with its import most first."""
    source = records.source(store, source_id)
    _, mapping = said_of(source)
    return ready_made(sample_of(store, source_id), _reader(source), mapping)


def sample_of(store: Store, source_id: int) -> list[Fields]:
    """Return the fields of a source's first rows that could be read."""
    first = records.first_of_source(store, source_id, SAMPLE_ROWS)
    return [record.fields for record in first if record.fields is not None]


def insertable(fields: Fields) -> list[tuple[str, str]]:
    """Return the fields of a record as a template says them, each with the beginning of what it holds."""
    return [
        (name_in_template(column.path), column.samples[0] if column.samples else "") for column in columns_of([fields])
    ]


def _reader(source: Source) -> Callable[[Fields], Row] | None:
    """Return how the rows of a source were read, None where nothing but the template in use knows."""
    name, mapping = said_of(source)
    if source.format == MAPPED and mapping:
        return by_columns(mapping)
    try:
        known = formats.to_read(name) if name else None
    except StudioError:
        # Plain records, or a format that this version does not know.
        return None
    if known and mapping:
        return with_meanings(known.read, mapping.verdicts)
    return known.read if known else None
