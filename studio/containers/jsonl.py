"""JSON Lines: one object a line, read as a stream."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from studio.containers.row import NOT_UTF8, RawRow, RowDecoder, explain

BOM = b"\xef\xbb\xbf"
BLANK = " \t\r\n"


def read(path: Path) -> Iterator[RawRow]:
    """Yield each line that is not blank; only LF ends a line, as texts may hold other separators."""
    decoder = RowDecoder()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            content = line.removeprefix(BOM) if number == 1 else line
            content = content.removesuffix(b"\n").removesuffix(b"\r")
            if content.strip():
                yield replace(parse(content, decoder), line=number)


def parse(content: bytes, decoder: RowDecoder) -> RawRow:
    """Read one line; its whole text is kept whatever it holds."""
    try:
        raw = content.decode()
    except UnicodeDecodeError:
        return RawRow(0, content, error=NOT_UTF8)
    start = len(raw) - len(raw.lstrip(BLANK))
    try:
        row, end = decoder.decode(raw, start)
    except ValueError as error:
        return RawRow(0, raw, error=explain(error))
    if raw[end:].strip(BLANK):
        return RawRow(0, raw, error=f"has more text after its JSON value, at character {end + 1}")
    return replace(row, raw=raw)
