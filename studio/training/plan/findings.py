"""What stands in a run's way or spoils what it learns: what the checks of the data found, and what the rows tell."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from store import findings
from store.database import Store
from studio.errors import StudioError
from studio.lint.report import CheckFindings, read_report
from studio.snapshots import Built
from studio.training.plan.facts import Finding, Level, Rows
from studio.training.plan.lengths import hint_too_long, too_long
from studio.training.plan.room import Room
from studio.training.recipe import Recipe

SPOILT = 0.1
"""Errors in more than this share of the rows make the run worthless, or what is measured of it."""


def of_rows(recipe: Recipe, rows: Rows) -> list[Finding]:
    """Return what the rows as tokens tell."""
    found = []
    if rows.train and not rows.kept:
        found.append(Finding("blocks", "No row can be trained on.", hint_too_long(recipe), rows=rows.train))
    if lost := too_long(recipe, rows):
        found.append(lost)
    if rows.not_rendered:
        sentence = f"{rows.not_rendered:,} rows can't be rendered with this chat template and are left out."
        found.append(Finding("warns", sentence, "See them in Examples (2).", rows=rows.not_rendered))
    if rows.kept and recipe.gradient_accumulation * recipe.batch_size > rows.kept and recipe.method != "grpo":
        together = recipe.gradient_accumulation * recipe.batch_size
        sentence = f"One step takes {together} rows, and there are {rows.kept}."
        found.append(Finding("warns", sentence, "Lower batch_size or gradient_accumulation."))
    return found


def of_room(room: Room, runs: Path) -> list[Finding]:
    """Return what the disk tells on which the run's folder would be."""
    lacking = room.lacks(shutil.disk_usage(runs if runs.exists() else runs.parent).free)
    hint = "Free some, or set keep_checkpoints=1." if room.can_be_less else "Free some."
    return [Finding("blocks", lacking, hint)] if lacking else []


def of_checks(store: Store, built: Built) -> list[Finding]:
    """Return what the checks found the last time in examples that the run uses."""
    report = read_report(store)
    if report is None:
        return [Finding("warns", "The checks were never run on this data.", "Run them: studio lint.")]
    used = {item.example_id for item, _ in built.rows}
    found = [finding for each in report.findings if (finding := _of_check(store, each, used))]
    if report.outdated:
        sentence = f"{report.outdated:,} examples were changed or added since the checks were run."
        found.append(Finding("warns", sentence, "Run them again: studio lint.", rows=report.outdated))
    return found


def refuse_spoilt(store: Store, built: Built) -> None:
    """Raise a StudioError where errors that the checks found make a run worthless, or what is measured of it."""
    found = next((each for each in of_checks(store, built) if each.level == "blocks"), None)
    if found:
        raise StudioError(
            f"The checks found errors in what would be learnt: {found.sentence}",
            f"{found.hint} Or start it all the same: --despite-findings; in the app, from the plan (f5).",
        )


def blocking_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order in which a person has to look at them."""
    return tuple(sorted(found, key=lambda each: (each.level != "blocks", -each.rows)))


def _of_check(store: Store, found: CheckFindings, used: set[int]) -> Finding | None:
    check = found.check
    if check.level == "info" or check.kind != "example" or not found.kept:
        return None
    rows = sum(row in used for page in findings.rows_of(store, check.kind, check.name) for row in page)
    if not rows:
        return None
    level: Level = "blocks" if check.level == "error" and rows > SPOILT * len(used) else "warns"
    sentence = f"{rows:,} of {len(used):,} examples: {check.title}."
    return Finding(level, sentence, f"See them: studio lint --check {check.name}.", check.name, rows)
