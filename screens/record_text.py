"""What a record looks like in words: its line in a list and its detail."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from screens.finding_text import finding_lines
from screens.hex_text import hex_lines
from screens.json_text import json_spans
from screens.widgets.text_view import Span
from store.field_values import texts_of
from store.records import Record

RecordView = Literal["fields", "JSON", "as read", "bytes"]
VIEWS: tuple[RecordView, ...] = ("fields", "JSON", "as read", "bytes")

PREVIEW_LENGTH = 400
"""Characters of a preview; more than any screen is wide."""


def marks(record: Record, tagged: bool = False) -> str:
    """Return a sign for each thing that was found or decided; the Data screen's help says what they mean."""
    signs = (
        ("!" if record.error else "?", record.error or record.problem),
        ("=", record.duplicate_of),
        ("f", record.flagged),
        ("x", record.excluded),
        ("#", tagged),
        ("n", record.note),
    )
    return "".join(sign if on else " " for sign, on in signs)


def preview(record: Record, most: int = PREVIEW_LENGTH) -> str:
    """Return the beginning of what a record says."""
    if record.error or record.fields is None:
        return as_text(record.raw[:most])
    return "  ".join(texts_of(record.fields, most))


def record_detail(
    record: Record,
    view: RecordView,
    *,
    tags: Sequence[str] = (),
    first: Record | None = None,
    found: Sequence[tuple[str, str]] = (),
    encoding: str = "utf-8",
    width: int = 80,
) -> list[Span]:
    """Return where a record came from, what is wrong with it, and what it holds.

    Args:
        record: which; of one that is very long perhaps only the beginning.
        view: how it is shown.
        tags: that it has.
        first: the record that it repeats.
        found: the checks that found something in it, each with what.
        encoding: of the file that it came from, for its bytes.
        width: cells of a line, for the bytes.
    """
    heading = [*_heading(record, tags, first), *finding_lines(found)]
    try:
        return [*heading, *_content(record, view, encoding, width)]
    except RecursionError:
        why = Span("\nIt is nested too deep to be laid out; this is how it was read.\n\n", "italic")
        return [*heading, why, _raw(record)]


def _heading(record: Record, tags: Sequence[str], first: Record | None) -> Iterator[Span]:
    words = [w for w, on in (("flagged", record.flagged), ("excluded", record.excluded)) if on]
    yield Span(f"{record.source}:{record.line}", "bold")
    if words:
        yield Span(f"   {', '.join(words)}", "italic")
    yield Span("\n")
    if tags:
        yield Span(f"# {', '.join(tags)}\n", "italic")
    if record.note:
        yield Span(f"n {record.note}\n", "italic")
    if first is not None:
        yield Span(f"= The same bytes as {first.source}:{first.line}; o goes there.\n", "italic")
    if record.error:
        yield Span(f"! Unreadable: {record.error}\n", "bold")
    elif record.problem:
        yield Span(f"? {record.problem}\n", "bold")
    left = record.length - len(record.raw)
    if left > 0:
        more = f"Too long to be shown in full: {left:,} more characters follow; e shows all in your editor.\n"
        yield Span(more, "italic")


def _content(record: Record, view: RecordView, encoding: str, width: int) -> list[Span]:
    if view == "bytes":
        data, name = as_bytes(record.raw, encoding)
        return [Span(f"{len(data):,} bytes, {name}\n\n", "italic"), Span("\n".join(hex_lines(data, width)))]
    if view == "as read" or record.fields is None:
        return [Span("\n"), _raw(record)]
    if view == "JSON":
        return [Span("\n"), *json_spans(record.fields)]
    return _field_spans(record.fields)


def _raw(record: Record) -> Span:
    return Span(as_text(record.raw))


def as_bytes(raw: str | bytes, encoding: str) -> tuple[bytes, str]:
    """Return a row's bytes, and in which encoding: that of its file, where its text can be written so."""
    if isinstance(raw, bytes):
        return raw, "as they are in the file"
    try:
        return raw.encode(encoding), encoding
    except (LookupError, UnicodeEncodeError):
        return raw.encode("utf-8", "surrogatepass"), "utf-8"


def as_text(raw: str | bytes) -> str:
    """Return a row's own text; bytes that are no text are shown by their numbers."""
    return raw if isinstance(raw, str) else raw.decode("utf-8", errors="backslashreplace")


def _field_spans(fields: dict[str, Any]) -> list[Span]:
    spans = []
    for name, value in fields.items():
        spans += [Span(f"\n{name}\n", "underline"), Span("\n".join(_outline(value)) + "\n")]
    return spans


def _outline(value: Any) -> Iterator[str]:
    """Yield a value as lines: texts as they are, what is nested below its name or number."""
    if isinstance(value, str):
        yield from value.split("\n")
    elif isinstance(value, dict | list) and value:
        named = value.items() if isinstance(value, dict) else enumerate(value, start=1)
        for name, item in named:
            lines = list(_outline(item))
            is_short = len(lines) == 1 and not isinstance(item, dict | list)
            yield f"{name}: {lines[0]}" if is_short else f"{name}:"
            yield from (f"  {line}" for line in lines[is_short:])
    else:
        yield json.dumps(value)
