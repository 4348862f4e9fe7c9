"""Doing something about all rows of a finding, and taking it back: tags on the rows say what was done for which."""

from collections.abc import Callable
from typing import NamedTuple

from store import examples, findings, left_out, revisions, tags
from store.database import Store
from store.examples import Message
from studio.lint.registry import CHECKS, check_of, with_fix
from studio.one_at_a_time import one_at_a_time
from studio.project import Project

Mend = Callable[[Message], Message]

AT_ONCE = 100
"""Examples whose texts are in memory at once, and that are written in one transaction."""


class Done(NamedTuple):
    """How many rows are excluded because of a check, and how many were mended; others may have edited them since."""

    excluded: int
    mended: int


def done(store: Store) -> dict[str, Done]:
    """Return what was done because of each check, also of one that finds nothing any more."""
    known = {"record": dict(tags.counts(store, "record")), "example": dict(tags.counts(store, "example"))}
    every = {
        check.name: Done(
            known[check.kind].get(f"{left_out.PREFIX}{check.name}", 0), known["example"].get(_tag(check.name), 0)
        )
        for check in CHECKS
    }
    return {name: each for name, each in every.items() if any(each)}


def exclude(store: Store, check: str) -> int:
    """Exclude all rows that a check found and that are in use; return how many.

    Raises:
        StudioError: there is no such check.
    """
    kind = check_of(check).kind
    return sum(left_out.exclude(store, kind, check, page) for page in findings.rows_of(store, kind, check))


def restore(store: Store, check: str) -> int:
    """Let in again what was excluded because of a check, and of no other; return how many rows.

    Raises:
        StudioError: there is no such check.
    """
    return left_out.restore(store, check_of(check).kind, check)


def fix(project: Project, store: Store, check: str) -> int:
    """Mend all examples that a check found, each in a new revision; return how many were changed.

    Candidate responses stay as they are: verdicts were given on what they say.

    Raises:
        StudioError: there is no such check, it has no fix, or findings are just being replaced.
    """
    mend = _mend_of(check)
    with one_at_a_time(project, "lint", f"The checks are being run on {project.folder}."):
        return sum(
            _fix(store, check, mend, page[start : start + AT_ONCE])
            for page in findings.rows_of(store, "example", check)
            for start in range(0, len(page), AT_ONCE)
        )


def unfix(store: Store, check: str) -> int:
    """Bring back what examples said before they were mended, where nobody edited them since; return how many.

    Raises:
        StudioError: there is no such check, or it has no fix.
    """
    mend = _mend_of(check)
    return sum(
        _unfix(store, check, mend, page[start : start + AT_ONCE])
        for page in left_out.tagged(store, "example", _tag(check))
        for start in range(0, len(page), AT_ONCE)
    )


def _mend_of(check: str) -> Mend:
    mend = with_fix(check).mend
    assert mend is not None
    return mend


def _tag(check: str) -> str:
    return f"mended-{check}"


def _fix(store: Store, check: str, mend: Mend, example_ids: list[int]) -> int:
    with store.transaction():
        changed = []
        for number, example in examples.get_many(store, example_ids).items():
            mended = _mended(mend, example.messages)
            if mended != example.messages:
                examples.revise(store, number, mended)
                changed.append(number)
        tags.change(store, "example", changed, add=[_tag(check)])
    store.give_way()
    return len(changed)


def _unfix(store: Store, check: str, mend: Mend, example_ids: list[int]) -> int:
    with store.transaction():
        changed = []
        for number, example in examples.get_many(store, example_ids).items():
            before = examples.get(store, number, example.revision - 1) if example.revision > 1 else None
            # Else somebody edited it since, or took the fix back already.
            if before and before.messages != example.messages == _mended(mend, before.messages):
                revisions.revert(store, number, before.revision)
                changed.append(number)
        tags.change(store, "example", changed, remove=[_tag(check)])
    store.give_way()
    return len(changed)


def _mended(mend: Mend, messages: list[Message]) -> list[Message]:
    try:
        return [mend(message) for message in messages]
    except Exception:
        # What a fix can't deal with stays as it is; its finding stays with it.
        return messages
