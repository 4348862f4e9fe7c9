"""How rows lie in a file: found out by looking inside, never by the file's name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from studio.containers import csv_table, json_array, jsonl, parquet
from studio.containers.row import RawRow
from studio.errors import StudioError

__all__ = ["RawRow", "read", "sniff"]

HEAD_LINES = 20
HEAD_BYTES = 1 << 20
MOST_NULS = 0.05
"""A file with a greater share of NUL bytes is no text."""

_READERS: dict[str, Callable[[Path], Iterator[RawRow]]] = {
    "jsonl": jsonl.read,
    "json": json_array.read,
    "csv": csv_table.read,
    "parquet": parquet.read,
}
_NOT_READ = {
    b"\x1f\x8b": ("is compressed with gzip", "Unpack it first: gunzip -k {name}"),
    b"PK\x03\x04": ("is a ZIP archive or an Office file", "Unpack it, or save the sheet as CSV UTF-8."),
    b"\x28\xb5\x2f\xfd": ("is compressed with zstd", "Unpack it first: zstd -d {name}"),
    b"\xff\xfe": ("is UTF-16 text", "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 {name} > new-file"),
    b"\xfe\xff": ("is UTF-16 text", "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 {name} > new-file"),
    b"SQLite format 3": ("is an SQLite database", "Save the table as CSV or JSON Lines."),
}


def read(path: Path, container: str) -> Iterator[RawRow]:
    """Yield the rows of a file, those that can't be parsed too, with the reason."""
    return _READERS[container](path)


def sniff(path: Path) -> str:
    """Return how rows lie in a file: jsonl, json, csv or parquet.

    Raises:
        StudioError: the file can't be opened, is empty, or holds no rows of these kinds.
    """
    head = _head(path)
    if head.startswith(parquet.MAGIC):
        return "parquet"
    for mark, (what, hint) in _NOT_READ.items():
        if head.startswith(mark):
            raise StudioError(f"{path} {what}.", hint.format(name=path.name))
    text = head.removeprefix(jsonl.BOM).lstrip()
    if not text:
        raise StudioError(f"{path} is empty.")
    if text.startswith((b"[", b"{")) and (found := _json_kind(text)):
        return found
    if head.count(0) < MOST_NULS * len(head) and csv_table.looks_like_table(path):
        return "csv"
    raise StudioError(
        f"{path} holds no rows that can be read.",
        "JSON Lines, a JSON array, CSV (with a header) and Parquet can; `studio formats` lists the shapes.",
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except IsADirectoryError:
        raise StudioError(f"{path} is a folder.", "Name the files in it.") from None
    except FileNotFoundError:
        raise StudioError(f"{path} is not there.") from None
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror}.") from error


def _json_kind(text: bytes) -> str | None:
    """Return jsonl where a whole object stands on a line of the head, else json."""
    if text.startswith(b"["):
        return "json" if text[1:].lstrip()[:1] in (b"{", b"[", b"]", b'"', b"") else None
    lines = [line for line in text.split(b"\n")[:HEAD_LINES] if line.strip()]
    if len(lines) == 1 or any(_is_object(line) for line in lines):
        return "jsonl"
    return "json"


def _is_object(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
