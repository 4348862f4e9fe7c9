"""Running all checks: examples that changed are looked at by processes of their own, the rest is kept from before."""

import json
import os
import selectors
import sqlite3
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile

from store import examples, findings, findings_writing, records
from store.database import Store
from store.derived_file import is_damaged
from store.findings_file import FINDINGS
from studio.errors import StudioError
from studio.lint import cache, registry
from studio.lint.report import LintReport, read_report
from studio.lint.worker import DAMAGED
from studio.one_at_a_time import one_at_a_time
from studio.project import Project

CHUNK = 200
"""Examples that a process is given at a time; what it found in them is kept when it has looked at all of them."""

POLL_SECONDS = 0.1
MOST_WORKERS = 8


class Cancelled(Exception):
    """The run was stopped; what was looked at is kept, and the next run goes on from there."""


class _Damaged(Exception):
    """The file of findings is no use any more."""


@dataclass(frozen=True)
class LintProgress:
    """How far a run has come."""

    done: int
    total: int
    """Examples that are to be looked at."""
    seconds: float

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1."""
        return self.done / self.total if self.total else 1.0

    @property
    def eta_seconds(self) -> float | None:
        """How long it will still take, about; None while nothing is done."""
        return self.seconds * (self.total - self.done) / self.done if self.done else None

    def __str__(self) -> str:
        if self.done == self.total:
            return "Looking at all examples together"
        eta = f", about {self.eta_seconds:,.0f} s left" if self.eta_seconds is not None else ""
        return f"Looking at examples: {self.done:,} of {self.total:,}{eta}"


OnProgress = Callable[[LintProgress], None]


def _never() -> bool:
    return False


def lint(
    project: Project,
    store: Store,
    *,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] = _never,
    workers: int | None = None,
) -> LintReport:
    """Run all checks on all examples that were not looked at as they are now; return what is found in all.

    Raises:
        Cancelled: it was stopped.
        StudioError: it is running already, a setting is wrong, or a process broke down.
    """
    say = on_progress or (lambda _: None)
    with one_at_a_time(project, "lint", f"The checks are being run on {project.folder} already."):
        try:
            _run(project, store, say, cancelled, workers)
        except (_Damaged, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not is_damaged(error):
                raise
            FINDINGS.make_anew(store.path, store.connection)
            _run(project, store, say, cancelled, workers)
    report = read_report(store)
    assert report is not None
    return report


def _run(project: Project, store: Store, say: OnProgress, cancelled: Callable[[], bool], workers: int | None) -> None:
    basis = cache.basis(project)
    FINDINGS.renew(store.path, store.connection)
    off = project.settings.lint["off"]
    with findings_writing.writing(store) as file:
        findings_writing.begin(file, basis, examples.next_id(store) - 1)
        findings_writing.declare(file, ((c.name, c.kind) for c in registry.CHECKS if c.name not in off))
        mark, counts = findings.mark(store), (examples.count(store), records.count(store))
        # The first process is on its way while this one finds out what changed.
        with _Workers(project, workers or _processors()) as team:
            todo = findings.changed(store)
            team.look(todo, say, cancelled)
            team.look_at_all(cancelled)
        findings_writing.finish(file, mark, *counts)


def _processors() -> int:
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_WORKERS)


class _Workers:
    """Processes that look at examples; they end with this block."""

    def __init__(self, project: Project, most: int) -> None:
        self._project = project
        self._most = most
        self._all: list[_Worker] = []
        self._answers = selectors.DefaultSelector()

    def __enter__(self) -> "_Workers":
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def look(self, todo: "array[int]", say: OnProgress, cancelled: Callable[[], bool]) -> None:
        """Have all of these examples looked at."""
        began, done, total = time.monotonic(), 0, len(todo)
        chunks = (todo[start : start + CHUNK].tolist() for start in range(0, total, CHUNK))
        say(LintProgress(0, total, 0.0))
        while len(self._all) < min(self._most, -(-total // CHUNK)):
            self._start()
        for worker in self._all:
            worker.ask(next(chunks, None))
        while done < total:
            for worker in self._answered(cancelled):
                done += worker.answer()
                worker.ask(next(chunks, None))
            say(LintProgress(done, total, time.monotonic() - began))

    def look_at_all(self, cancelled: Callable[[], bool]) -> None:
        """Have the checks of all examples together run."""
        worker = self._all[0]
        worker.ask([])
        while worker not in list(self._answered(cancelled)):
            pass
        worker.answer()

    def _answered(self, cancelled: Callable[[], bool]) -> Iterator["_Worker"]:
        if cancelled():
            raise Cancelled
        return (key.data for key, _ in self._answers.select(POLL_SECONDS))

    def _start(self) -> None:
        self._all.append(worker := _Worker(self._project))
        self._answers.register(worker.answers, selectors.EVENT_READ, worker)

    def _end(self) -> None:
        for worker in self._all:
            worker.end()
        self._answers.close()


class _Worker:
    """One such process."""

    def __init__(self, project: Project) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        # -P: nothing of the folder that one happens to be in, a json.py say, stands in for a module.
        command = [sys.executable, "-P", "-m", "studio.lint.worker", str(project.folder.absolute())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True
        )
        assert self._process.stdout is not None
        self.answers = self._process.stdout

    def ask(self, example_ids: list[int] | None) -> None:
        """Give it examples to look at; an empty list stands for all of them together, None for nothing."""
        if example_ids is None:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(example_ids).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def answer(self) -> int:
        """Return how many examples it has looked at since the last answer."""
        line = self.answers.readline()
        if not line:
            raise self._failure()
        return int(line)

    def end(self) -> None:
        """End it, whatever it is doing: what it has kept is whole."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            if file is not None:
                file.close()

    def _failure(self) -> Exception:
        status = self._process.wait()
        if status == DAMAGED:
            return _Damaged()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"status {status}"
        return StudioError(
            f"A process that runs the checks broke down: {reason}.", "What it had found is kept; run it again."
        )
