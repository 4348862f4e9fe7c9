"""How rows lie in a file, and the rows themselves, one after another, whatever they mean."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from studio.containers import arrow, csv_table, json_array, jsonl, parquet, text_lines
from studio.containers.folder import expand
from studio.containers.layout import Layout
from studio.containers.opened import Source
from studio.containers.row import RawRow
from studio.containers.sniffing import decoded, head_of, sniff
from studio.errors import StudioError

__all__ = ["Layout", "RawRow", "expand", "read", "sniff"]

_BINARY = {"parquet": parquet.read, "arrow": arrow.read}


def read(path: Path, layout: Layout, on_bytes: Callable[[int], None] | None = None) -> Iterator[RawRow]:
    """Yield the rows of a file, those that can't be parsed too, with the reason.

    `on_bytes` is told now and then how far into the file on disk this has come.

    Raises:
        StudioError: the file can't be opened, or is so damaged that it has no rows.
    """
    report = on_bytes or _unheard
    if layout.container not in _BINARY:
        return _text_rows(path, layout, report)
    return _unpacked_rows(path, layout, report) if layout.compression else _BINARY[layout.container](path, report)


def _unheard(_position: int) -> None:
    """Take a report that nobody asked for."""


def _text_rows(path: Path, layout: Layout, on_bytes: Callable[[int], None]) -> Iterator[RawRow]:
    try:
        source = Source(path, layout, on_bytes)
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror}.") from error
    with source:
        rows = _parsed(source)
        yield from _to_the_break(rows, source) if layout.compression or "16" in layout.encoding else rows


def _parsed(source: Source) -> Iterator[RawRow]:
    container = source.layout.container
    if container == "csv":
        head = head_of(source.path, source.layout.compression)
        return csv_table.read(source, decoded(head, source.encoding))
    return {"jsonl": jsonl.read, "json": json_array.read, "text": text_lines.read}[container](source)


def _to_the_break(rows: Iterator[RawRow], source: Source) -> Iterator[RawRow]:
    """Yield rows, with the reason on the last one where the file breaks off."""
    last: RawRow | None = None
    for row in rows:
        if last is not None:
            yield last
        last = row
    if source.damage and last is not None and _is_cut(last, source):
        yield RawRow(last.line, _with_tail(last.raw, source), error=source.damage)
        return
    if last is not None:
        yield last
    if source.damage:
        line = last.line + _line_ends(last.raw) + source.at_line_end if last else 1
        yield RawRow(line, source.tail or "", error=source.damage)


def _is_cut(last: RawRow, source: Source) -> bool:
    """Tell whether the last row reaches to the break."""
    container = source.layout.container
    if container == "json":
        return last.error is not None
    if container == "jsonl":
        return last.error is not None and not source.at_line_end
    return not source.at_line_end or last.error == csv_table.UNCLOSED


def _line_ends(raw: str | bytes) -> int:
    return raw.count("\n") if isinstance(raw, str) else raw.count(b"\n")


def _with_tail(raw: str | bytes, source: Source) -> str | bytes:
    if not source.tail:
        return raw
    return (raw if isinstance(raw, bytes) else raw.encode(source.encoding)) + source.tail


def _unpacked_rows(path: Path, layout: Layout, on_bytes: Callable[[int], None]) -> Iterator[RawRow]:
    """Yield the rows of a file that must be unpacked before it can be read, into a private one."""
    with tempfile.NamedTemporaryFile(suffix=f".{layout.container}") as file, Source(path, layout, on_bytes) as source:
        try:
            shutil.copyfileobj(source, file)
            file.flush()
        except OSError as error:
            hint = f"It needs room in {Path(file.name).parent}; the environment variable TMPDIR names another folder."
            raise StudioError(f"{path} can't be unpacked: {error.strerror}.", hint) from error
        number = 0
        try:
            for row in _BINARY[layout.container](Path(file.name), _unheard):
                number = row.line
                yield row
        except StudioError as error:
            why = f" It {source.damage}." if source.damage else ""
            raise StudioError(error.message.replace(file.name, str(path)) + why, error.hint) from error
        if source.damage:
            yield RawRow(number + 1, "", error=source.damage)
