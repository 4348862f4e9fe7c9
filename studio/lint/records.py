"""Checks that the store answers by itself: rows without examples, and what searches for duplicates left there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from store import duplicates, findings_of_store
from store.database import Store
from store.duplicates import GroupKind
from studio.lint.check import Check, Found


@dataclass(frozen=True)
class OfStore:
    """A check that needs no look at an example."""

    check: Check
    look: Callable[[Store], Iterator[Found]]


def _unreadable(store: Store) -> Iterator[Found]:
    return (Found(*row) for row in findings_of_store.unreadable(store))


def _with_a_problem(store: Store) -> Iterator[Found]:
    return (Found(*row) for row in findings_of_store.with_a_problem(store))


def _different_prompts(store: Store) -> Iterator[Found]:
    return (Found(*row) for row in findings_of_store.without_common_prompt(store))


def _raters_disagree(store: Store) -> Iterator[Found]:
    return (Found(*row) for row in findings_of_store.raters_disagree(store))


def _exact(store: Store) -> Iterator[Found]:
    return (Found(number, f"the same bytes as {place}") for number, place in findings_of_store.exact_duplicates(store))


def _near(store: Store) -> Iterator[Found]:
    yield from _not_searched(store, "near", "Near duplicates", "studio duplicates --near")
    for number, similarity, place in findings_of_store.near_duplicates(store):
        yield Found(number, f"{similarity:.2f} like {place}")


def _leaks(store: Store) -> Iterator[Found]:
    yield from _not_searched(store, "leak", "Prompts like held-out ones", "studio duplicates --leaks --near")
    for number, split, other in findings_of_store.leaks(store):
        yield Found(number, f"in {split}, and a prompt like it is in {other}")


def _not_searched(store: Store, kind: GroupKind, what: str, command: str) -> Iterator[Found]:
    if duplicates.searched_at(store, kind) is None:
        yield Found(None, f"{what} were not looked for yet: {command}")


SEARCHED = frozenset({"near-duplicates", "near-leaks"})
"""Checks that report what a search found that is started by itself."""

CHECKS: tuple[OfStore, ...] = (
    OfStore(
        Check(
            "unreadable-row",
            "rows that can't be read",
            "They are kept as they stand in the file but make no example, so nothing is learnt from them. They are"
            " mostly lines that a program cut off or wrote in another form.",
            "error",
            "record",
        ),
        _unreadable,
    ),
    OfStore(
        Check(
            "row-with-a-problem",
            "rows that made less than they seem to hold",
            "The row could be read, but a field is missing or of another kind than the format says: an example may"
            " lack its answer, or there is none at all. Empty answers and different prompts are findings by"
            " themselves.",
            "warning",
            "record",
        ),
        _with_a_problem,
    ),
    OfStore(
        Check(
            "different-prompts",
            "pairs whose two sides follow different prompts",
            "Chosen and rejected answer other questions, so that nothing can be compared. Often a transcript was cut"
            " at the wrong place; such a row makes no example.",
            "error",
            "record",
        ),
        _different_prompts,
    ),
    OfStore(
        Check(
            "contradictory-verdicts",
            "pairs on which raters contradict each other",
            "By one verdict the one answer is better, by another the other one. Only one of them counts, the latest"
            " or what most say: such pairs are close, or the raters need clearer rules.",
            "warning",
        ),
        _raters_disagree,
    ),
    OfStore(
        Check(
            "exact-duplicates",
            "rows with the same bytes as an earlier one",
            "What stands there twice is learnt twice, and a copy in another split makes its figures too good."
            " Excluding leaves the first one in.",
            "warning",
            "record",
        ),
        _exact,
    ),
    OfStore(
        Check(
            "near-duplicates",
            "rows that nearly repeat another one",
            "They weigh more in training than they should and hide how little there is. Excluding leaves the first"
            " one of each group in.",
            "warning",
            "record",
        ),
        _near,
    ),
    OfStore(
        Check(
            "near-leaks",
            "prompts that are nearly those of held-out examples",
            "A model that saw a prompt in training is not measured by it: figures on the held-out part come out too"
            " good. Excluding leaves the part in that is held out most. Prompts that are held out word for word are"
            " leaked-prompt.",
            "error",
        ),
        _leaks,
    ),
)
