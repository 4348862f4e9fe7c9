"""Records in the order of a column, and what can be told of a long record's fields from its beginning."""

import json
from array import array
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import ordering, record_places, records, tags
from store.database import Store, create_store
from store.field_values import ABSENT, fields_in_beginning, key_of, paths_of, texts_of, value_at
from store.ordering import Column, Order, records_by
from store.records import NewRecord

ROWS: list[dict[str, Any] | str] = [
    {"n": 10, "t": "Éclair", "": {"[b]": "x"}},
    {"n": "9", "t": "eclair \ud800"},
    "not JSON",
    {"n": 9.5, "t": ["a", 1], "": {"[b]": "w"}},
    {"n": float("nan"), "t": "DACE"},
    {"n": 10**30, "t": True},
    {"n": None, "t": "dace"},
]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Store]:
    """Seven rows of two files."""
    with create_store(tmp_path / "studio.db") as store:
        for name, rows in (("b.jsonl", ROWS[:4]), ("A.jsonl", ROWS[4:])):
            source = records.add_source(store, name=name, path=name, container="jsonl", format="plain", size=1)
            records.add(store, source, [_new(line, row) for line, row in enumerate(rows, start=1)])
        yield store


def _new(line: int, row: dict[str, Any] | str) -> NewRecord:
    raw = row if isinstance(row, str) else json.dumps(row)
    fields = None if isinstance(row, str) else row
    return NewRecord(line, raw, fields, sha256(raw.encode()).digest(), "bad" if fields is None else None)


@pytest.mark.parametrize(
    ("column", "ascending", "descending"),
    [
        (("n",), [2, 4, 1, 6, 3, 5, 7], [6, 1, 4, 2, 3, 5, 7]),
        (("t",), [6, 4, 5, 7, 2, 1, 3], [1, 2, 5, 7, 4, 6, 3]),
        (("", "[b]"), [4, 1, 2, 3, 5, 6, 7], [1, 4, 2, 3, 5, 6, 7]),
        (("no such",), [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7]),
        ("source", [5, 6, 7, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7]),
        ("line", [1, 5, 2, 6, 3, 7, 4], [4, 3, 7, 2, 6, 1, 5]),
        ("tags", [6, 2, 1, 3, 4, 5, 7], [2, 6, 1, 3, 4, 5, 7]),
        ("note", [7, 4, 1, 2, 3, 5, 6], [4, 7, 1, 2, 3, 5, 6]),
        ("state", [7, 5, 3, 1, 2, 4, 6], [3, 5, 7, 1, 2, 4, 6]),
    ],
)
@pytest.mark.parametrize("few", [0, 100])
def test_rows_are_ordered_by_any_column(
    filled: Store,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    column: Column,
    ascending: list[int],
    descending: list[int],
) -> None:
    monkeypatch.setattr(ordering, "FEW", few)
    tags.change(filled, "record", [2, 6], add=["zoo"])
    tags.change(filled, "record", [6], add=["ape"])
    records.set_note(filled, 4, "Zeal")
    records.set_note(filled, 7, "ask")
    records.set_flagged(filled, 5, True)
    records.set_excluded(filled, 7, True)
    assert list(records_by(filled, Order(column))) == ascending
    assert list(records_by(filled, Order(column, descending=True))) == descending
    wanted = array("q", [2, 4, 5])
    assert list(records_by(filled, Order(column), wanted)) == [n for n in ascending if n in wanted]
    assert list(records_by(filled, Order(column), array("q"))) == []


def test_a_row_is_found_in_an_order(filled: Store) -> None:
    ids = records_by(filled, Order("line", descending=True))
    assert [ids.index(number) for number in ids] == list(range(7))
    assert (len(ids), ids[0], list(ids[1:3])) == (7, 4, [3, 7])
    for absent in (0, 8, -1, 10**9):
        with pytest.raises(ValueError, match="is not here"):
            ids.index(absent)


def test_the_beginning_of_what_rows_say_orders_them(filled: Store) -> None:
    by_text = list(records_by(filled, Order("record")))
    assert sorted(by_text) == [1, 2, 3, 4, 5, 6, 7]
    assert by_text[-1] == 3


def test_lines_are_found_in_their_files(filled: Store) -> None:
    assert record_places.at_line(filled, [2], 2) == (6, 2)
    assert record_places.at_line(filled, [2], 4) is None
    assert record_places.at_line(filled, [2, 1], 4) == (4, 4)
    assert record_places.first_of_sources(filled, 2) == [1, 2, 5, 6]


def test_a_long_record_is_known_by_its_beginning(filled: Store) -> None:
    source = records.add_source(filled, name="c.csv", path="c.csv", container="csv", format="plain", size=1)
    row = {"a": 1, "b": {"c": "text " * 1000, "d": 2}}
    [number] = records.add(filled, source, [NewRecord(1, "raw " * 2000, row, b"")])
    found = record_places.fields_beginning(filled, number, 100)
    assert found is not None
    assert found["a"] == 1
    assert row["b"]["c"].startswith(found["b"]["c"])  # type: ignore[index]
    assert record_places.fields_beginning(filled, 3, 100) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5), st.integers(0, 200), st.booleans())
def test_a_beginning_never_says_what_is_not_there(fields: dict[str, Any], size: int, ascii_only: bool) -> None:
    text = json.dumps(fields, ensure_ascii=ascii_only)
    found = fields_in_beginning(text[:size])
    assert list(found) == list(fields)[: len(found)]
    for name in list(found)[:-1]:
        assert found[name] == fields[name]
    assert fields_in_beginning(text) == fields


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_each_path_leads_to_its_value(fields: dict[str, Any]) -> None:
    for path in paths_of(fields):
        assert value_at(fields, path) is not ABSENT
    assert value_at(fields, ("no", "such", "path")) is ABSENT
    assert sum(map(len, texts_of(fields, 50))) <= 50


def test_keys_are_numbers_where_texts_are() -> None:
    assert [key_of(value) for value in ("10", " 9.5 ", "-3e2", "007", "1 apple", "nan", True)] == [
        10.0, 9.5, -300.0, 7.0, "1 apple", "nan", 1,
    ]  # fmt: skip
