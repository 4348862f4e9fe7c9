"""Tables: cells that span lines, and rows that keep their text."""

import csv
from io import StringIO
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from studio import containers
from studio.containers import Layout, RawRow, csv_table


def rows_of(path: Path, content: bytes | str) -> list[RawRow]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(containers.read(path, containers.sniff(path)))


def test_cells_may_span_lines_and_rows_keep_their_text(tmp_path: Path) -> None:
    content = 'text;n\r\n"two\r\nlines; ""quoted""";1\r\n\r\n\u00e9;2\r\n'
    rows = rows_of(tmp_path / "f", content)
    assert [(row.line, row.fields) for row in rows] == [
        (2, {"text": 'two\r\nlines; "quoted"', "n": "1"}),
        (5, {"text": "\u00e9", "n": "2"}),
    ]
    assert rows[0].raw == '"two\r\nlines; ""quoted""";1'


def test_broken_rows_of_a_table_are_kept_with_their_reason(tmp_path: Path) -> None:
    content = b'a,b\n1,\xc3\xa9\n1,2,3\n"x" y,2\n\xff,2\nnul\x00,2\n"open,2\n3,4\n'
    rows = rows_of(tmp_path / "f", content)
    assert [row.line for row in rows] == [2, 3, 4, 5, 6, 7, 8]
    assert "has 3 cells where the header has 2" in (rows[1].error or "")
    assert "not valid CSV" in (rows[2].error or "")
    assert rows[3].raw == b"\xff,2"
    assert rows[4].fields == {"a": "nul\x00", "b": "2"}
    assert "never closed" in (rows[5].error or "")
    assert rows[6].fields == {"a": "3", "b": "4"}


def test_a_quotation_mark_that_is_never_closed_does_not_fill_the_memory(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(csv_table, "LONGEST_ROW", 100)
    broken, *rows = rows_of(tmp_path / "f", 'a,b\n"open,2\n' + "3,4\n" * 1000)
    assert (broken.line, broken.raw) == (2, '"open,2')
    assert len(rows) == 1000
    assert [row.line for row in rows] == list(range(3, 1003))


def test_columns_without_a_name_of_their_own_get_one(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "f", ",a,a\n1,2,3\n")
    assert row.fields == {"column 1": "1", "a": "2", "a 2": "3"}


CELLS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.sampled_from(csv_table.DELIMITERS))
def test_what_was_written_as_a_table_comes_back(tmp_path_factory, table, delimiter) -> None:
    path = tmp_path_factory.mktemp("table") / "f"
    text = StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("one", "two"), *table])
    path.write_bytes(text.getvalue().encode())
    rows = list(containers.read(path, Layout("csv")))
    assert [tuple((row.fields or {}).values()) for row in rows] == table
    place = 0
    for row in rows:
        place = text.getvalue().index(str(row.raw), place) + len(row.raw)
        assert text.getvalue()[place : place + 2] == "\r\n"
