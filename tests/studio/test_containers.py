"""Rows out of files of every kind: each with its own text and line, broken ones with the reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio import containers
from studio.containers import RawRow, json_array
from studio.containers.row import RowDecoder
from studio.errors import StudioError


def rows_of(path: Path, content: bytes | str) -> list[RawRow]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(containers.read(path, containers.sniff(path)))


@pytest.mark.parametrize(
    ("content", "container"),
    [
        ('{"a": 1}\n{"a": 2}\n', "jsonl"),
        ('{"a": 1}', "jsonl"),
        ('\ufeff  {"a": 1}\r\n{"a": 2}', "jsonl"),
        ('{"a": \n{"a": 2}\n', "jsonl"),
        ('[{"a": 1}]', "json"),
        ('[\n  {"a": 1}\n]\n', "json"),
        ('{\n  "a": 1\n}\n{\n  "a": 2\n}\n', "json"),
        ("a,b\n1,2\n", "csv"),
        ("a\tb\n1\t2,5\n", "csv"),
        ("a;b\n1,0;2\n", "csv"),
        ("prompt\nHello\nBye\n", "csv"),
    ],
)
def test_the_kind_is_found_by_content_whatever_the_name(tmp_path: Path, content, container) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(content.encode())
    assert containers.sniff(path) == container


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"PK\x03\x04rest", "ZIP"),
        ("a,b\n".encode("utf-16"), "UTF-16"),
        (b"# A title\n\nSome prose, with a comma.\n", "no rows"),
        (bytes(range(256)) * 4, "no rows"),
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path: Path, content, reason) -> None:
    with pytest.raises(StudioError, match=reason):
        rows_of(tmp_path / "data.jsonl", content)


def test_absent_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="not there"):
        containers.sniff(tmp_path / "absent")
    with pytest.raises(StudioError, match="folder"):
        containers.sniff(tmp_path)


def test_lines_keep_their_text_byte_for_byte(tmp_path: Path) -> None:
    lines = [
        b'{"a": "\\ud800"}',
        b' {"a":1e400, "a" : 2} ',
        '{"a": "x\u2028y"}'.encode(),
        b'{"a": 123456789012345678901}',
    ]
    rows = rows_of(tmp_path / "f", b"\xef\xbb\xbf" + b"\r\n".join(lines) + b"\n\n")
    assert [row.raw.encode() for row in rows] == lines
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert not any(row.error for row in rows)
    assert rows[1].problem == "has a more than once; the last one counts"
    assert rows[3].fields == {"a": 123456789012345678901}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\x00"}', "not valid JSON"),
        (b'{"a": 1} {"b": 2}', "more text after"),
        (b"[1, 2]", "is a list"),
        (b'{"a": "\xff"}', "not valid UTF-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "4,300 digits"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_line_is_kept_with_its_reason(tmp_path: Path, line, reason) -> None:
    good = b'{"a": 1}'
    before, broken, after = rows_of(tmp_path / "f", b"\n".join([good, line, good]))
    assert reason in (broken.error or "")
    assert broken.fields is None
    assert broken.line == 2
    assert (broken.raw if isinstance(broken.raw, bytes) else broken.raw.encode()) == line
    assert before.fields == after.fields == {"a": 1}


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9)), max_size=5), st.sampled_from([None, 2]))
def test_an_array_gives_each_element_its_text_and_line(values, indent) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    rows = list(json_array.elements(text))
    assert [row.fields for row in rows] == values
    for row in rows:
        lines = text.split("\n")
        assert str(row.raw).split("\n", maxsplit=1)[0] in lines[row.line - 1]
        assert str(row.raw) in text


def test_a_broken_element_of_an_array_does_not_take_the_others_with_it() -> None:
    text = '[\n  {"a": 1},\n  {"a": oops\n  },\n  {"a": 3}\n]'
    rows = list(json_array.elements(text))
    assert [(row.line, row.fields) for row in rows] == [(2, {"a": 1}), (3, None), (5, {"a": 3})]
    assert rows[1].raw == '{"a": oops\n  }'


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a"', '[{"a": 1},', '[{"a": 1}', '[{"a": 1}] x'])
def test_a_damaged_end_of_an_array_is_named(text) -> None:
    first, damage = json_array.elements(text)
    assert first.fields == {"a": 1}
    assert damage.error


def test_bytes_in_an_array_that_are_no_text_spoil_only_their_row(tmp_path: Path) -> None:
    first, broken = rows_of(tmp_path / "f", b'[{"a": 1}, {"a": "\xff"}]')
    assert first.fields == {"a": 1}
    assert broken.raw == b'{"a": "\xff"}'
    assert broken.error


def test_cells_may_span_lines_and_rows_keep_their_text(tmp_path: Path) -> None:
    content = 'text;n\r\n"two\r\nlines; ""quoted""";1\r\n\r\n\u00e9;2\r\n'
    rows = rows_of(tmp_path / "f", content)
    assert [(row.line, row.fields) for row in rows] == [
        (2, {"text": 'two\r\nlines; "quoted"', "n": "1"}),
        (5, {"text": "\u00e9", "n": "2"}),
    ]
    assert rows[0].raw == '"two\r\nlines; ""quoted""";1'


def test_broken_rows_of_a_table_are_kept_with_their_reason(tmp_path: Path) -> None:
    content = b'a,b\n1,2\n1,2,3\n"x" y,2\n\xff,2\nnul\x00,2\n"open,2\n3,4\n'
    rows = rows_of(tmp_path / "f", content)
    assert [row.line for row in rows] == [2, 3, 4, 5, 6, 7, 8]
    assert "has 3 cells where the header has 2" in (rows[1].error or "")
    assert "not valid CSV" in (rows[2].error or "")
    assert rows[3].raw == b"\xff,2"
    assert rows[4].fields == {"a": "nul\x00", "b": "2"}
    assert "never closed" in (rows[5].error or "")
    assert rows[6].fields == {"a": "3", "b": "4"}


def test_columns_without_a_name_of_their_own_get_one(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "f", ",a,a\n1,2,3\n")
    assert row.fields == {"column 1": "1", "a": "2", "a 2": "3"}


def test_parquet_rows_are_json_with_moments_as_text(tmp_path: Path) -> None:
    import datetime

    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "f.txt"
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5)
    table = pyarrow.table({"messages": [[{"role": "user", "content": "\u00e9"}]], "at": [moment], "blob": [b"\xff"]})
    pyarrow.parquet.write_table(table, path)
    assert containers.sniff(path) == "parquet"
    (row,) = containers.read(path, "parquet")
    assert row.fields == {
        "messages": [{"role": "user", "content": "\u00e9"}],
        "at": "2026-01-02T03:04:05",
        "blob": "/w==",
    }
    assert json.loads(row.raw) == row.fields


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(StudioError, match="Parquet"):
        list(containers.read(path, "parquet"))


@given(st.binary(max_size=60))
def test_no_line_breaks_the_reader(content) -> None:
    from studio.containers.jsonl import parse

    row = parse(content, RowDecoder())
    raw = row.raw if isinstance(row.raw, bytes) else row.raw.encode()
    assert raw == content
    assert (row.fields is None) == (row.error is not None)
