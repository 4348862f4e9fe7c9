"""JSON arrays and objects one after another, read as a stream that never shows."""

import json
import tracemalloc
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio import containers
from studio.containers import Layout, RawRow, json_array


def elements(text: str) -> list[RawRow]:
    return list(json_array.elements(StringIO(text, newline="").read))


@pytest.fixture
def tiny_window(monkeypatch) -> None:
    """Read a few characters at a time, so that every row is cut somewhere."""
    monkeypatch.setattr(json_array, "FIRST", 7)


VALUES = st.dictionaries(
    st.text(max_size=5), st.one_of(st.text(max_size=40), st.floats(allow_nan=False), st.integers())
)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 2]), st.booleans(), st.sampled_from([1, 3, 50]))
def test_an_array_gives_each_element_its_text_and_line(values, indent, ascii_only, window) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_array, "FIRST", window)
        rows = elements(text)
    assert [row.fields for row in rows] == values
    lines, place = text.split("\n"), 0
    for row in rows:
        assert str(row.raw).split("\n", maxsplit=1)[0] in lines[row.line - 1]
        place = text.index(str(row.raw), place) + len(row.raw)


@settings(deadline=None)
@given(st.text(alphabet='[]{}",:1a \n\\', max_size=40), st.booleans())
def test_a_small_window_changes_nothing(text, is_array) -> None:
    text = "[" + text if is_array else text
    whole = elements(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_array, "FIRST", 1)
        assert elements(text) == whole
    place = 0
    for row in whole:
        place = text.index(str(row.raw), place) + len(row.raw)


@pytest.mark.usefixtures("tiny_window")
def test_a_broken_element_of_an_array_does_not_take_the_others_with_it() -> None:
    text = '[\n  {"a": 1},\n  {"a": oops\n  },\n  {"a":\n   oops},\n  {"a": 3}\n]'
    rows = elements(text)
    assert [(row.line, row.fields) for row in rows] == [(2, {"a": 1}), (3, None), (5, None), (7, {"a": 3})]
    assert rows[1].raw == '{"a": oops\n  }'
    assert rows[1].error == "is not valid JSON: expecting value at character 9"
    assert rows[2].error == "is not valid JSON: expecting value at character 4 of its line 2"


@pytest.mark.usefixtures("tiny_window")
def test_objects_one_after_another_are_rows_too() -> None:
    rows = elements('{\n "a": 1\n}\n{\n "a": x\n}\n{\n "a": 3\n}\n')
    assert [(row.line, row.fields) for row in rows] == [(1, {"a": 1}), (4, None), (7, {"a": 3})]


@pytest.mark.usefixtures("tiny_window")
def test_numbers_at_the_edge_of_what_was_read_stay_whole() -> None:
    rows = elements("[" + ", ".join(["12345", "1.5e10", "-7"] * 5) + "]")
    assert [row.raw for row in rows] == ["12345", "1.5e10", "-7"] * 5
    assert all(row.error == "is a number, not an object with named fields" for row in rows)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"a": 1}, {"a"', "not valid JSON"),
        ('[{"a": 1},', "not closed"),
        ('[{"a": 1}', "not closed"),
        ('[{"a": 1}] x', "after the end"),
        ('[{"a": 1}, {"a": ' + "9" * 5000 + "}]", "4,300 digits"),
        ('[{"a": 1}, {"a": ' + "[" * 99_999, "nested too deeply"),
    ],
)
@pytest.mark.usefixtures("tiny_window")
def test_a_damaged_end_of_an_array_is_named(text, reason) -> None:
    first, damage = elements(text)
    assert first.fields == {"a": 1}
    assert reason in (damage.error or "")


def test_what_cannot_be_read_is_kept_in_pieces_that_fit_in_memory(monkeypatch) -> None:
    monkeypatch.setattr(json_array, "FIRST", 100)
    monkeypatch.setattr(json_array, "LONGEST_BROKEN", 1000)
    rest = '{"a": oops}, ' * 1000 + "]"
    first, *rows = elements('[{"a": 1}, ' + rest)
    assert first.fields == {"a": 1}
    assert "".join(str(row.raw) for row in rows) == rest
    assert max(len(row.raw) for row in rows) < 5000
    assert {row.error for row in rows} == {"is not valid JSON: expecting value at character 18"}


def test_bytes_in_an_array_that_are_no_text_spoil_only_their_row(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b'[{"a": "\xc3\xa9"}, {"a": "\xff"}]')
    first, broken = containers.read(path, containers.sniff(path))
    assert first.fields == {"a": "\u00e9"}
    assert broken.raw == b'{"a": "\xff"}'
    assert broken.error == "is not valid UTF-8"


def test_an_element_of_many_megabytes_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text('[{"a": "' + "x" * 100_000_000 + '"}, {"a": "y"}]')
    large, small = containers.read(path, Layout("json"))
    assert len(large.raw) == 100_000_009
    assert small.fields == {"a": "y"}


def test_memory_does_not_grow_with_the_array(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("[" + ",\n".join(['{"text": "' + "x" * 1000 + '"}'] * 20_000) + "]")
    tracemalloc.start()
    try:
        assert sum(1 for _ in containers.read(path, Layout("json"))) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()
