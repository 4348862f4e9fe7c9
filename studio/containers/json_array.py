"""JSON files: an array of objects, or objects one after another over many lines."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from studio.containers.row import NOT_UTF8, RawRow, RowDecoder, as_bytes_if_broken, explain
from studio.errors import StudioError

LARGEST = 512 * 2**20
"""Bytes. An array is read whole; JSON Lines has no such limit."""

_GAP = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")


def read(path: Path) -> Iterator[RawRow]:
    """Yield each element with its own text and the line that it begins on.

    Raises:
        StudioError: the file is too large to be read whole.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise StudioError(
            f"{path} is a JSON array of {size >> 20:,} MiB, more than the {LARGEST >> 20} MiB that are read whole.",
            f"Make it JSON Lines first: jq -c '.[]' {path.name} > {path.stem}.jsonl",
        )
    # newline="" keeps CR LF inside a row as it is.
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    return elements(text)


def elements(text: str) -> Iterator[RawRow]:
    """Yield the elements of an array, or of a sequence of values; what can't be read comes with the reason."""
    decoder = RowDecoder()
    position = _skip_blank(text, 0)
    is_array = text.startswith("[", position)
    position += is_array
    line, counted = 1, 0
    while (position := _GAP.match(text, position).end()) < len(text):  # type: ignore[union-attr]
        line, counted = line + text.count("\n", counted, position), position
        if is_array and text[position] == "]":
            if rest := text[position + 1 :].strip():
                yield _keep(RawRow(line, rest, error="stands after the end of the array"))
            return
        row, position = _element(text, position, decoder)
        # A row that is broken up to the file's end says already that the array is not closed.
        is_array = is_array and not (row.error and position == len(text))
        yield _keep(replace(row, line=line))
    if is_array:
        yield RawRow(line + text.count("\n", counted), "", error="is the end of the file, but the array is not closed")


def _element(text: str, start: int, decoder: RowDecoder) -> tuple[RawRow, int]:
    try:
        return decoder.decode(text, start)
    except ValueError as error:
        end = _next_row(text, start)
        raw = text[start:end].rstrip().removesuffix(",") if end < len(text) else text[start:].rstrip()
        return RawRow(0, raw, error=_explain_in_file(error, text, start)), end


def _explain_in_file(error: ValueError, text: str, start: int) -> str:
    """Return why an element could not be read; the place is counted from the element's own line."""
    line = text.count("\n", start, getattr(error, "pos", start))
    return explain(error) + (f" of its line {line + 1}" if line else "")


def _next_row(text: str, start: int) -> int:
    """Return where the next element begins: an object indented as this one is, or else the file's end."""
    indent = text[text.rfind("\n", 0, start) + 1 : start]
    if indent.strip():
        return len(text)
    found = re.compile(r"\n" + re.escape(indent) + r"\{").search(text, start)
    return found.end() - 1 if found else len(text)


def _keep(row: RawRow) -> RawRow:
    assert isinstance(row.raw, str)
    raw = as_bytes_if_broken(row.raw)
    return row if isinstance(raw, str) else RawRow(row.line, raw, error=NOT_UTF8)


def _skip_blank(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    return start
