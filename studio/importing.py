"""From a file to records, and to the examples, responses and verdicts that its rows carry."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from store import examples, records
from store.database import Store
from store.records import NewRecord, Source
from studio import containers
from studio.containers import RawRow
from studio.errors import StudioError
from studio.formats.row import Row, RowError
from studio.ingest import Ingest, Made, storable
from studio.project import Project
from studio.reading import PLAIN, Reading, choose

BATCH_ROWS = 500
SAMPLE_ROWS = 200
"""How many rows are looked at to find a file's format."""


@dataclass(frozen=True)
class ImportProgress:
    """How far an import has come."""

    rows: int
    examples: int

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.examples:,} examples"


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    source_id: int
    name: str
    container: str
    format: str
    records: int
    """Rows read, those that can't be parsed too."""
    rejected: int
    """Rows that can't be parsed; they are kept as records with the reason."""
    duplicates: int
    """Rows that repeat an earlier row of the project, byte for byte; they are kept."""
    made: Made
    already: str = ""
    """When the same bytes were imported before; empty for a file that is new."""
    problems: list[str] = field(default_factory=list)
    """FILE:LINE: REASON for each row that means less than it seems to."""
    note: str = ""

    def summary(self) -> str:
        """Return the report in one or two sentences."""
        counts = [f"{_count(self.records, 'row')} as {self.format} ({self.container})", *self.made.described()]
        if self.rejected:
            counts.append(f"{_count(self.rejected, 'row')} kept that can't be read")
        if self.duplicates:
            counts.append(f"{self.duplicates:,} that repeat an earlier row")
        if self.already:
            counts = [f"imported already on {self.already[:10]}", *(self.made.described() or ["nothing was added"])]
        return f"{self.name}: {', '.join(counts)}." + (f" {self.note}" if self.note else "")


def import_file(
    project: Project,
    store: Store,
    path: Path,
    *,
    format: str | None = None,
    mapping: dict[str, str] | None = None,
    on_progress: Callable[[ImportProgress], None] | None = None,
) -> ImportReport:
    """Add a file's rows; all of them are in the project when this returns, or none is.

    A file whose bytes were imported before adds nothing, except that rows which made no
    example then are read again where it is said, or found out, now what they mean.

    Raises:
        StudioError: the file can't be read, or the format or mapping does not fit it.
    """
    container = containers.sniff(path)
    sample = [row.fields for row in islice(containers.read(path, container), SAMPLE_ROWS) if row.fields is not None]
    reading = choose(project, path, sample, format, mapping)
    digest = _sha256(path)
    work = _Import(path, reading, Ingest(store, project.settings.splits, path.name, reading.template), on_progress)
    with store.transaction():
        # Asked under the write lock: another process may be importing the same file.
        previous = records.source_with_hash(store, digest)
        if previous:
            return _again(project, store, path, previous, reading, on_progress)
        source_id = records.add_source(
            store,
            name=storable(path.name),
            path=storable(str(path.resolve())),
            container=container,
            format=reading.name,
            sha256=digest,
            size=path.stat().st_size,
            mapping=reading.mapping,
        )
        work.add_rows(store, source_id, containers.read(path, container))
        if not work.rows:
            raise StudioError(f"{path} holds no rows.", "Nothing was imported.")
        duplicates = records.duplicates(store, source_id)
    return work.report(source_id, container, duplicates=duplicates, note=reading.note)


class _Import:
    """One file on its way in: what was read and made so far."""

    def __init__(
        self,
        path: Path,
        reading: Reading,
        ingest: Ingest,
        on_progress: Callable[[ImportProgress], None] | None,
    ) -> None:
        self.path = path
        self.reading = reading
        self.ingest = ingest
        self.on_progress = on_progress
        self.rows = 0
        self.rejected = 0
        self.problems: list[str] = []

    def add_rows(self, store: Store, source_id: int, rows: Iterator[RawRow]) -> None:
        """Add rows as records, and what they mean."""
        while batch := list(islice(rows, BATCH_ROWS)):
            understood = [self._understand(row.line, row.fields, row.error, row.problem) for row in batch]
            new = [_new_record(row, problem) for row, (_, problem) in zip(batch, understood, strict=True)]
            ids = records.add(store, source_id, new)
            self._make((i, row, r.hash) for i, (row, _), r in zip(ids, understood, new, strict=True))

    def read_again(self, store: Store, source: Source) -> None:
        """Read records that made no example as something, now that it is known what."""
        stored = records.of_source(store, source.id)
        while batch := list(islice(stored, BATCH_ROWS)):
            made = []
            for record in batch:
                # A problem of the row itself stays; why the former reading failed does not.
                kept = record.problem if source.format == PLAIN else None
                row, problem = self._understand(record.line, record.fields, record.error, kept)
                if problem != record.problem:
                    records.set_problem(store, record.id, problem)
                made.append((record.id, row, _hash(record.raw)))
            self._make(made)

    def _understand(
        self, line: int, fields: dict[str, Any] | None, error: str | None, problem: str | None
    ) -> tuple[Row | None, str | None]:
        self.rows += 1
        row: Row | None = None
        if error:
            self.rejected += 1
        elif fields is not None and self.reading.read:
            try:
                row = self.reading.read(fields)
                problem = row.problem or problem
            except RowError as reason:
                problem = str(reason)
        if reason_shown := error or problem:
            self.problems.append(f"{self.path}:{line}: {reason_shown}")
        return row, problem

    def _make(self, rows: Iterable[tuple[int, Row | None, bytes]]) -> None:
        for record_id, row, digest in rows:
            if row:
                self.ingest.add(record_id, row, digest)
        if self.on_progress:
            self.on_progress(ImportProgress(self.rows, self.ingest.made.examples))

    def report(
        self, source_id: int, container: str, *, duplicates: int = 0, already: str = "", note: str = ""
    ) -> ImportReport:
        """Return what was done."""
        return ImportReport(
            source_id,
            self.path.name,
            container,
            self.reading.name,
            self.rows,
            self.rejected,
            duplicates,
            self.ingest.made,
            already,
            self.problems,
            note,
        )


def _again(
    project: Project,
    store: Store,
    path: Path,
    source: Source,
    reading: Reading,
    on_progress: Callable[[ImportProgress], None] | None,
) -> ImportReport:
    """Import bytes that are in the project: only rows that made no example yet can still give something."""
    work = _Import(path, reading, Ingest(store, project.settings.splits, path.name, reading.template), on_progress)
    note = ""
    if not examples.count_of_source(store, source.id):
        note = reading.note
        if reading.read:
            with store.transaction():
                work.read_again(store, source)
                records.set_format(store, source.id, reading.name, reading.mapping)
    elif (reading.name, reading.mapping) != (source.format, source.mapping):
        note = f"Its rows were read as {source.format} then; reading them twice would double them."
    return work.report(source.id, source.container, already=source.imported_at, note=note)


def _new_record(row: RawRow, problem: str | None) -> NewRecord:
    text = "\n".join(_texts(row.fields)) if row.fields is not None else row.raw
    shown = text.decode(errors="replace") if isinstance(text, bytes) else storable(text)
    return NewRecord(row.line, row.raw, row.fields, _hash(row.raw), shown, row.error, problem)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _hash(raw: str | bytes) -> bytes:
    data = raw if isinstance(raw, bytes) else raw.encode()
    return hashlib.blake2b(data, digest_size=16).digest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
