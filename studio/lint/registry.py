"""All checks, by name."""

from studio.errors import StudioError
from studio.lint import records, rows, sets
from studio.lint.check import Check, OfRow

FAILED = Check(
    "failed-check",
    "checks that could not be run",
    "A check stopped with an error on these rows, so it can't be said whether they have what it looks for. All other"
    " checks were run.",
    "warning",
)

CHECKS: tuple[Check, ...] = (
    *(each.check for each in records.CHECKS),
    *(each.check for each in rows.CHECKS),
    *(each.check for each in sets.CHECKS),
    FAILED,
)
"""Everything that is looked for, in the order in which it is explained."""

_BY_NAME = {check.name: check for check in CHECKS}
_OF_ROW = {each.check.name: each for each in rows.CHECKS}


def check_of(name: str) -> Check:
    """Return the check of a name.

    Raises:
        StudioError: there is none.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    from difflib import get_close_matches

    close = get_close_matches(name, _BY_NAME, 1, 0.5)
    raise StudioError(
        f"There is no check {name!r}.", f"Did you mean {close[0]}?" if close else "`studio lint --list` names them all."
    )


def is_known(name: str) -> bool:
    """Tell whether there is a check of this name."""
    return name in _BY_NAME


def with_fix(name: str) -> OfRow:
    """Return a check that has a fix.

    Raises:
        StudioError: there is no such check, or it has none.
    """
    check_of(name)
    if name not in _OF_ROW or _OF_ROW[name].mend is None:
        fixes = ", ".join(each.check.name for each in rows.CHECKS if each.mend)
        raise StudioError(f"{name} has no fix.", f"Exclude its rows, or edit them. Fixes are there for: {fixes}.")
    return _OF_ROW[name]
