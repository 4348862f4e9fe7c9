"""Parquet and Arrow: rows without a text of their own get their JSON as it."""

import datetime
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from studio import containers
from studio.containers import Layout
from studio.errors import StudioError

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5)
TABLE = pyarrow.table({"messages": [[{"role": "user", "content": "\u00e9"}]], "at": [MOMENT], "blob": [b"\xff"]})


def write_parquet(table: pyarrow.Table, path: Path) -> None:
    pyarrow.parquet.write_table(table, path, row_group_size=300)


def write_stream(table: pyarrow.Table, path: Path) -> None:
    with pyarrow.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=300)


def write_file(table: pyarrow.Table, path: Path) -> None:
    with pyarrow.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=300)


@pytest.fixture(params=[write_parquet, write_stream, write_file])
def write(request: pytest.FixtureRequest):
    return request.param


def test_rows_are_json_with_moments_as_text(tmp_path: Path, write) -> None:
    path = tmp_path / "f.txt"
    write(TABLE, path)
    layout = containers.sniff(path)
    assert layout.container == ("parquet" if write is write_parquet else "arrow")
    assert layout.encoding == ""
    (row,) = containers.read(path, layout)
    assert row.fields == {
        "messages": [{"role": "user", "content": "\u00e9"}],
        "at": "2026-01-02T03:04:05",
        "blob": "/w==",
    }
    assert json.loads(row.raw) == row.fields


def test_rows_are_numbered_and_the_place_moves_on(tmp_path: Path, write) -> None:
    path = tmp_path / "f"
    write(pyarrow.table({"a": list(range(1000))}), path)
    places: list[int] = []
    rows = list(containers.read(path, containers.sniff(path), places.append))
    assert [row.line for row in rows] == list(range(1, 1001))
    assert [row.fields for row in rows] == [{"a": number} for number in range(1000)]
    assert places == sorted(places)
    assert len(places) >= 2
    assert 0 < places[-1] <= path.stat().st_size


def test_text_that_is_no_utf_8_spoils_only_its_row(tmp_path: Path, write) -> None:
    path = tmp_path / "f"
    binary = pyarrow.array([b"good", b"b\xffd", b"\xc3\xa9"])
    text = pyarrow.Array.from_buffers(pyarrow.string(), 3, binary.buffers())
    write(pyarrow.table({"a": text, "b": [[{"c": 1}]] * 3}), path)
    first, broken, last = containers.read(path, containers.sniff(path))
    assert (first.fields, last.fields) == ({"a": "good", "b": [{"c": 1}]}, {"a": "\u00e9", "b": [{"c": 1}]})
    assert broken.raw == b'{"a": "b\xffd", "b": [{"c": 1}]}'
    assert broken.error == "is not valid UTF-8"


def test_no_rows_are_no_rows(tmp_path: Path, write) -> None:
    path = tmp_path / "f"
    write(pyarrow.table({"a": pyarrow.array([], pyarrow.int64())}), path)
    assert list(containers.read(path, containers.sniff(path), lambda _: None)) == []


def test_columns_of_one_name_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_stream(pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["a", "a"]), path)
    (row,) = containers.read(path, containers.sniff(path))
    assert row.fields == {"a": 1, "a 2": 2}


@pytest.mark.parametrize(("content", "container"), [(b"PAR1 no more", "parquet"), (b"ARROW1 no more", "arrow")])
def test_a_file_without_its_end_is_refused(tmp_path: Path, content, container) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    with pytest.raises(StudioError, match=f"can't be read as {container.title()}"):
        list(containers.read(path, containers.sniff(path)))


def test_a_stream_that_is_cut_keeps_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_stream(pyarrow.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    *rows, end = containers.read(path, Layout("arrow", ""))
    assert [row.fields for row in rows] == [{"a": number} for number in range(900)]
    assert end.line == 901
    assert "is where the Arrow file is damaged" in (end.error or "")


def test_a_damaged_page_of_parquet_keeps_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "f"
    table = pyarrow.table({"a": [str(number) * 9 for number in range(900)]})
    pyarrow.parquet.write_table(table, path, row_group_size=300, compression="gzip", use_dictionary=False)
    start = pyarrow.parquet.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[start : start + 200] = b"\xff" * 200
    path.write_bytes(bytes(content))
    *rows, end = containers.read(path, Layout("parquet", ""))
    assert len(rows) == 600
    assert "is where the Parquet file is damaged" in (end.error or "")
