"""Tags: given, taken off, counted."""

import pytest

from store import records, tags
from store.errors import StoreError
from store.records import NewRecord


@pytest.fixture
def rows(store):
    """Three records."""
    source = records.add_source(store, name="a.jsonl", path="/a", container="jsonl", format="plain", size=1)
    records.add(store, source, [NewRecord(n, "{}", {}, bytes([n])) for n in range(3)])
    return store


def test_tags_are_given_and_taken_off(rows) -> None:
    tags.change(rows, "record", [1, 2], add=[" polite ", "Long"])
    tags.change(rows, "record", [2, 3], add=["polite"], remove=["Long"])
    tags.change(rows, "record", [1], remove=["absent"])
    assert tags.of_many(rows, "record", [1, 2, 3]) == {1: ["Long", "polite"], 2: ["polite"], 3: ["polite"]}
    assert tags.of_many(rows, "record", []) == {}
    assert tags.counts(rows, "record") == [("Long", 1), ("polite", 3)]
    assert tags.counts(rows, "example") == []
    assert tags.names(rows) == ["Long", "polite"]
    assert tags.spellings(rows, "LONG") == ["Long"]


@pytest.mark.parametrize("tag", ["", "  ", "two words", "a\tb", 'a"b', "a\x00b"])
def test_a_tag_is_one_word(rows, tag) -> None:
    with pytest.raises(StoreError, match="A tag is one word"):
        tags.change(rows, "record", [1], add=["fine", tag])
    assert tags.names(rows) == []
