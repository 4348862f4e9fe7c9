"""A process that looks at examples: `python -m studio.lint.worker PROJECT`, told what by lines on its standard input.

It reads the store and keeps what it finds by itself; nothing but how many it has looked at goes back. When its
standard input ends, because the one who asked is gone, so does it.
"""

import gc
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path

from store import findings, findings_writing, noted_blocks
from store.database import Store
from store.derived_file import is_damaged
from store.findings_writing import MOST_DETAILS, Looked
from studio.garbage import seldom_collected
from studio.lint import cache, records, rows, sets
from studio.lint.check import Check, Context, Found, OfRow, Subject
from studio.lint.features import features
from studio.lint.noted import Noted
from studio.lint.registry import FAILED
from studio.lint.subjects import subjects
from studio.lint.team import DAMAGED
from studio.project import Project, open_project

MOST_NOTES = 8
"""Things about the whole that one check may say."""

NICE = 5
"""The screen, or whatever else a person does, comes first."""


class Worker:
    """Looks at the examples of one project."""

    def __init__(self, project: Project, store: Store, file: sqlite3.Connection) -> None:
        self._project = project
        self._store = store
        self._file = file
        self._off = frozenset(project.settings.lint["off"])
        self._row_checks = [each for each in rows.CHECKS if each.check.name not in self._off]
        self._names = [*(each.check.name for each in rows.CHECKS), FAILED.name]

    def prepare(self) -> None:
        """Read what every check is told, in the time until somebody asks."""
        _ = self._context

    @cached_property
    def _context(self) -> Context:
        return cache.context(self._project, with_tokenizer=True)

    def look(self, example_ids: list[int]) -> None:
        """Look at examples, one by one."""
        looked = [self._looked(subject, state) for subject, state in subjects(self._store, example_ids)]
        findings_writing.keep(self._file, looked, self._names)

    def _looked(self, subject: Subject, state: str) -> Looked:
        found: list[tuple[str, str]] = []
        for check in self._row_checks:
            found += found_by(check, subject, self._context)
        try:
            noted = features(subject, self._context)
            noted[-1] = len({name for name, _ in found})
            return Looked(subject.id, state, noted, found)
        except Exception as error:
            found.append((FAILED.name, f"checks of all examples together: {_said(error)}"))
            return Looked(subject.id, state, None, found)

    def look_at_all(self) -> None:
        """Run the checks of all examples together, and those that the store answers."""
        # Millions of small objects without a cycle, and nothing comes after them in this process.
        gc.disable()
        failed = self._look_at_noted()
        for of_store in records.CHECKS:
            self._replace(of_store.check, partial(of_store.look, self._store), failed)
        self._file.execute("UPDATE checked SET note = ? WHERE name = ?", ("; ".join(failed), FAILED.name))

    def _look_at_noted(self) -> list[str]:
        """Run the checks of all examples together, unless all that they look at is as it was; return what failed."""
        told = cache.context(self._project, with_tokenizer=False)
        unused = findings.unused(self._store)
        told_before = {
            each.check.name: each.told_of(self._store)
            for each in sets.CHECKS
            if each.told_of and each.told_by not in self._off
        }
        outside = [findings.left_out(self._store), *map(sorted, (unused, *told_before.values()))]
        seen = cache.sum_of(outside, told)
        if seen == findings_writing.sum_of_noted(self._file):
            return []
        findings_writing.set_sum_of_noted(self._file, "")
        failed: list[str] = []
        noted = Noted(noted_blocks.read(self._store, unused))
        for of_set in sets.CHECKS:
            look, known = partial(of_set.look, noted, told), told_before.get(of_set.check.name, frozenset())
            self._replace(of_set.check, look, failed, only_in_use=True, known=known)
        if not failed:
            findings_writing.set_sum_of_noted(self._file, seen)
        return failed

    def _replace(
        self,
        check: Check,
        look: Callable[[], Iterator[Found]],
        failed: list[str],
        *,
        only_in_use: bool = False,
        known: frozenset[int] = frozenset(),
    ) -> None:
        name = check.name
        if name in self._off:
            return
        try:
            found = list(look())
        except Exception as error:
            failed.append(f"{name}: {_said(error)}")
            return
        of_rows = [(each.row_id, each.detail) for each in found if each.row_id is not None and each.row_id not in known]
        if only_in_use:
            # Those that were excluded for this are not looked at any more; what was found in them still stands.
            here = {row_id for row_id, _ in of_rows}
            of_rows += [row for row in findings.left_out_for(self._store, name).items() if row[0] not in here]
        notes = [each.detail for each in found if each.row_id is None]
        if len(notes) > MOST_NOTES:
            notes[MOST_NOTES:] = [f"And {len(notes) - MOST_NOTES:,} more like these."]
        findings_writing.replace(self._file, check.kind, name, of_rows, "\n".join(notes))


def found_by(check: OfRow, subject: Subject, context: Context) -> Iterator[tuple[str, str]]:
    """Yield what a check finds in an example; where it fails, that."""
    try:
        for number, detail in enumerate(check.look(subject, context), 1):
            yield check.check.name, detail
            if number == MOST_DETAILS:
                return
    except Exception as error:
        yield FAILED.name, f"{check.check.name}: {_said(error)}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def main(folder: Path) -> None:
    """Do what the lines on standard input say until they end."""
    with suppress(OSError):
        os.nice(NICE)
    project = open_project(folder)
    with seldom_collected(), project.open_store() as store, findings_writing.writing(store) as file:
        try:
            _follow(Worker(project, store, file))
        except sqlite3.DatabaseError as error:
            if is_damaged(error):
                sys.exit(DAMAGED)
            raise


def _follow(worker: Worker) -> None:
    worker.prepare()
    for line in sys.stdin:
        example_ids: list[int] = json.loads(line)
        if example_ids:
            worker.look(example_ids)
        else:
            worker.look_at_all()
        sys.stdout.write(f"{len(example_ids)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
