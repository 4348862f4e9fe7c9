"""JSON Lines: one object a line, read as a stream."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from studio.containers.opened import Source
from studio.containers.row import RawRow, RowDecoder, explain

BLANK = " \t\r\n"
LONGEST = 1 << 20
"""Bytes; in a longer line the check of the fast decoder's work would take too much memory."""
DEEPEST = 100
"""Levels; what is nested deeper is left to the exact decoder, which knows where to stop."""
LARGEST = 2.0**62
"""A greater number may be an integer beyond 64 bits, which orjson makes a float of."""
_DOUBTFUL = float("-inf")
_ESCAPED = re.compile(rb'\\["\\]').findall
"""Finds escaped quotation marks; pairs of backslashes too, so that none is taken for the start of one."""


def read(source: Source) -> Iterator[RawRow]:
    """Yield each line that is not blank; only LF ends a line, as texts may hold other separators."""
    return _of_bytes(source.lines()) if source.encoding == "utf-8" else _of_text(source)


def _of_bytes(lines: Iterable[bytes]) -> Iterator[RawRow]:
    decoder = RowDecoder()
    for number, line in enumerate(lines, 1):
        content = line[:-2] if line.endswith(b"\r\n") else line.removesuffix(b"\n").removesuffix(b"\r")
        row = parse(number, content, decoder)
        if row.error is None or content.strip(BLANK.encode()):
            yield row


def _of_text(source: Source) -> Iterator[RawRow]:
    decoder = RowDecoder()
    for number, line in enumerate(source.text("\n"), 1):
        raw = source.kept(line.removesuffix("\n").removesuffix("\r"))
        if isinstance(raw, bytes):
            yield RawRow(number, raw, error=source.not_valid)
        elif raw.strip(BLANK):
            yield parse(number, raw.encode(), decoder)


def parse(number: int, content: bytes, decoder: RowDecoder) -> RawRow:
    """Read one line in UTF-8 by the fast decoder where that hides nothing, else exactly."""
    if len(content) > LONGEST:
        return parse_exactly(number, content, decoder)
    try:
        fields = orjson.loads(content)
    except ValueError:
        return parse_exactly(number, content, decoder)
    if type(fields) is dict and _is_plain(content, fields):
        return RawRow(number, content.decode(), fields)
    return parse_exactly(number, content, decoder)


def parse_exactly(number: int, content: bytes, decoder: RowDecoder) -> RawRow:
    """Read one line; its whole text is kept whatever it holds."""
    try:
        raw = content.decode()
    except UnicodeDecodeError:
        return RawRow(number, content, error="is not valid UTF-8")
    start = len(raw) - len(raw.lstrip(BLANK))
    try:
        row, end = decoder.decode(raw, start)
    except ValueError as error:
        return RawRow(number, raw, error=explain(error))
    if raw[end:].strip(BLANK):
        return RawRow(number, raw, error=f"has more text after its JSON value, at character {end + 1}")
    return row._replace(line=number, raw=raw)


def _is_plain(content: bytes, fields: dict[str, Any]) -> bool:
    """Tell whether the fast decoder surely saw all there is: no name twice, no number that it rounds.

    Each name and each text that was decoded has two quotation marks. So many of them in the line, those
    escaped inside texts aside, means that no name was dropped.
    """
    expected = 2 * _strings(fields, 0)
    marks = content.count(b'"')
    if marks > expected:
        marks -= _ESCAPED(content).count(b'\\"')
    return marks == expected


def _strings(table: dict[str, Any], depth: int) -> float:
    """Count the names and texts of an object and of all in it; no line has the number given for a doubtful value."""
    count: float = len(table)
    for value in table.values():
        count += 1 if type(value) is str else _strings_in(value, depth)
    return count


def _strings_in(value: Any, depth: int) -> float:
    if isinstance(value, dict):
        return _strings(value, depth + 1) if depth < DEEPEST else _DOUBTFUL
    if isinstance(value, list):
        if depth >= DEEPEST:
            return _DOUBTFUL
        return sum(1 if type(item) is str else _strings_in(item, depth + 1) for item in value)
    if isinstance(value, float):
        # Zero may be the integer -0.
        return 0 if value and abs(value) < LARGEST else _DOUBTFUL
    return 0
