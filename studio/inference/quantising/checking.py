"""The project's checks on the answers before and after quantising, prompt by prompt."""

from collections.abc import Mapping, Sequence

from studio.checks.run import score
from studio.checks.settings import Check
from studio.inference.quantising.held_out import Question
from studio.inference.quantising.report import CheckChange
from studio.statistics.agreement import mcnemar_p
from studio.statistics.paired import paired_change

ALL = "all checks"
"""The name of what passes each of them, where there are several."""

Answered = Mapping[int, tuple[str, str]]
"""The answers before and after, by example."""


def changes(checks: Sequence[Check], questions: Sequence[Question], answered: Answered) -> tuple[CheckChange, ...]:
    """Return how the share that passes changed, of each check and of all together."""
    asked = [question for question in questions if question.example in answered]
    if not asked or not checks:
        return ()
    by_check = {check.name: [_passed(check, question, answered) for question in asked] for check in checks}
    if len(checks) > 1:
        together = zip(*by_check.values(), strict=True)
        by_check[ALL] = [(all(b for b, _ in one), all(a for _, a in one)) for one in together]
    return tuple(_change(name, pairs) for name, pairs in by_check.items())


def lost(checks: Sequence[Check], question: Question, answered: Answered) -> tuple[str, ...]:
    """Return the checks that the answer before passes and the one after does not."""
    passed = {check.name: _passed(check, question, answered) for check in checks}
    return tuple(name for name, (before, after) in passed.items() if before and not after)


def _passed(check: Check, question: Question, answered: Answered) -> tuple[bool, bool]:
    before, after = (score(check, reply, question.fields) >= 1 for reply in answered[question.example])
    # What counts below 0 is a fault: it passes where it is not found.
    return (before, after) if check.weight > 0 else (not before, not after)


def _change(name: str, pairs: Sequence[tuple[bool, bool]]) -> CheckChange:
    lost_now, won_now = pairs.count((True, False)), pairs.count((False, True))
    change = paired_change(pairs.count((True, True)), lost_now, won_now, pairs.count((False, False)))
    return CheckChange(
        name=name,
        of=len(pairs),
        passed_before=sum(before for before, _ in pairs),
        passed=sum(after for _, after in pairs),
        change=change.value,
        low=change.low,
        high=change.high,
        p=mcnemar_p(lost_now, won_now),
    )
