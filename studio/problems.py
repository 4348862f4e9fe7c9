"""Rows that can't be read, or mean less than they seem to: listed with their place and reason, and written out."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from store import records
from store.database import Store
from studio.atomic import replacing
from studio.errors import StudioError


@dataclass(frozen=True)
class Problem:
    """One such row."""

    record_id: int
    file: str
    line: int
    reason: str
    unreadable: bool
    """Whether the row could not be read at all."""
    raw: str | bytes
    """The row's own text; bytes where it is no valid text."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


def problems(store: Store) -> Iterator[Problem]:
    """Yield them in the order in which they were read."""
    for record in records.with_problems(store):
        reason = record.error or record.problem or ""
        yield Problem(record.id, record.source, record.line, reason, record.error is not None, record.raw)


def write_problems(store: Store, out: Path) -> int:
    """Write them as JSON Lines: file, line, reason and the row's own text; return how many there are.

    Raises:
        StudioError: there are none, or the file is there already or can't be written.
    """
    if out.exists():
        raise StudioError(f"{out} is there already.", "Name another file, or move that one away.")
    count = 0
    with replacing(out.parent) as new:
        file = new(out)
        for problem in problems(store):
            file.write(orjson.dumps(as_fields(problem)) + b"\n")
            count += 1
        if not count:
            raise StudioError("No row has a problem.", "Nothing was written.")
    return count


def as_fields(problem: Problem) -> dict[str, str | int]:
    """Return a problem as an object of JSON: file, line, reason and raw, or raw_base64 where the row is no text."""
    said: dict[str, str | int] = {"file": problem.file, "line": problem.line, "reason": problem.reason}
    if isinstance(problem.raw, bytes):
        return {**said, "raw_base64": b64encode(problem.raw).decode()}
    return {**said, "raw": problem.raw}
