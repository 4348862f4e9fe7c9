"""Running all checks: examples that changed are looked at by processes of their own, the rest is kept from before."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store import examples, findings, findings_writing, records
from store.database import Store
from store.derived_file import is_damaged
from store.findings_file import FINDINGS
from studio.lint.team import Damaged, Team, processors
from studio.one_at_a_time import one_at_a_time
from studio.project import Project

if TYPE_CHECKING:
    from studio.lint.report import LintReport


class Cancelled(Exception):
    """The run was stopped; what was looked at is kept, and the next run goes on from there."""


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
) -> "LintReport":
    """Run all checks on all examples that were not looked at as they are now; return what is found in all.

    Raises:
        Cancelled: it was stopped.
        StudioError: it is running already, a setting is wrong, or a process broke down.
    """
    say = on_progress or (lambda _: None)
    with one_at_a_time(project, "lint", f"The checks are being run on {project.folder} already."):
        try:
            _run(project, store, say, cancelled, workers)
        except (Damaged, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not is_damaged(error):
                raise
            FINDINGS.make_anew(store.path, store.connection)
            _run(project, store, say, cancelled, workers)
    from studio.lint.report import read_report

    report = read_report(store)
    assert report is not None
    return report


def _run(project: Project, store: Store, say: OnProgress, cancelled: Callable[[], bool], workers: int | None) -> None:
    FINDINGS.renew(store.path, store.connection)
    # The first process is on its way while this one reads the checks and finds out what changed.
    with Team(project, workers or processors()) as team, findings_writing.writing(store) as file:
        _begin(project, store, file)
        mark, counts = findings.mark(store), (examples.count(store), records.count(store))
        todo, began = findings.changed(store), time.monotonic()
        for done in team.look(todo):
            say(LintProgress(done, len(todo), time.monotonic() - began))
            _go_on(cancelled)
        for _ in team.look_at_all():
            _go_on(cancelled)
        findings_writing.finish(file, mark, *counts)


def _begin(project: Project, store: Store, file: sqlite3.Connection) -> None:
    from studio.lint import cache, registry

    findings_writing.begin(file, cache.basis(project), examples.next_id(store) - 1)
    off = project.settings.lint["off"]
    findings_writing.declare(file, ((c.name, c.kind) for c in registry.CHECKS if c.name not in off))


def _go_on(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled
