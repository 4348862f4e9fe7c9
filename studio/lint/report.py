"""What was found, for a screen or on paper."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from store import findings
from store.database import Store
from store.findings import Summary
from studio.lint.check import Check, Kind
from studio.lint.records import SEARCHED
from studio.lint.registry import check_of, is_known

SAMPLES = 5
"""Rows of a finding that stand in a report."""

_LEVELS = ("error", "warning", "info")


class Sample(NamedTuple):
    """A row that a check found, and what it found in it."""

    kind: Kind
    row_id: int
    detail: str


@dataclass(frozen=True)
class CheckFindings:
    """What one check found."""

    check: Check
    rows: int
    kept: int
    """Those of the rows that are not excluded yet."""
    note: str
    """What was found about the whole; empty where nothing was."""
    samples: list[Sample]

    @property
    def is_unsearched(self) -> bool:
        """Whether nothing was found because what looks for it, and is started by itself, was never run."""
        return self.check.name in SEARCHED and not self.rows


@dataclass(frozen=True)
class LintReport:
    """What all checks found, the worst first."""

    examples: int
    records: int
    outdated: int
    """Examples that were changed or added since."""
    findings: list[CheckFindings]


def read_report(store: Store) -> LintReport | None:
    """Return what was found by the last run; None where there was none. Nothing is run."""
    run = findings.last_run(store)
    if run is None:
        return None
    known = [each for each in findings.summaries(store) if is_known(each.name)]
    found = [_findings(store, each) for each in known]
    found.sort(key=lambda each: (_LEVELS.index(each.check.level), -each.rows, each.check.name))
    return LintReport(run.examples, run.records, findings.outdated(store), found)


def _findings(store: Store, summary: Summary) -> CheckFindings:
    check = check_of(summary.name)
    if summary.name in SEARCHED and not summary.rows:
        # Its note says only that nobody searched yet, which is no error.
        check = replace(check, level="info")
    samples = [Sample(check.kind, *row) for row in findings.samples(store, check.kind, check.name, SAMPLES)]
    return CheckFindings(check, summary.rows, summary.kept, summary.note, samples)
