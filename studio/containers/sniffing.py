"""What a file is, found out by looking inside, never by its name."""

import codecs
import json
import re
from pathlib import Path
from typing import BinaryIO

from studio.containers import csv_table
from studio.containers.layout import Layout
from studio.containers.unpacking import Broken, unpack
from studio.errors import StudioError

HEAD_LINES = 20
HEAD_BYTES = 1 << 20
MOST_CONTROLS = 0.05
"""A file with a greater share of control characters is no text."""
RARE = 100
"""Text is Latin-1 where so many bytes are no UTF-8 for each character that is; it may look like UTF-8 by chance."""

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_BINARY = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "arrow"}
_MARKED = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_NOT_READ = {
    b"PK\x03\x04": ("is a ZIP archive or an Office file", "Unpack it, or save the sheet as CSV UTF-8."),
    b"SQLite format 3": ("is an SQLite database", "Save the table as CSV or JSON Lines."),
    b"\xff\xfe\x00\x00": ("is UTF-32 text", "Save it as UTF-8: iconv -f UTF-32 -t UTF-8 {name} > new-file"),
    b"\x00\x00\xfe\xff": ("is UTF-32 text", "Save it as UTF-8: iconv -f UTF-32 -t UTF-8 {name} > new-file"),
}
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_ESCAPED = re.compile("[\udc80-\udcff]")


def sniff(path: Path) -> Layout:
    """Find out how rows lie in a file.

    Raises:
        StudioError: the file can't be opened, is empty, or holds no rows of the kinds that can be read.
    """
    head = head_of(path)
    compression = next((name for magic, name in _COMPRESSED.items() if head.startswith(magic)), "")
    if compression:
        head = head_of(path, compression)
    _refuse(path, head)
    if binary := next((name for magic, name in _BINARY.items() if head.startswith(magic)), ""):
        return Layout(binary, "", compression)
    encoding, note = _encoding(head)
    text = decoded(head, encoding)
    if not text.strip():
        raise StudioError(f"{path} is empty.")
    if container := _text_kind(text, whole=len(head) < HEAD_BYTES):
        return Layout(container, encoding, compression, note)
    raise StudioError(
        f"{path} holds no rows that can be read.",
        "JSON Lines, JSON, CSV (with a header), Parquet, Arrow and text can; `studio formats` lists the shapes.",
    )


def head_of(path: Path, compression: str = "") -> bytes:
    """Return the first bytes of a file, unpacked.

    Raises:
        StudioError: the file can't be opened, or nothing in it can be unpacked.
    """
    try:
        if path.is_dir():
            raise StudioError(f"{path} is a folder.", "Name the files in it.")
        if path.exists() and not path.is_file():
            raise StudioError(f"{path} is not a file.", "Save what it gives to a file, and import that.")
        with path.open("rb") as file:
            return _unpacked_head(path, file, compression) if compression else file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise StudioError(f"{path} is not there.") from None
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror}.") from error


def decoded(head: bytes, encoding: str) -> str:
    """Return the start of a file as text; a character that the end cuts is left out."""
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    text = codecs.getincrementaldecoder(encoding)(errors).decode(head)
    return text.removeprefix("\ufeff")


def _unpacked_head(path: Path, file: BinaryIO, compression: str) -> bytes:
    head = b""
    try:
        for data in unpack(file, compression):
            head += data
            if len(head) >= HEAD_BYTES:
                break
    except Broken as broken:
        if not head:
            raise StudioError(f"{path} is no readable {compression} stream: {broken}.", "Get the file again.") from None
    return head[:HEAD_BYTES]


def _refuse(path: Path, head: bytes) -> None:
    for mark, (what, hint) in _NOT_READ.items():
        if head.startswith(mark):
            raise StudioError(f"{path} {what}.", hint.format(name=path.name))
    if head.startswith(tuple(_COMPRESSED)):
        raise StudioError(f"{path} is compressed twice.", "Unpack it once first.")
    if head[257:262] == b"ustar":
        raise StudioError(f"{path} is a tar archive.", f"Unpack it, and import the folder: tar -xf {path.name}")


def _encoding(head: bytes) -> tuple[str, str]:
    """Return the encoding of a text that begins so, and a note where it is a guess."""
    if marked := next((name for mark, name in _MARKED.items() if head.startswith(mark)), ""):
        return marked, ""
    if guess := _without_mark(head):
        return guess, "Read as UTF-16, by the pattern of its NUL bytes."
    text = decoded(head, "utf-8")
    if text.isascii():
        return "utf-8", ""
    broken = len(_ESCAPED.findall(text))
    valid = len(re.findall(r"[^\x00-\x7f]", text)) - broken
    if broken and valid * RARE <= broken:
        return "latin-1", "Read as Latin-1, because it is not valid UTF-8."
    return "utf-8", ""


def _without_mark(head: bytes) -> str:
    """Return the UTF-16 in which every other byte of the ASCII in a text is NUL, or nothing."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    # Letters other than Latin ones have no NULs, but the marks between fields do.
    least = len(head) / (20 if len(head) >= 64 else 5)
    if odd >= least and odd > 20 * even:
        return "utf-16-le"
    return "utf-16-be" if even >= least and even > 20 * odd else ""


def _text_kind(text: str, *, whole: bool) -> str | None:
    start = text.lstrip()
    if start.startswith(("[", "{")) and (found := _json_kind(start)):
        return found
    if len(_CONTROLS.findall(text)) >= MOST_CONTROLS * len(text):
        return None
    return "csv" if csv_table.looks_like_table(text, whole=whole) else "text"


def _json_kind(text: str) -> str | None:
    """Return jsonl where a whole object stands on a line of the head, else json."""
    if text.startswith("["):
        return "json" if text[1:].lstrip()[:1] in ("{", "[", "]", '"', "") else None
    lines = [line for line in text.split("\n")[:HEAD_LINES] if line.strip()]
    if len(lines) == 1 or any(_is_object(line) for line in lines):
        return "jsonl"
    return "json"


def _is_object(line: str) -> bool:
    if not line.startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
