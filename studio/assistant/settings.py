"""What `[assistant]` in studio.toml may say."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from studio.checks import settings as check_settings
from studio.checks.settings import Check
from studio.errors import StudioError


@dataclass(frozen=True)
class AssistantTest:
    """Something that the assistant is asked, and what its answer must be like."""

    prompt: str
    refuses: bool | None = None
    """Whether the answer must refuse, or must not; None where either will do."""
    checks: tuple[Check, ...] = ()
    name: str = ""
    """What it is called in the table; the prompt where it has no name."""


@dataclass(frozen=True)
class AssistantSettings:
    """What the assistant is for."""

    name: str = ""
    purpose: str = ""
    refuses: tuple[str, ...] = ()
    """What it is asked and must not do."""
    refusal: str = ""
    """The sentence that it refuses with."""
    tone: str = ""
    system: str = ""
    """The system prompt; empty: it is made of the others."""
    tests: tuple[AssistantTest, ...] = ()


def read(table: Any, where: str, project_checks: tuple[Check, ...] = ()) -> AssistantSettings:
    """Return the settings of a table.

    Args:
        table: what the file has under `assistant`.
        where: the file, for errors.
        project_checks: the project's own checks, which a test may name.

    Raises:
        StudioError: a setting is not known, or says what none can say.
    """
    said = _table(table, f"{where}: assistant")
    here = f"{where}: [assistant]"
    _check_names(said, {field.name for field in fields(AssistantSettings)}, here)
    values: dict[str, Any] = {name: _text(said, name, here) for name in _TEXTS if name in said}
    refuses = said.get("refuses", [])
    if not isinstance(refuses, list) or not all(isinstance(one, str) and one.strip() for one in refuses):
        raise StudioError(f"{here}: refuses must be a list of texts.", 'For one: refuses = ["medical advice"].')
    tests = said.get("tests", [])
    if not isinstance(tests, list):
        raise StudioError(f"{here}: tests must be a list of tables.", "Begin each with [[assistant.tests]].")
    return AssistantSettings(
        **values,
        refuses=tuple(one.strip() for one in refuses),
        tests=tuple(_test(test, f"{here}, test {n}", project_checks) for n, test in enumerate(tests, 1)),
    )


_TEXTS = ("name", "purpose", "refusal", "tone", "system")


def _test(table: Any, here: str, project_checks: tuple[Check, ...]) -> AssistantTest:
    said = _table(table, here)
    _check_names(said, {field.name for field in fields(AssistantTest)}, here)
    prompt = _text(said, "prompt", here)
    refuses = said.get("refuses")
    if not prompt:
        raise StudioError(f"{here} has no prompt.", 'Say what is asked: prompt = "..."')
    if refuses is not None and not isinstance(refuses, bool):
        raise StudioError(f"{here}: refuses must be true or false, not {refuses!r}.")
    checks = _checks(said.get("checks", []), here, project_checks)
    if refuses is None and not checks:
        raise StudioError(f"{here} asks nothing of the answer.", "Give it refuses = true, or checks.")
    return AssistantTest(prompt, refuses, checks, _text(said, "name", here))


def _checks(given: Any, here: str, project_checks: tuple[Check, ...]) -> tuple[Check, ...]:
    if not isinstance(given, list):
        raise StudioError(f"{here}: checks must be a list.", 'It has names of [[checks]], or { contains = "..." }.')
    found: list[Check] = []
    for number, one in enumerate(given, 1):
        if isinstance(one, str):
            found += check_settings.chosen(project_checks, one)
        else:
            found.append(_own_check(one, number, here))
    for check in found:
        if check.field:
            raise StudioError(
                f"{here}: the check '{check.name}' needs a record, which a test has not.", "Name another check."
            )
    return tuple(found)


def _own_check(table: Any, number: int, here: str) -> Check:
    """Read `{ contains = "refund" }`, or all that a check of the project can say."""
    said = _table(table, f"{here}: check {number}")
    if len(said) == 1:
        kind, value = next(iter(said.items()))
        said = {"kind": kind, "value": value if kind != "json" else ""}
    (check,) = check_settings.read([{"name": f"check-{number}", **said}], here)
    return replace(check, name=f"{check.kind} {check.value}".strip()) if "name" not in said else check


def _table(table: Any, here: str) -> Mapping[str, Any]:
    if not isinstance(table, dict):
        raise StudioError(f"{here} must be a table, not {table!r}.")
    return table


def _check_names(said: Mapping[str, Any], known: set[str], here: str) -> None:
    for name in said:
        if name not in known:
            raise StudioError(f"{here} has no setting {name!r}.", f"It knows {', '.join(sorted(known))}.")


def _text(said: Mapping[str, Any], name: str, here: str) -> str:
    value = said.get(name, "")
    if not isinstance(value, str):
        raise StudioError(f"{here}: {name} must be a text, not {value!r}.")
    return value.strip()
