"""From a file to records, and to the examples, responses and verdicts that its rows carry."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, cast

from store import bulk, examples, records, repeats, search_index
from store.database import Store
from store.examples import Split
from store.records import NewRecord, Source
from studio import containers
from studio.containers import Layout, RawRow
from studio.errors import StudioError
from studio.formats.row import Row, RowError
from studio.garbage import seldom_collected
from studio.import_report import ImportProgress, ImportReport
from studio.import_side import Digest, IndexFollower
from studio.ingest import Ingest, Understood, storable
from studio.mapping import Mapping
from studio.one_at_a_time import one_at_a_time
from studio.project import Project
from studio.reading import PLAIN, Reading, choose, first_rows, said_of
from studio.retrieval.lookup import Lookup

FIRST_ROWS = 200
"""So few are committed at once, that there is something to look at."""
BATCH_ROWS = 4000
"""Rows of a transaction: others that write wait for a fraction of a second."""
LARGE = 64 << 20
"""Bytes; larger files are brought in without the indexes that slow many rows down."""
PACKED = 5
"""How many times as much a compressed file holds, roughly, as it is large."""
MOST_EXAMPLES_REMEMBERED = 100_000
PROBLEMS_NAMED = 1000
"""How many problems a report names; all of them are kept with their records."""


def _never() -> bool:
    return False


def import_file(
    project: Project,
    store: Store,
    path: Path,
    *,
    format: str | None = None,
    mapping: Mapping | None = None,
    name: str | None = None,
    split: Split | None = None,
    on_progress: Callable[[ImportProgress], None] | None = None,
    cancelled: Callable[[], bool] = _never,
) -> ImportReport:
    """Add a file's rows, batch by batch; what is in stays in when it is stopped, and the same file goes on from there.

    A file whose bytes were imported before adds nothing, except that rows which made no
    example then are read again where it is said, or found out, now what they mean.
    An import that was stopped goes on as it was begun where neither format, mapping nor split is given.
    `name` is what its source is called; the file's own name where none is given.

    Raises:
        StudioError: the file can't be read, the format or mapping does not fit it, or another import is running.
    """
    layout = containers.sniff(path)
    sample = [row.fields for row in first_rows(containers.read(path, layout)) if row.fields is not None]
    stopped = begun(store, path)
    as_begun = stopped is not None and format is None and mapping is None
    said = said_of(stopped) if stopped and as_begun else (format, mapping)
    lookup = Lookup(store, keeps=True)
    reading = choose(project, path, sample, *said, lookup=lookup)
    split = split or cast(Split | None, stopped and stopped.split)
    with ExitStack() as stack:
        stack.enter_context(one_at_a_time(project, "import", f"Another import into {project.folder} is running."))
        stack.enter_context(seldom_collected())
        stack.enter_context(lookup)
        digest = stack.enter_context(Digest(path))
        name = storable(name or path.name)
        ingest = Ingest(store, project.settings.splits, name, reading.template, split=split)
        work = _Import(store, path, name, split, layout, reading, ingest, on_progress, cancelled)
        previous, is_whole = _previous(store, path, digest)
        if previous and is_whole:
            return work.again(previous)
        return work.add_file(previous, digest)


def _previous(store: Store, path: Path, digest: Digest) -> tuple[Source | None, bool]:
    """Return the source that these bytes came in as, wholly or in part, if they did."""
    alike = records.sources_of_size(store, path.stat().st_size)
    for source in alike:
        if source.state == "complete" and source.sha256 == digest.result():
            return source, True
    return begun(store, path), False


def begun(store: Store, path: Path) -> Source | None:
    """Return the source of a file whose import was stopped, if it was."""
    alike = records.sources_of_size(store, path.stat().st_size)
    return next((s for s in alike if s.state == "importing" and s.path == storable(str(path.resolve()))), None)


class _Import:
    """One file on its way in: what was read and made so far."""

    def __init__(
        self,
        store: Store,
        path: Path,
        name: str,
        split: Split | None,
        layout: Layout,
        reading: Reading,
        ingest: Ingest,
        on_progress: Callable[[ImportProgress], None] | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self._store = store
        self._path = path
        self._name = name
        self._split = split
        self._layout = layout
        self._reading = reading
        self._ingest = ingest
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._version = _version_of(path)
        self._size = self._version[0]
        is_packed = layout.compression or layout.container == "parquet"
        self._is_large = self._size * (PACKED if is_packed else 1) >= LARGE
        self._position = 0
        self._read_before = 0
        self._began = time.monotonic()
        self._rows = 0
        self._rejected = 0
        self._problem_count = 0
        self._problems: list[str] = []

    def add_file(self, begun: Source | None, digest: Digest) -> ImportReport:
        """Add the rows, those after the ones that an earlier import of the file brought in."""
        rows = containers.read(self._path, self._layout, self._note_position)
        known_duplicates = 0
        if begun:
            if not self._pass(begun, rows):
                return self._report(begun.id, continued=begun.rows, stopped=True)
            repeats.mark_duplicates(self._store)
            known_duplicates = repeats.duplicates(self._store, begun.id)
            self._began, self._read_before = time.monotonic(), self._position
        source_id = begun.id if begun else None
        if not self._is_large:
            bulk.restore_indexes(self._store)
            source_id, stopped = self._add_batches(source_id, rows)
        else:
            source_id, stopped = self._add_many(source_id, rows)
        if source_id is None:
            raise StudioError(f"{self._path} holds no rows.", "Nothing was imported.")
        repeats.mark_duplicates(self._store)
        if not stopped:
            records.finish_source(self._store, source_id, digest.result())
        if not self._is_large:
            # Last, because all that matters is in by now: an index that can't be written is made good later.
            search_index.catch_up(self._store, stop=self._cancelled, after_batch=self._waiting_for_index)
        duplicates = repeats.duplicates(self._store, source_id) - known_duplicates
        note = " ".join(filter(None, (self._layout.note, self._reading.note, self._changed())))
        return self._report(
            source_id, duplicates=duplicates, continued=begun.rows if begun else 0, stopped=stopped, note=note
        )

    def _changed(self) -> str:
        """Return what to say where the file is no longer what it was when its import began."""
        try:
            is_same = _version_of(self._path) == self._version
        except OSError:
            is_same = False
        return "" if is_same else "The file was changed while it was read: what is in may be part of each version."

    def again(self, source: Source) -> ImportReport:
        """Import bytes that are in the project: only rows that made no example yet can still give something."""
        note, reading, stopped = "", self._reading, False
        was_read = examples.count_of_source(self._store, source.id) > 0
        if not was_read:
            note = reading.note
        if was_read and (reading.name, reading.mapping) != (source.format, source.mapping):
            note = f"Its rows were read as {source.format} then; reading them twice would double them."
        elif reading.read:
            bulk.restore_indexes(self._store)
            stopped = self._read_again(source)
        return self._report(source.id, already=source.imported_at, stopped=stopped, note=note)

    def _add_many(self, source_id: int | None, rows: Iterator[RawRow]) -> tuple[int | None, bool]:
        """Add the rows of a large file, while a process beside this one makes them searchable."""
        few_examples = examples.count(self._store) < MOST_EXAMPLES_REMEMBERED
        if few_examples:
            self._ingest.remember_splits()
        else:
            bulk.restore_indexes(self._store)
        with IndexFollower(self._store) as index:
            with bulk.loading(self._store, without_indexes=few_examples):
                source_id, stopped = self._add_batches(source_id, rows)
            if not stopped:
                index.finish(self._waiting_for_index)
        return source_id, stopped

    def _waiting_for_index(self) -> bool:
        self._say_progress(to_index=search_index.pending(self._store))
        return self._cancelled()

    def _pass(self, begun: Source, rows: Iterator[RawRow]) -> bool:
        """Go past the rows that are in, and make sure that they are the same; tell whether it came to their end.

        Raises:
            StudioError: the file is another one by now, or is to be read in another way.
        """
        if (begun.format, begun.mapping) != (self._reading.name, self._reading.mapping):
            raise StudioError(
                f"{self._path} was begun as {begun.format} and stopped after {begun.rows:,} rows.",
                "Import it again in the same way, so that its rows are all read alike.",
            )
        for number, digest in enumerate(records.hashes_of_source(self._store, begun.id), 1):
            if number % BATCH_ROWS == 0:
                self._say_progress()
                if self._cancelled():
                    return False
            row = next(rows, None)
            if row is None or _hash(row.raw) != digest:
                raise StudioError(
                    f"{self._path} has changed since its import was stopped after {begun.rows:,} rows.",
                    "Copy it under another name and import that.",
                )
        return True

    def _add_batches(self, source_id: int | None, rows: Iterator[RawRow]) -> tuple[int | None, bool]:
        """Add all rows that are left; return the source and whether the import was stopped."""
        size = FIRST_ROWS
        while batch := list(islice(rows, size)):
            new, meant = self._understand_all(batch)
            with self._store.transaction():
                if source_id is None:
                    source_id = self._add_source()
                ids = records.add(self._store, source_id, new)
                self._ingest.add(Understood(ids[at], digest, fields, row) for at, digest, fields, row in meant)
            self._say_progress()
            if self._cancelled():
                return source_id, next(rows, None) is not None
            size = BATCH_ROWS
        return source_id, False

    def _add_source(self) -> int:
        return records.add_source(
            self._store,
            name=self._name,
            path=storable(str(self._path.resolve())),
            container=self._layout.container,
            format=self._reading.name,
            size=self._size,
            mapping=self._reading.mapping,
            encoding=self._layout.encoding,
            compression=self._layout.compression,
            split=self._split,
        )

    def _understand_all(
        self, batch: list[RawRow]
    ) -> tuple[list[NewRecord], list[tuple[int, bytes, dict[str, Any], Row]]]:
        new: list[NewRecord] = []
        meant: list[tuple[int, bytes, dict[str, Any], Row]] = []
        for at, (line, raw, fields, error, known_problem) in enumerate(batch):
            row, problem = self._understand(line, fields, error, known_problem)
            digest = _hash(raw)
            new.append(NewRecord(line, raw, fields, digest, error, problem))
            if row is not None and fields is not None:
                meant.append((at, digest, fields, row))
        return new, meant

    def _read_again(self, source: Source) -> bool:
        """Read records that made no example as something, now that it is known what; tell whether it was stopped."""
        records.set_format(self._store, source.id, self._reading.name, self._reading.mapping)
        stored = records.without_example(self._store, source.id)
        while batch := list(islice(stored, BATCH_ROWS)):
            with self._store.transaction():
                meant = []
                for record in batch:
                    # A problem of the row itself stays; why the former reading failed does not.
                    kept = record.problem if source.format == PLAIN else None
                    row, problem = self._understand(record.line, record.fields, record.error, kept)
                    if problem != record.problem:
                        records.set_problem(self._store, record.id, problem)
                    if row is not None and record.fields is not None:
                        meant.append(Understood(record.id, _hash(record.raw), record.fields, row))
                self._ingest.add(meant)
            self._position = self._size * self._rows // max(source.rows, 1)
            self._say_progress()
            if self._cancelled():
                return next(stored, None) is not None
        return False

    def _understand(
        self, line: int, fields: dict[str, Any] | None, error: str | None, problem: str | None
    ) -> tuple[Row | None, str | None]:
        self._rows += 1
        row: Row | None = None
        if error:
            self._rejected += 1
        elif fields is not None and self._reading.read:
            try:
                row = self._reading.read(fields)
                problem = row.problem or problem
            except RowError as reason:
                problem = str(reason)
        if reason_shown := error or problem:
            self._problem_count += 1
            if self._problem_count <= PROBLEMS_NAMED:
                self._problems.append(f"{self._path}:{line}: {reason_shown}")
        return row, problem

    def _note_position(self, position: int) -> None:
        self._position = position

    def _say_progress(self, *, to_index: int = 0) -> None:
        if self._on_progress:
            seconds = time.monotonic() - self._began
            made = self._ingest.made.examples
            self._on_progress(
                ImportProgress(self._rows, made, self._position, self._size, seconds, to_index, self._read_before)
            )

    def _report(
        self,
        source_id: int,
        *,
        duplicates: int = 0,
        already: str = "",
        continued: int = 0,
        stopped: bool = False,
        note: str = "",
    ) -> ImportReport:
        return ImportReport(
            source_id,
            self._name,
            self._layout.container,
            self._reading.name,
            self._rows,
            self._rejected,
            duplicates,
            self._ingest.made,
            already,
            continued,
            stopped,
            self._problem_count,
            self._problems,
            note,
        )


def _version_of(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _hash(raw: str | bytes) -> bytes:
    data = raw if isinstance(raw, bytes) else raw.encode()
    return hashlib.blake2b(data, digest_size=16).digest()
