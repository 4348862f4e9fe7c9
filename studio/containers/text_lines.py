"""Plain text: each line is a row with one field."""

from collections.abc import Iterator

from studio.containers.opened import Source
from studio.containers.row import RawRow

FIELD = "text"


def read(source: Source) -> Iterator[RawRow]:
    """Yield each line that is not blank."""
    for number, line in enumerate(source.text("\n"), 1):
        raw = source.kept(line.removesuffix("\n").removesuffix("\r"))
        if isinstance(raw, bytes):
            yield RawRow(number, raw, error=source.not_valid)
        elif raw.strip():
            yield RawRow(number, raw, {FIELD: raw})
