"""The report in words: a table of types, what each costs, what fell back, and which to take."""

from collections.abc import Sequence

from studio.inference.quantising.report import Report, Test
from studio.inference.quantising.types import FULL
from studio.inference.quantising.verdict import judge, recommend, sentence, short
from studio.sizes import size_in_words

TITLES = ("type", "size", "speed", "perplexity", "mean KL", "worst KL", "same top", "checks", "verdict")

NOTHING = "Nothing was quantised yet: studio quantize {ref} --type all, or --type Q4_K_M."


def lines(ref: str, reports: Sequence[Report]) -> list[str]:
    """Return all that is known, for a terminal."""
    if not reports:
        return [NOTHING.format(ref=ref)]
    rows = _without_empty([_narrow(report) for report in (before(reports), *reports) if report])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True)).rstrip() for each in rows]
    told = [sentence(report) for report in reports if judge(report).level in ("worse", "broken")]
    fallbacks = [line for report in reports for line in fallback_lines(report)]
    recommended = f"Recommended: {recommend(reports).why}"
    parts = [table, [measured_on(reports), *measured_otherwise(ref, reports)], told, fallbacks, [recommended]]
    return [line for part in parts if part and part[0] for line in (*part, "")][:-1]


def _narrow(report: Report) -> dict[str, str]:
    """Return the figures for which 80 columns are enough; of a speed what does not hang on the machine's mood."""
    cells = dict(zip(TITLES, row(report), strict=True))
    del cells["worst KL"]
    rate, _, ratio = cells["speed"].partition(" ")
    return {**cells, "speed": rate if report.type == FULL else ratio}


def _without_empty(rows: Sequence[dict[str, str]]) -> list[list[str]]:
    titles = [title for title in rows[0] if any(each[title] for each in rows)]
    return [titles, *([each[title] for title in titles] for each in rows)]


def row(report: Report) -> tuple[str, ...]:
    """Return a type's figures, in the order of `TITLES`."""
    test, size = report.test, size_in_words(report.bytes)
    verdict = judge(report).word
    if test is None:
        return (report.type, size, "", "", "", "", "", "", verdict)
    return (
        report.type,
        size,
        speed(test),
        short(test.perplexity),
        f"{test.mean_kl:.4f}",
        f"{test.worst_kl:.2f}",
        f"{100 * test.same_top:.1f} %",
        passed(test),
        verdict,
    )


def before(reports: Sequence[Report]) -> Report | None:
    """Return a row for the model in 16-bit floats, as it was in the latest test."""
    test = next((report.test for report in reports if report.test), None)
    if test is None:
        return None
    first = next(report for report in reports if report.test is test)
    unchanged = Test(
        key=test.key,
        texts=test.texts,
        tokens=test.tokens,
        skipped=test.skipped,
        own_answers=test.own_answers,
        perplexity=test.perplexity_before,
        perplexity_before=test.perplexity_before,
        mean_kl=0.0,
        worst_kl=0.0,
        same_top=1.0,
        speed=test.speed_before,
        speed_before=test.speed_before,
        speed_ratio=1.0,
    )
    return Report(FULL, first.made_from, first.bytes_before, first.bytes_before, 16.0, test=unchanged)


def speed(test: Test) -> str:
    """Return how fast it is, and how many times as fast as in 16-bit floats."""
    return f"{test.speed:.0f}/s {test.speed_ratio:.2f}x" if test.speed else ""


def passed(test: Test) -> str:
    """Return how the share of prompts changed whose answers pass every check, with its interval."""
    if not test.checks:
        return ""
    last = test.checks[-1]
    return f"{100 * last.change:+.0f} [{100 * last.low:+.0f}, {100 * last.high:+.0f}]"


def measured_on(reports: Sequence[Report]) -> str:
    """Say what the figures rest on."""
    test = next((report.test for report in reports if report.test), None)
    if test is None:
        return ""
    whose = "the unquantised model's own answers" if test.own_answers else "the answers"
    said = f"Measured on {test.tokens:,} tokens of {whose} of {test.texts:,} held-out texts"
    said += (
        f"; {test.skipped:,} left out, which the context can't hold or the template refuses." if test.skipped else "."
    )
    if test.checks:
        return f"{said} Checks: points by which the share of prompts changed that pass, with the 95 % interval."
    return f"{said} There were no [[checks]], so no pass rate is known."


def measured_otherwise(ref: str, reports: Sequence[Report]) -> list[str]:
    """Say which types were measured on other texts or checks than the first: their figures are no fair comparison."""
    tested = [report for report in reports if report.test is not None]
    others = [
        report.type for report in tested if report.test and tested[0].test and report.test.key != tested[0].test.key
    ]
    if not others:
        return []
    named = ", ".join(others)
    again = " ".join(f"--type {report.type}" for report in tested)
    return [f"{named}: measured on other texts or checks; to have all alike: studio quantize {ref} {again}."]


def fallback_lines(report: Report) -> list[str]:
    """Say which tensors could not have the type that was asked for."""
    return [f"{report.type}: {fallback}." for fallback in report.fallbacks]


def check_lines(test: Test) -> list[str]:
    """Say how each check changed."""
    return [
        f"{check.name}: {check.passed:,} of {check.of:,} pass, {check.passed_before:,} before"
        f" ({100 * check.change:+.0f} points, 95 % between {100 * check.low:+.0f} and {100 * check.high:+.0f};"
        f" p {check.p:.2g})"
        for check in test.checks
    ]
