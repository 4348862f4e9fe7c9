"""Saved queries: kept by name, part of other queries, never of themselves."""

from itertools import chain

import pytest

from store import find, records, saved_queries
from store.errors import MissingRowError, StoreError
from store.query import QueryError
from store.records import NewRecord


@pytest.fixture
def rows(store):
    """Three records with a word each, and two words."""
    source = records.add_source(store, name="a.jsonl", path="/a", container="jsonl", format="plain", size=1)
    texts = ("fox", "bear", "fox bear")
    records.add(store, source, [NewRecord(n, f'{{"a": "{t}"}}', {"a": t}, t.encode()) for n, t in enumerate(texts)])
    return store


def found(store, text: str) -> list[int]:
    return list(chain.from_iterable(find.ids(store, "record", text)))


def test_they_are_kept_by_name(store) -> None:
    saved_queries.save(store, " long ones ", "len>1000 ")
    saved_queries.save(store, "Bad", "has:flag")
    saved_queries.save(store, "Bad", "has:error")
    assert [(each.name, each.query) for each in saved_queries.all_saved(store)] == [
        ("Bad", "has:error"),
        ("long ones", "len>1000"),
    ]
    assert saved_queries.get(store, "long ones").query == "len>1000"
    saved_queries.delete(store, "Bad")
    assert [each.name for each in saved_queries.all_saved(store)] == ["long ones"]
    for act in (saved_queries.get, saved_queries.delete):
        with pytest.raises(MissingRowError, match="There is no saved query 'Bad'"):
            act(store, "Bad")


def test_they_stand_in_other_queries(rows) -> None:
    saved_queries.save(rows, "foxes", "fox")
    saved_queries.save(rows, "both kinds", "@foxes OR bear")
    saved_queries.save(rows, "all", "")
    assert found(rows, "@foxes") == [1, 3]
    assert found(rows, "@foxes bear") == [3]
    assert found(rows, "-@foxes") == [2]
    assert found(rows, '@"both kinds" -fox') == [2]
    assert found(rows, "@all") == [1, 2, 3]
    assert found(rows, "@all bear") == [2, 3]
    assert found(rows, "-@all") == []
    assert found(rows, "id:1 OR -(@all @all)") == [1]


def test_none_stands_for_itself(rows) -> None:
    saved_queries.save(rows, "a", "fox")
    saved_queries.save(rows, "b", "@a")
    for name, text in (("a", "@a"), ("a", "bear OR @b")):
        with pytest.raises(QueryError, match="@a stands for itself"):
            saved_queries.save(rows, name, text)
    assert saved_queries.get(rows, "a").query == "fox"


def test_what_is_wrong_is_said(rows) -> None:
    with pytest.raises(QueryError, match=r"at character 5: there is no saved query 'foxs'; put it in quotes"):
        found(rows, "fox @foxs")
    saved_queries.save(rows, "foxes", "fox")
    with pytest.raises(QueryError, match="did you mean foxes"):
        found(rows, "@foxs")
    with pytest.raises(QueryError, match="split is never"):
        saved_queries.save(rows, "c", "split:nowhere")
    saved_queries.save(rows, "d", "fox @foxes")
    saved_queries.delete(rows, "foxes")
    with pytest.raises(QueryError, match=r"at character 1: in @d, there is no saved query 'foxes'"):
        found(rows, "@d")
    for name in ("", "  ", 'a"b', "a\nb"):
        with pytest.raises(StoreError, match="needs a name"):
            saved_queries.save(rows, name, "fox")
