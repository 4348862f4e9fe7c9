"""Excluding and mending what a check found, and taking it back."""

import pytest

from store import examples, records, tags
from store.records import NewRecord
from studio.errors import StudioError
from studio.lint import acting
from studio.lint.report import read_report
from studio.lint.run import lint
from tests.studio.lint.linted import GOOD, add, of, say

BROKEN = "Das Café liegt am Fluss, und die Tür ist für Gäste grün gestrichen.".encode().decode("cp1252")


def excluded(store) -> list[int]:
    return [row[0] for row in store.connection.execute("SELECT id FROM example WHERE excluded ORDER BY id")]


def test_only_what_was_excluded_for_a_check_comes_back(project, store) -> None:
    first, both, mine, *_ = add(
        store, "Ask [Your Name] about it.", f"Ask [Your Name]. {BROKEN}", "Ask [Your Name] too.", BROKEN
    )
    examples.set_excluded(store, mine, True)
    lint(project, store)
    assert acting.exclude(store, "placeholder") == 2
    assert acting.exclude(store, "placeholder") == 0
    assert excluded(store) == [first, both, mine]
    assert (of(store, "placeholder").rows, of(store, "placeholder").kept) == (3, 0)
    acting.exclude(store, "mojibake")
    # What another check wants out as well stays out, and what a person excluded always does.
    assert acting.restore(store, "placeholder") == 1
    assert both in excluded(store)
    assert mine in excluded(store)
    assert acting.restore(store, "mojibake") == 2
    assert excluded(store) == [mine]
    assert tags.counts(store, "example") == []


def test_records_are_excluded_too(project, store) -> None:
    source = records.add_source(store, name="a", path="/a", container="jsonl", format="plain", size=1)
    records.add(store, source, [NewRecord(1, "{oops", None, b"y" * 16, error="no JSON")])
    lint(project, store)
    assert acting.exclude(store, "unreadable-row") == 1
    assert records.get(store, 1).excluded
    assert acting.restore(store, "unreadable-row") == 1
    assert not records.get(store, 1).excluded


def test_a_fix_is_a_revision_that_can_be_taken_back(project, store) -> None:
    one, two, three = add(store, BROKEN, BROKEN, GOOD)
    lint(project, store)
    assert acting.fix(project, store, "mojibake") == 2
    assert "Café" in examples.get(store, one).messages[1]["content"]
    assert examples.get(store, three).revision == 1
    assert lint(project, store).outdated == 0
    assert of(store, "mojibake") is None

    examples.revise(store, two, say("Something else altogether stands here now."))
    assert acting.unfix(store, "mojibake") == 1
    assert examples.get(store, one).messages[1]["content"] == BROKEN
    assert examples.get(store, two).messages[1]["content"].startswith("Something else")
    assert acting.unfix(store, "mojibake") == 0
    lint(project, store)
    assert of(store, "mojibake").rows == 1


def test_what_can_not_be_done_is_said(project, store) -> None:
    with pytest.raises(StudioError, match="no check 'emptyanswer'"):
        acting.exclude(store, "emptyanswer")
    with pytest.raises(StudioError, match="empty-answer has no fix"):
        acting.fix(project, store, "empty-answer")
    assert read_report(store) is None
