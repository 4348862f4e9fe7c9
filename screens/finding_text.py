"""What findings look like: a line in the list, the detail beside it, and lines over the row that has them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from screens.widgets.table import Row
from screens.widgets.text_view import Span

if TYPE_CHECKING:
    from studio.lint.acting import Done
    from studio.lint.report import CheckFindings, LintReport, Sample

LEVELS = {"error": "Error", "warning": "Warning", "info": "Info"}
MOST_OF_A_ROW = 8
"""Findings of one row that are shown over it."""

Places = Mapping["Sample", str]


def finding_row(found: "CheckFindings") -> Row:
    """Return a finding's line for the list."""
    check = found.check
    rows = f"{found.kept:,}/{found.rows:,}" if found.rows else "-"
    return Row((LEVELS[check.level], check.name, rows, check.title), dim=bool(found.rows) and not found.kept)


def report_words(report: "LintReport | None") -> str:
    """Return what the report is of, and whether it still holds."""
    if report is None:
        return "Findings: the checks were not run yet; r runs them"
    words = f"{counted(len(report.findings), 'finding')} in {counted(report.examples, 'example')}"
    if report.outdated:
        return f"{words}; {report.outdated:,} changed since: r runs it again"
    return f"{words} and {counted(report.records, 'record')}"


def counted(number: int, what: str) -> str:
    """Return how many there are of something."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def keys_words(found: "CheckFindings | None", done: "Done | None") -> str:
    """Return what the keys do with a finding."""
    parts = ["r: run", "esc: leave"]
    if found is not None and found.check.fix:
        parts = ["f: fix", "U: unfix", *parts]
    if found is not None and (found.rows or done):
        parts = ["enter: rows", "x: exclude", "R: let in", *parts]
    return "  ".join(parts)


def finding_detail(found: "CheckFindings", places: Places, done: "Done | None" = None) -> list[Span]:
    """Return what a finding means, what can be done about it, and some rows that have it."""
    check = found.check
    spans = [Span(f"{check.title}\n", "bold"), Span(f"{LEVELS[check.level]}: {check.name}", "italic")]
    if found.rows:
        spans.append(Span(f", {counted(found.rows, check.kind)}, {found.kept:,} in use", "italic"))
    if done is not None:
        spans.append(Span(f"\n{_done_words(done)}", "italic"))
    spans.append(Span(f"\n\n{check.why}\n"))
    if found.note:
        spans.append(Span(f"\n{found.note}\n", "bold"))
    if check.fix:
        spans.append(Span(f"\nf: {check.fix} (U takes it back)\n"))
    for sample in found.samples:
        spans += [Span(f"\n{places.get(sample) or f'{sample.kind} {sample.row_id}'}\n", "underline")]
        spans.append(Span(f"{sample.detail}\n"))
    if found.rows > len(found.samples) > 0:
        spans.append(Span(f"\nand {found.rows - len(found.samples):,} more; enter shows them all\n", "italic"))
    return spans


def _done_words(done: "Done") -> str:
    excluded = f"{done.excluded:,} were excluded because of it: R lets them in" if done.excluded else ""
    mended = f"{done.mended:,} were mended: U takes it back where nobody edited since" if done.mended else ""
    return "; ".join(filter(None, (excluded, mended)))


def finding_lines(found: Sequence[tuple[str, str]]) -> list[Span]:
    """Return what was found in one row, a line each."""
    lines = [f"finding {name}: {detail}".removesuffix(": ") for name, detail in found[:MOST_OF_A_ROW]]
    if len(found) > MOST_OF_A_ROW:
        lines.append(f"and {len(found) - MOST_OF_A_ROW:,} findings more")
    return [Span(f"{line.replace(chr(10), ' ')}\n", "italic") for line in lines]
