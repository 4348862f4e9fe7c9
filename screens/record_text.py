"""What a record looks like in words: its line in a list and its detail."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from screens.widgets.table import Row
from screens.widgets.text_view import Span
from store.records import Record

RecordView = Literal["fields", "JSON", "as read"]
VIEWS: tuple[RecordView, ...] = ("fields", "JSON", "as read")

PREVIEW_LENGTH = 400
"""Characters of a preview; more than any screen is wide."""


def record_row(record: Record, tagged: bool = False) -> Row:
    """Return a record's line for a list: marks, line number, preview."""
    return Row((marks(record, tagged), str(record.line), preview(record)), dim=record.excluded)


def marks(record: Record, tagged: bool = False) -> str:
    """Return a sign for each thing that was found or decided; the Data screen's help says what they mean."""
    signs = (
        ("!" if record.error else "?", record.error or record.problem),
        ("=", record.duplicate_of),
        ("f", record.flagged),
        ("x", record.excluded),
        ("#", tagged),
    )
    return "".join(sign if on else " " for sign, on in signs)


def preview(record: Record, most: int = PREVIEW_LENGTH) -> str:
    """Return the beginning of what a record says."""
    if record.error or record.fields is None:
        return as_text(record.raw[:most])
    said: list[str] = []
    _collect(record.fields, said, most)
    return "  ".join(said)


def record_detail(
    record: Record, view: RecordView, *, tags: Sequence[str] = (), first: Record | None = None
) -> list[Span]:
    """Return where a record came from, what is wrong with it, and what it holds.

    Args:
        record: which; of one that is very long perhaps only the beginning.
        view: how it is shown.
        tags: that it has.
        first: the record that it repeats.
    """
    words = [w for w, on in (("flagged", record.flagged), ("excluded", record.excluded)) if on]
    spans = [Span(f"{record.source}:{record.line}", "bold")]
    if words:
        spans.append(Span(f"   {', '.join(words)}", "italic"))
    spans.append(Span("\n"))
    if tags:
        spans.append(Span(f"# {', '.join(tags)}\n", "italic"))
    if first is not None:
        spans.append(Span(f"= The same bytes as {first.source}:{first.line}; o goes there.\n", "italic"))
    if record.error:
        spans.append(Span(f"! Unreadable: {record.error}\n", "bold"))
    elif record.problem:
        spans.append(Span(f"? {record.problem}\n", "bold"))
    left = record.length - len(record.raw)
    if left > 0:
        spans.append(Span(f"Too long to be shown in full: {left:,} more characters follow.\n", "italic"))
    if view == "as read" or record.fields is None:
        return [*spans, Span("\n" + as_text(record.raw))]
    if view == "JSON":
        return [*spans, Span("\n" + json.dumps(record.fields, ensure_ascii=False, indent=2))]
    return [*spans, *_field_spans(record.fields)]


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


def _collect(value: Any, said: list[str], room: int) -> int:
    """Gather texts in reading order until there is no room; return the room that is left."""
    if room <= 0 or value is None or value == "":
        return room
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            room = _collect(item, said, room)
        return room
    text = str(value)[:room]
    said.append(text)
    return room - len(text)
